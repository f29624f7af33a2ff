import { clampEnd, getUnalignedBe16, needRange, needRoom, putUnalignedBe16 } from './bytes.ts'
import { ethProtoIs8023 } from './ethertype.ts'
import { ETH_ALEN, formatMac, type MacAddress, putMac } from './mac.ts'

/**
 * Bytes in the header: two addresses and the type.
 *
 * @kernel ETH_HLEN include/uapi/linux/if_ether.h
 */
export const ETH_HLEN = 14

/**
 * The shortest frame on the wire, without its check sequence; shorter ones are padded with zeros.
 *
 * @kernel ETH_ZLEN include/uapi/linux/if_ether.h
 * @rule TXQ-17
 */
export const ETH_ZLEN = 60

/**
 * The most payload a standard frame has.
 *
 * @kernel ETH_DATA_LEN include/uapi/linux/if_ether.h
 * @rule MTU-01
 */
export const ETH_DATA_LEN = 1500

/**
 * The longest standard frame without its check sequence.
 *
 * @kernel ETH_FRAME_LEN include/uapi/linux/if_ether.h
 * @rule MTU-01
 */
export const ETH_FRAME_LEN = 1514

/** An Ethernet header, read. */
export interface EthHeader {
  readonly dst: string
  readonly src: string
  /** The two bytes after the addresses: a type from 0x600 up, else the length of an 802.3 payload. */
  readonly proto: number
  readonly payloadOffset: number
  /** Bytes after the header; of an 802.3 frame, without the padding. */
  readonly payloadLength: number
  /** An 802.3 length says more than there is. */
  readonly truncated: boolean
}

/**
 * Reads an Ethernet header; null when there are fewer than 14 bytes.
 *
 * @kernel eth_header_parse() net/ethernet/eth.c
 */
export function parseEth(bytes: Uint8Array, off = 0, len = bytes.length - off): EthHeader | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < ETH_HLEN) return null
  const proto = getUnalignedBe16(bytes, off + 12)
  const there = end - off - ETH_HLEN
  const length = ethProtoIs8023(proto) ? there : proto
  return {
    dst: formatMac(bytes, off),
    src: formatMac(bytes, off + ETH_ALEN),
    proto,
    payloadOffset: off + ETH_HLEN,
    payloadLength: Math.min(length, there),
    truncated: length > there,
  }
}

/** What an Ethernet header says. */
export interface EthFields {
  readonly dst: MacAddress
  readonly src: MacAddress
  /** A type, or the length of an 802.3 payload. */
  readonly proto: number
}

/**
 * Writes an Ethernet header at `off`.
 *
 * @returns 14, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel eth_header() net/ethernet/eth.c
 */
export function buildEth(out: Uint8Array, off: number, fields: EthFields): number {
  needRoom(out, off, ETH_HLEN, 'an Ethernet header')
  putMac(fields.dst, out, off)
  putMac(fields.src, out, off + ETH_ALEN)
  putUnalignedBe16(needRange(fields.proto, 0xffff, 'an Ethernet type'), out, off + 12)
  return ETH_HLEN
}

/**
 * Gives the frame with zeros up to `length`; the frame itself when it is long enough.
 *
 * @kernel skb_put_padto() include/linux/skbuff.h
 * @rule TXQ-17
 */
export function padFrame(frame: Uint8Array, length: number = ETH_ZLEN): Uint8Array {
  if (frame.length >= length) return frame
  const padded = new Uint8Array(length)
  padded.set(frame)
  return padded
}

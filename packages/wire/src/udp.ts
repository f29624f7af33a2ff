import { clampEnd, getUnalignedBe16, needRange, needRoom, putUnalignedBe16 } from './bytes.ts'
import { inetChecksum } from './checksum.ts'

/**
 * Bytes in the header.
 *
 * @kernel struct udphdr include/uapi/linux/udp.h
 */
export const UDP_HLEN = 8

/** A UDP header, read. */
export interface UdpHeader {
  readonly srcPort: number
  readonly dstPort: number
  /** Bytes of header and payload, as the header says. */
  readonly length: number
  /** 0 means: none was made (IPv4 only). */
  readonly checksum: number
  readonly payloadOffset: number
  readonly payloadLength: number
  /** The header says more than there is. */
  readonly truncated: boolean
}

/**
 * Reads a UDP header; null when there are fewer than 8 bytes or its length makes no sense.
 *
 * @kernel __udp4_lib_rcv() net/ipv4/udp.c
 */
export function parseUdp(bytes: Uint8Array, off = 0, len = bytes.length - off): UdpHeader | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < UDP_HLEN) return null
  const length = getUnalignedBe16(bytes, off + 4)
  if (length < UDP_HLEN) return null
  return {
    srcPort: getUnalignedBe16(bytes, off),
    dstPort: getUnalignedBe16(bytes, off + 2),
    length,
    checksum: getUnalignedBe16(bytes, off + 6),
    payloadOffset: off + UDP_HLEN,
    payloadLength: Math.min(off + length, end) - off - UDP_HLEN,
    truncated: off + length > end,
  }
}

/** What a UDP header says. */
export interface UdpFields {
  readonly srcPort: number
  readonly dstPort: number
  /** Bytes after the header; they must stand there already, the checksum covers them. */
  readonly payloadLength: number
  /** The pseudo header's sum; without it the checksum is left 0, "none". */
  readonly pseudo?: number
}

/**
 * Writes a UDP header at `off`, in front of its payload; a checksum that comes out 0 is sent as 0xffff.
 *
 * @returns 8, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel udp_set_csum() net/ipv4/udp.c
 */
export function buildUdp(out: Uint8Array, off: number, fields: UdpFields): number {
  const length = needRange(UDP_HLEN + fields.payloadLength, 0xffff, 'the length of a UDP message')
  needRoom(out, off, length, 'a UDP message')
  putUnalignedBe16(needRange(fields.srcPort, 0xffff, 'a port'), out, off)
  putUnalignedBe16(needRange(fields.dstPort, 0xffff, 'a port'), out, off + 2)
  putUnalignedBe16(length, out, off + 4)
  putUnalignedBe16(0, out, off + 6)
  if (fields.pseudo !== undefined) {
    putUnalignedBe16(inetChecksum(out, off, length, fields.pseudo) || 0xffff, out, off + 6)
  }
  return UDP_HLEN
}

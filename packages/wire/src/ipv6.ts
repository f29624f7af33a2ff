import {
  clampEnd,
  getUnalignedBe16,
  getUnalignedBe32,
  needRange,
  needRoom,
  putUnalignedBe16,
  putUnalignedBe32,
} from './bytes.ts'
import { formatIpv6Address, type Ipv6Address, putIpv6 } from './ipv6-address.ts'

/**
 * Bytes in the fixed header.
 *
 * @kernel struct ipv6hdr include/uapi/linux/ipv6.h
 */
export const IPV6_HLEN = 40

/** An IPv6 header, read. */
export interface Ipv6Header {
  readonly trafficClass: number
  readonly flowLabel: number
  /** The protocol inside, or the first extension header. */
  readonly nextHeader: number
  readonly hopLimit: number
  readonly src: string
  readonly dst: string
  readonly payloadOffset: number
  /** Bytes of payload that are there (extension headers count), without Ethernet's padding. */
  readonly payloadLength: number
  /** The header says more than there is. */
  readonly truncated: boolean
}

/**
 * Reads an IPv6 header; null when it is cut short or another version.
 *
 * @kernel ip6_rcv_core() net/ipv6/ip6_input.c
 */
export function parseIpv6(bytes: Uint8Array, off = 0, len = bytes.length - off): Ipv6Header | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < IPV6_HLEN || bytes[off]! >>> 4 !== 6) return null
  const first = getUnalignedBe32(bytes, off)
  const length = getUnalignedBe16(bytes, off + 4)
  const there = end - off - IPV6_HLEN
  return {
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
    nextHeader: bytes[off + 6]!,
    hopLimit: bytes[off + 7]!,
    src: formatIpv6Address(bytes, off + 8),
    dst: formatIpv6Address(bytes, off + 24),
    payloadOffset: off + IPV6_HLEN,
    payloadLength: Math.min(length, there),
    truncated: length > there,
  }
}

/** What an IPv6 header says. */
export interface Ipv6Fields {
  readonly src: Ipv6Address
  readonly dst: Ipv6Address
  readonly nextHeader: number
  readonly payloadLength: number
  readonly trafficClass?: number
  readonly flowLabel?: number
  /** 64 unless given; neighbour discovery needs 255. */
  readonly hopLimit?: number
}

/**
 * Writes an IPv6 header at `off`.
 *
 * @returns 40, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel ip6_xmit() net/ipv6/ip6_output.c
 */
export function buildIpv6(out: Uint8Array, off: number, fields: Ipv6Fields): number {
  needRoom(out, off, IPV6_HLEN, 'an IPv6 header')
  const trafficClass = needRange(fields.trafficClass ?? 0, 0xff, 'a traffic class')
  const flowLabel = needRange(fields.flowLabel ?? 0, 0xfffff, 'a flow label')
  putUnalignedBe32((0x60000000 | (trafficClass << 20) | flowLabel) >>> 0, out, off)
  putUnalignedBe16(needRange(fields.payloadLength, 0xffff, 'the length of an IPv6 payload'), out, off + 4)
  out[off + 6] = needRange(fields.nextHeader, 0xff, 'an IPv6 next header')
  out[off + 7] = needRange(fields.hopLimit ?? 64, 0xff, 'a hop limit')
  putIpv6(fields.src, out, off + 8)
  putIpv6(fields.dst, out, off + 24)
  return IPV6_HLEN
}

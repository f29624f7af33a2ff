import {
  clampEnd,
  getUnalignedBe16,
  getUnalignedBe32,
  needRange,
  needRoom,
  putUnalignedBe16,
  putUnalignedBe32,
} from './bytes.ts'
import { inetChecksum } from './checksum.ts'

/**
 * Bytes before the part of a message that depends on its type.
 *
 * @kernel struct icmphdr include/uapi/linux/icmp.h
 */
export const ICMP_HLEN = 8

/**
 * Message types.
 *
 * @kernel ICMP_* include/uapi/linux/icmp.h
 */
export const IcmpType = {
  ECHOREPLY: 0,
  DEST_UNREACH: 3,
  REDIRECT: 5,
  ECHO: 8,
  TIME_EXCEEDED: 11,
  PARAMETERPROB: 12,
} as const

/** An ICMP or ICMPv6 header, read; both begin alike. */
export interface IcmpHeader {
  readonly type: number
  readonly code: number
  readonly checksum: number
  readonly checksumOk: boolean
  /** The four bytes after the checksum: a gateway, an MTU, a pointer, flags. */
  readonly rest: number
  /** Echo messages: the upper half of `rest`. */
  readonly id: number
  /** Echo messages: the lower half of `rest`. */
  readonly seq: number
  readonly payloadOffset: number
  readonly payloadLength: number
}

/** Reads the header both versions share; `sum` is what the checksum covers beside the message. */
export function readIcmp(bytes: Uint8Array, off: number, len: number, sum: number): IcmpHeader | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < ICMP_HLEN) return null
  return {
    type: bytes[off]!,
    code: bytes[off + 1]!,
    checksum: getUnalignedBe16(bytes, off + 2),
    checksumOk: inetChecksum(bytes, off, end - off, sum) === 0,
    rest: getUnalignedBe32(bytes, off + 4),
    id: getUnalignedBe16(bytes, off + 4),
    seq: getUnalignedBe16(bytes, off + 6),
    payloadOffset: off + ICMP_HLEN,
    payloadLength: end - off - ICMP_HLEN,
  }
}

/**
 * Reads an ICMP message; null when there are fewer than 8 bytes.
 *
 * `checksumOk` means nothing for a fragment or a message cut short.
 *
 * @kernel icmp_rcv() net/ipv4/icmp.c
 */
export function parseIcmp(bytes: Uint8Array, off = 0, len = bytes.length - off): IcmpHeader | null {
  return readIcmp(bytes, off, len, 0)
}

/** What a message says; the checksum is worked out. */
export interface IcmpFields {
  readonly type: number
  readonly code?: number
  /** The four bytes after the checksum, instead of `id` and `seq`. */
  readonly rest?: number
  readonly id?: number
  readonly seq?: number
  /** Bytes after the header; they must stand there already, the checksum covers them. */
  readonly payloadLength: number
}

/** Writes the header both versions share. */
export function writeIcmp(out: Uint8Array, off: number, fields: IcmpFields, sum: number): number {
  needRoom(out, off, ICMP_HLEN + fields.payloadLength, 'an ICMP message')
  out[off] = needRange(fields.type, 0xff, 'an ICMP type')
  out[off + 1] = needRange(fields.code ?? 0, 0xff, 'an ICMP code')
  putUnalignedBe16(0, out, off + 2)
  if (fields.rest === undefined) {
    putUnalignedBe16(needRange(fields.id ?? 0, 0xffff, 'an echo id'), out, off + 4)
    putUnalignedBe16(needRange(fields.seq ?? 0, 0xffff, 'an echo sequence number'), out, off + 6)
  } else {
    putUnalignedBe32(needRange(fields.rest, 0xffffffff, 'the rest of an ICMP header'), out, off + 4)
  }
  putUnalignedBe16(inetChecksum(out, off, ICMP_HLEN + fields.payloadLength, sum), out, off + 2)
  return ICMP_HLEN
}

/**
 * Writes an ICMP header at `off`, in front of its payload, with the checksum of both.
 *
 * @returns 8, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel icmp_push_reply() net/ipv4/icmp.c
 */
export function buildIcmp(out: Uint8Array, off: number, fields: IcmpFields): number {
  return writeIcmp(out, off, fields, 0)
}

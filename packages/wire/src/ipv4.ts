import { clampEnd, getUnalignedBe16, needRange, needRoom, putUnalignedBe16 } from './bytes.ts'
import { inetChecksum } from './checksum.ts'
import { formatIpv4AddressAt, type Ipv4Address, putIpv4 } from './ipv4-address.ts'

/**
 * Bytes in a header without options.
 *
 * @kernel struct iphdr include/uapi/linux/ip.h
 */
export const IPV4_HLEN = 20

/** An IPv4 header, read. */
export interface Ipv4Header {
  /** Bytes in the header, options included: 20 to 60. */
  readonly headerLength: number
  readonly tos: number
  /** Bytes of header and payload, as the header says. */
  readonly totalLength: number
  readonly id: number
  readonly dontFragment: boolean
  readonly moreFragments: boolean
  /** Where this fragment's payload belongs, in bytes. */
  readonly fragmentOffset: number
  readonly ttl: number
  readonly protocol: number
  readonly checksum: number
  readonly checksumOk: boolean
  readonly src: string
  readonly dst: string
  readonly optionsOffset: number
  readonly optionsLength: number
  readonly payloadOffset: number
  /** Bytes of payload that are there, without Ethernet's padding. */
  readonly payloadLength: number
  /** The header says more than there is. */
  readonly truncated: boolean
}

/**
 * Reads an IPv4 header; null when it is cut short, another version, or its lengths make no sense.
 *
 * @kernel ip_rcv_core() net/ipv4/ip_input.c
 */
export function parseIpv4(bytes: Uint8Array, off = 0, len = bytes.length - off): Ipv4Header | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < IPV4_HLEN || bytes[off]! >>> 4 !== 4) return null
  const headerLength = (bytes[off]! & 15) * 4
  const totalLength = getUnalignedBe16(bytes, off + 2)
  if (headerLength < IPV4_HLEN || headerLength > end - off || totalLength < headerLength) return null
  const fragment = getUnalignedBe16(bytes, off + 6)
  return {
    headerLength,
    tos: bytes[off + 1]!,
    totalLength,
    id: getUnalignedBe16(bytes, off + 4),
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
    ttl: bytes[off + 8]!,
    protocol: bytes[off + 9]!,
    checksum: getUnalignedBe16(bytes, off + 10),
    checksumOk: inetChecksum(bytes, off, headerLength) === 0,
    src: formatIpv4AddressAt(bytes, off + 12),
    dst: formatIpv4AddressAt(bytes, off + 16),
    optionsOffset: off + IPV4_HLEN,
    optionsLength: headerLength - IPV4_HLEN,
    payloadOffset: off + headerLength,
    payloadLength: Math.min(off + totalLength, end) - off - headerLength,
    truncated: off + totalLength > end,
  }
}

/** One option: its kind, and where its value is. */
export interface Ipv4Option {
  readonly type: number
  readonly offset: number
  readonly length: number
}

/**
 * Lists the options between the fixed header and the payload, without padding; null when a length makes no sense.
 *
 * @kernel ip_options_compile() net/ipv4/ip_options.c
 */
export function parseIpv4Options(bytes: Uint8Array, off: number, len: number): Ipv4Option[] | null {
  const end = clampEnd(bytes, off, len)
  const options: Ipv4Option[] = []
  for (let at = off; at < end;) {
    const type = bytes[at]!
    if (type === 0) break
    if (type === 1) {
      at++
      continue
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0
    if (length < 2 || at + length > end) return null
    options.push({ type, offset: at + 2, length: length - 2 })
    at += length
  }
  return options
}

/** What an IPv4 header says; the lengths and the checksum are worked out. */
export interface Ipv4Fields {
  readonly src: Ipv4Address
  readonly dst: Ipv4Address
  readonly protocol: number
  readonly payloadLength: number
  readonly tos?: number
  readonly id?: number
  readonly dontFragment?: boolean
  readonly moreFragments?: boolean
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset?: number
  /** 64 unless given. */
  readonly ttl?: number
  /** Raw options; zeros are added up to a multiple of 4 bytes. */
  readonly options?: Uint8Array
}

/**
 * Writes an IPv4 header with its checksum at `off`.
 *
 * @returns the bytes written, 20 to 60.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel ip_build_and_send_pkt() net/ipv4/ip_output.c
 * @rule CSUM-04
 */
export function buildIpv4(out: Uint8Array, off: number, fields: Ipv4Fields): number {
  const options = fields.options
  const optionsLength = options === undefined ? 0 : (options.length + 3) & ~3
  const headerLength = IPV4_HLEN + needRange(optionsLength, 40, 'the length of IPv4 options')
  needRoom(out, off, headerLength, 'an IPv4 header')
  const fragmentOffset = fields.fragmentOffset ?? 0
  if (fragmentOffset % 8 !== 0)
    throw new RangeError(`a fragment begins at a multiple of 8 bytes, not ${fragmentOffset}`)
  out[off] = 0x40 | (headerLength >>> 2)
  out[off + 1] = needRange(fields.tos ?? 0, 0xff, 'a type of service')
  const total = needRange(headerLength + fields.payloadLength, 0xffff, 'the length of an IPv4 packet')
  putUnalignedBe16(total, out, off + 2)
  putUnalignedBe16(needRange(fields.id ?? 0, 0xffff, 'an IPv4 id'), out, off + 4)
  const flags = (fields.dontFragment === true ? 0x4000 : 0) | (fields.moreFragments === true ? 0x2000 : 0)
  putUnalignedBe16(flags | needRange(fragmentOffset / 8, 0x1fff, 'a fragment offset / 8'), out, off + 6)
  out[off + 8] = needRange(fields.ttl ?? 64, 0xff, 'a time to live')
  out[off + 9] = needRange(fields.protocol, 0xff, 'an IP protocol')
  putUnalignedBe16(0, out, off + 10)
  putIpv4(fields.src, out, off + 12)
  putIpv4(fields.dst, out, off + 16)
  for (let i = 0; i < optionsLength; i++) out[off + IPV4_HLEN + i] = options![i] ?? 0
  putUnalignedBe16(inetChecksum(out, off, headerLength), out, off + 10)
  return headerLength
}

import type { FrameInfo } from '@vnet/wire'

/** A packet as a filter sees it. */
export interface FilterPacket {
  readonly bytes: Uint8Array
  /** What it had on the wire. */
  readonly length: number
  readonly info: FrameInfo
  /** It leaves from here. */
  readonly outgoing: boolean
}

/** Says whether a packet is wanted. */
export type FilterTest = (packet: FilterPacket) => boolean

/** Thrown where an expression looks outside of a packet: the packet is not wanted, whatever the rest says. */
export const OUTSIDE = Symbol('outside of the packet')

/** A filter that cannot be understood; the message is what `tcpdump` prints behind its name. */
export class FilterError extends Error {
  /** Nothing more can be said of it than that it is wrong. */
  readonly isSyntax: boolean

  constructor(message?: string) {
    super(message ?? "can't parse filter expression: syntax error")
    this.name = 'FilterError'
    this.isSyntax = message === undefined
  }
}

const AT_ARP = { src: 14, dst: 24 } as const
const AT_IPV4 = { src: 12, dst: 16 } as const
const AT_IPV6 = { src: 8, dst: 24 } as const

/** The bytes of a network address, or null when the packet has none. */
export function addressOf(packet: FilterPacket, which: 'src' | 'dst'): Uint8Array | null {
  const { info, bytes } = packet
  if (info.l3Offset === null) return null
  if (info.l3 === 'ipv4') return slice(bytes, info.l3Offset + AT_IPV4[which], 4)
  if (info.l3 === 'ipv6') return slice(bytes, info.l3Offset + AT_IPV6[which], 16)
  if (info.l3 === 'arp') return slice(bytes, info.l3Offset + AT_ARP[which], 4)
  return null
}

const FRAGMENT = 44
const IPV6_HLEN = 40

/** What an IP packet carries. Of IPv6 only what the fixed header says counts, or a fragment header right behind it. */
export function carriedProtocol({ info, bytes }: FilterPacket): number | null {
  if (info.l3Offset === null || info.l3 !== 'ipv6') return info.protocol
  const next = bytes[info.l3Offset + 6] ?? null
  return next === FRAGMENT ? (bytes[info.l3Offset + IPV6_HLEN] ?? null) : next
}

function slice(bytes: Uint8Array, at: number, length: number): Uint8Array | null {
  return at + length <= bytes.length ? bytes.subarray(at, at + length) : null
}

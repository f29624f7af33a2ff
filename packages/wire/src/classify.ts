import { ETH_HLEN } from './eth.ts'
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 } from './ethertype.ts'
import { IpProto } from './ip-protocol.ts'
import { ipv6ExtHdr, ipv6ExtHdrLength } from './ipv6-extension.ts'

/**
 * What `frameL3` and `frameL4` give: the frame's protocol in small numbers, for counters in arrays.
 *
 * @kernel none
 */
export const FrameClass = {
  OTHER: 0,
  ARP: 1,
  IPV4: 2,
  IPV6: 3,

  /** No IP, or an IP header that is cut short or wrong. */
  L4_NONE: 0,
  L4_ICMP: 1,
  L4_TCP: 2,
  L4_UDP: 3,
  L4_ICMPV6: 4,
  L4_OTHER: 5,
  /** A fragment that is not the first: its ports are elsewhere. */
  L4_FRAGMENT: 6,

  /** Bit of a VLAN tag in what `classify` gives. */
  VLAN: 32,
} as const

/**
 * Every value of `classify` is below this: the size of an array of counters.
 *
 * @kernel none
 */
export const FRAME_CLASSES = 64

/**
 * The names of `frameL3`'s values, by value.
 *
 * @kernel none
 */
export const FRAME_L3_NAMES = ['other', 'arp', 'ipv4', 'ipv6'] as const

/**
 * The names of `frameL4`'s values, by value.
 *
 * @kernel none
 */
export const FRAME_L4_NAMES = ['none', 'icmp', 'tcp', 'udp', 'icmpv6', 'other', 'fragment'] as const

/** At most this many tags or extension headers are passed: a frame can be made of nothing else. */
const MAX_HEADERS = 8

/**
 * Says which protocols a frame carries, as one small number; for per-packet counting.
 *
 * Bits 0-1 are the network protocol (`frameL3`), bits 2-4 the transport (`frameL4`), bit 5 a VLAN tag. Looks
 * through tags; a driver that counts by the outer type alone tests `FrameClass.VLAN`. Allocates nothing.
 *
 * @kernel none
 */
export function classify(bytes: Uint8Array, off: number, len: number): number {
  const end = off + len <= bytes.length ? off + len : bytes.length
  let at = off + ETH_HLEN
  if (!(at <= end)) return FrameClass.OTHER
  let proto = (bytes[at - 2]! << 8) | bytes[at - 1]!
  let vlan = 0
  for (let tags = 0; proto === ETH_P_8021Q || proto === ETH_P_8021AD; tags++) {
    vlan = FrameClass.VLAN
    at += 4
    if (at > end || tags === MAX_HEADERS) return vlan
    proto = (bytes[at - 2]! << 8) | bytes[at - 1]!
  }
  if (proto === ETH_P_IP) return vlan | FrameClass.IPV4 | (ipv4Transport(bytes, at, end) << 2)
  if (proto === ETH_P_IPV6) return vlan | FrameClass.IPV6 | (ipv6Transport(bytes, at, end) << 2)
  return proto === ETH_P_ARP ? vlan | FrameClass.ARP : vlan
}

/**
 * Takes the network protocol out of a class: `FrameClass.OTHER`, `ARP`, `IPV4` or `IPV6`.
 *
 * @kernel none
 */
export function frameL3(frameClass: number): number {
  return frameClass & 3
}

/**
 * Takes the transport protocol out of a class: one of the `FrameClass.L4_…` values.
 *
 * @kernel none
 */
export function frameL4(frameClass: number): number {
  return (frameClass >> 2) & 7
}

function ipv4Transport(bytes: Uint8Array, at: number, end: number): number {
  if (at + 20 > end) return FrameClass.L4_NONE
  const first = bytes[at]!
  if (first >>> 4 !== 4 || (first & 15) < 5) return FrameClass.L4_NONE
  if (((bytes[at + 6]! & 0x1f) | bytes[at + 7]!) !== 0) return FrameClass.L4_FRAGMENT
  return transport(bytes[at + 9]!, FrameClass.L4_ICMP, FrameClass.L4_OTHER)
}

function ipv6Transport(bytes: Uint8Array, at: number, end: number): number {
  if (at + 40 > end || bytes[at]! >>> 4 !== 6) return FrameClass.L4_NONE
  let next = bytes[at + 6]!
  at += 40
  for (let headers = 0; ipv6ExtHdr(next); headers++) {
    if (at + 8 > end || headers === MAX_HEADERS) return FrameClass.L4_OTHER
    if (next === IpProto.FRAGMENT && (bytes[at + 2]! | (bytes[at + 3]! & 0xf8)) !== 0) {
      return FrameClass.L4_FRAGMENT
    }
    const length = ipv6ExtHdrLength(bytes, at, next)
    next = bytes[at]!
    at += length
    if (at > end) return FrameClass.L4_OTHER
  }
  return transport(next, FrameClass.L4_OTHER, FrameClass.L4_ICMPV6)
}

function transport(protocol: number, icmp: number, icmpv6: number): number {
  if (protocol === IpProto.TCP) return FrameClass.L4_TCP
  if (protocol === IpProto.UDP) return FrameClass.L4_UDP
  if (protocol === IpProto.ICMP) return icmp
  return protocol === IpProto.ICMPV6 ? icmpv6 : FrameClass.L4_OTHER
}

import { Iff, PACKET_BROADCAST, PACKET_MULTICAST, type SkBuff, skbPut } from '@vnet/netdev'
import { Icmpv6Type, IpProto, putUnalignedBe32 } from '@vnet/wire'
import { RtnType } from '../types/constants.ts'
import type { FibRoute } from '../types/objects.ts'
import { ipv6DevGetSaddr } from './addr-select.ts'
import { Ipv6AddrType, ipv6AddrAt, ipv6AddrScope, ipv6AddrType } from './address.ts'
import { ipv6SkipExthdr } from './extension.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6ChkAddr } from './addr-lookup.ts'
import { ip6LocalOut } from './output.ts'
import { icmp6Checksum, ip6Alloc, IPV6_HLEN, ip6PushHeader } from './header.ts'
import { ip6PathOf } from './path.ts'
import { IPV6_MIN_MTU } from './route.ts'

/** Codes of errors. @kernel ICMPV6_NOROUTE include/uapi/linux/icmpv6.h */
export const Icmp6Code = {
  NOROUTE: 0,
  ADM_PROHIBITED: 1,
  ADDR_UNREACH: 3,
  PORT_UNREACH: 4,
  EXC_HOPLIMIT: 0,
  EXC_FRAGTIME: 1,
  HDR_FIELD: 0,
  UNK_NEXTHDR: 1,
  UNK_OPTION: 2,
} as const

const ICMP_HLEN = 8
/** Most bytes quoted of the packet at fault. */
const MAX_QUOTED = IPV6_MIN_MTU - IPV6_HLEN - ICMP_HLEN

/**
 * Tells the sender of a packet what went wrong with it. The packet stays the caller's; its IPv6 header is at
 * `networkHeader`.
 *
 * @param info - the MTU, or the byte at fault counted from the IPv6 header
 * @kernel icmp6_send() net/ipv6/icmp.c
 */
export function icmpv6Send(ipv6: Ipv6, skb: SkBuff, type: number, code: number, info: number): void {
  const at = skb.networkHeader
  const { dev } = skb
  if (dev === null || at < skb.head || at + IPV6_HLEN > skb.tail) return
  const offender = ipv6AddrAt(skb.mem, at + 8)
  const dst = ipv6AddrAt(skb.mem, at + 24)
  if (!mayReport(skb, at, offender, dst, type, code)) return
  const idev = ipv6.devs.get(dev) ?? null
  const limited = (dev.flags & Iff.LOOPBACK) === 0 && type !== Icmpv6Type.PKT_TOOBIG
  if (limited && !ipv6.icmpLimit.globalAllow()) return
  const oif = ipv6AddrScope(offender) <= 2 ? dev : null
  const route = ipv6.fib.lookup(ipv6, offender, oif)
  if (route?.oif == null) return
  if (limited && route.type !== RtnType.LOCAL && !ipv6.icmpLimit.hostAllow(offender)) {
    ipv6.incIcmp(idev, 'OutRateLimitHost')
    return
  }
  const src = ipv6ChkAddr(ipv6, dst, dev) ? dst : ipv6DevGetSaddr(ipv6, route.oif, offender)
  if (src !== null) sendError(ipv6, skb, route, { src, dst: offender, type, code, info })
}

/** Whom an error must not be sent to, and for what (RFC 4443, section 2.4). */
function mayReport(
  skb: SkBuff,
  at: number,
  offender: Uint8Array,
  dst: Uint8Array,
  type: number,
  code: number,
): boolean {
  const unknownOption = type === Icmpv6Type.PARAMPROB && code === Icmp6Code.UNK_OPTION
  const group = dst[0] === 0xff || skb.pktType === PACKET_BROADCAST || skb.pktType === PACKET_MULTICAST
  if (group && type !== Icmpv6Type.PKT_TOOBIG && !unknownOption) return false
  const from = ipv6AddrType(offender)
  if (from === Ipv6AddrType.ANY || (from & Ipv6AddrType.MULTICAST) !== 0) return false
  const inner = ipv6SkipExthdr(skb.mem, at + IPV6_HLEN, skb.tail, skb.mem[at + 6]!)
  if (inner === null || inner.laterFragment) return true
  if (inner.protocol !== IpProto.ICMPV6) return true
  // Only information may be answered with an error; a message cut before its type may be anything.
  return (
    inner.offset < skb.tail &&
    (skb.mem[inner.offset]! & 0x80) !== 0 &&
    skb.mem[inner.offset] !== Icmpv6Type.REDIRECT
  )
}

/** An error, and between whom it goes. */
interface ErrorFields {
  readonly src: Uint8Array
  readonly dst: Uint8Array
  readonly type: number
  readonly code: number
  readonly info: number
}

function sendError(ipv6: Ipv6, skb: SkBuff, route: FibRoute, fields: ErrorFields): void {
  const { src, dst, type } = fields
  const at = skb.networkHeader
  const quoted = Math.min(skb.tail - at, MAX_QUOTED)
  const error = ip6Alloc(ipv6, ICMP_HLEN + quoted)
  if (error === null) return
  const to = skbPut(error, ICMP_HLEN + quoted)
  error.mem[to] = type
  error.mem[to + 1] = fields.code
  putUnalignedBe32(fields.info, error.mem, to + 4)
  error.mem.set(skb.mem.subarray(at, at + quoted), to + ICMP_HLEN)
  icmp6Checksum(error, to, src, dst)
  const path = ip6PathOf(ipv6, route, dst)
  ip6PushHeader(error, src, dst, IpProto.ICMPV6, path.hopLimit)
  ipv6.incIcmpOut(ipv6.devs.get(path.dev) ?? null, type)
  ip6LocalOut(ipv6, error, path)
}

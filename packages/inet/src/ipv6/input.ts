import {
  consumeSkb,
  Iff,
  kfreeSkb,
  type NetDevice,
  NET_RX_DROP,
  NET_RX_SUCCESS,
  PACKET_LOOPBACK,
  PACKET_OTHERHOST,
  pskbTrim,
  type SkBuff,
  SkbDropReason,
  skbLinearize,
} from '@vnet/netdev'
import { Icmpv6Type, IpProto } from '@vnet/wire'
import { IfaFlag } from '../types/constants.ts'
import type { RxState } from '../sock/rx-info.ts'
import { Ipv6AddrType, ipv6AddrScope, ipv6AddrType } from './address.ts'
import { ipv6ParseTlv } from './extension.ts'
import { ip6Forward } from './forward.ts'
import { Icmp6Code, icmpv6Send } from './icmp6-send.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { ip6InputFinish } from './input-finish.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6GetIfaddr } from './addr-lookup.ts'
import { udpRcvSegment } from '../ipv4/gso.ts'
import { mcLookup } from './mcast-lookup.ts'
import { IPV6_HLEN } from './header.ts'

/** Counters by the two ECN bits. */
const ECN_COUNTERS = ['InNoECTPkts', 'InECT1Pkts', 'InECT0Pkts', 'InCEPkts'] as const

/**
 * Takes an IPv6 packet from a device; data stands at its header. Softirq context.
 *
 * @kernel ipv6_rcv() net/ipv6/ip6_input.c
 */
export function ipv6Rcv(ipv6: Ipv6, skb: SkBuff, dev: NetDevice<any>): number {
  if (skb.pktType === PACKET_OTHERHOST) {
    kfreeSkb(skb, SkbDropReason.OTHERHOST)
    return NET_RX_DROP
  }
  if (skb.gsoSize !== 0 && skb.mem[skb.data + 6] === IpProto.UDP) return merged(ipv6, skb, dev)
  const idev = ipv6.devs.get(dev) ?? null
  ipv6.inc(idev, 'InReceives')
  ipv6.inc(idev, 'InOctets', skb.len)
  if (idev === null || idev.cnf.disableIpv6 !== 0) return drop(ipv6, idev, skb, 'InDiscards')
  skb.networkHeader = skb.data
  if (!skbLinearize(skb)) return drop(ipv6, idev, skb, 'InDiscards')
  if (!isSane(ipv6, idev, skb)) return drop(ipv6, idev, skb, 'InHdrErrors')
  skb.networkHeader = skb.data
  const length = (skb.mem[skb.data + 4]! << 8) | skb.mem[skb.data + 5]!
  if (length !== 0 || skb.mem[skb.data + 6] !== IpProto.HOPOPTS) {
    if (length + IPV6_HLEN > skb.len) return drop(ipv6, idev, skb, 'InTruncatedPkts')
    if (!pskbTrim(skb, length + IPV6_HLEN)) return drop(ipv6, idev, skb, 'InDiscards')
  }
  const { mem, data } = skb
  if (mem[data + 6] !== IpProto.HOPOPTS) {
    return route(ipv6, idev, skb, mem[data + 6]!, data + IPV6_HLEN, data + 6)
  }
  const next = hopByHop(ipv6, skb)
  if (next === null) return drop(ipv6, idev, skb, 'InHdrErrors')
  return route(ipv6, idev, skb, next.protocol, next.at, next.field)
}

/** Datagrams that were merged on receive, one by one. */
function merged(ipv6: Ipv6, skb: SkBuff, dev: NetDevice<any>): number {
  if (udpRcvSegment(skb, (segment) => void ipv6Rcv(ipv6, segment, dev))) return NET_RX_SUCCESS
  ipv6.inc(ipv6.devs.get(dev) ?? null, 'InDiscards')
  return NET_RX_DROP
}

function drop(ipv6: Ipv6, idev: Inet6Dev | null, skb: SkBuff, counter: Parameters<Ipv6['inc']>[1]): number {
  ipv6.inc(idev, counter)
  kfreeSkb(skb, SkbDropReason.IP_INHDR)
  return NET_RX_DROP
}

/** Version and addresses can be what they are. @kernel ip6_rcv_core() net/ipv6/ip6_input.c */
function isSane(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff): boolean {
  const { mem, data } = skb
  if (skb.len < IPV6_HLEN || mem[data]! >> 4 !== 6) return false
  ipv6.inc(idev, ECN_COUNTERS[(mem[data + 1]! >> 4) & 3]!)
  const isLoopback = (idev.dev.flags & Iff.LOOPBACK) !== 0
  const src = ipv6AddrType(mem, data + 8)
  const dst = ipv6AddrType(mem, data + 24)
  const own = skb.pktType === PACKET_LOOPBACK
  if (((src | dst) & Ipv6AddrType.LOOPBACK) !== 0 && !isLoopback && !own) return false
  if ((src & Ipv6AddrType.MULTICAST) !== 0) return false
  if ((dst & Ipv6AddrType.MULTICAST) === 0) return true
  const scope = mem[data + 25]! & 15
  return scope !== 0 && (scope !== 1 || isLoopback || own)
}

/** What follows the hop-by-hop options. */
interface Next {
  readonly protocol: number
  readonly at: number
  /** Where the protocol's number stands: for the error message. */
  readonly field: number
}

/** @returns null when the options are broken (reported as they ask for) @kernel ipv6_parse_hopopts() net/ipv6/exthdrs.c */
function hopByHop(ipv6: Ipv6, skb: SkBuff): Next | null {
  const { mem, data } = skb
  const at = data + IPV6_HLEN
  if (at + 8 > skb.tail) return null
  const len = (mem[at + 1]! + 1) * 8
  if (at + len > skb.tail) return null
  const verdict = ipv6ParseTlv(mem, at, len, true)
  if (verdict.ok) return { protocol: mem[at]!, at: at + len, field: at }
  if (verdict.report && (verdict.reportMulticast || mem[data + 24] !== 0xff))
    icmpv6Send(ipv6, skb, Icmpv6Type.PARAMPROB, Icmp6Code.UNK_OPTION, verdict.at - data)
  return null
}

/** Ours, a group's we are in, or nobody's here. @kernel ip6_rcv_finish() net/ipv6/ip6_input.c */
function route(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, protocol: number, at: number, field: number): number {
  const info = rxInfo(ipv6, idev, skb)
  if (info === null) return ip6Forward(ipv6, idev, skb)
  if (info.multicast) {
    ipv6.inc(idev, 'InMcastPkts')
    ipv6.inc(idev, 'InMcastOctets', skb.len)
    if (mcLookup(idev, info.dst) === null) {
      ipv6.rxPool.give(info)
      consumeSkb(skb)
      return NET_RX_DROP
    }
  }
  ip6InputFinish(ipv6, idev, skb, info, protocol, at, field)
  ipv6.rxPool.give(info)
  return NET_RX_SUCCESS
}

function rxInfo(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff): RxState | null {
  const { mem, data } = skb
  let { dev } = idev
  const multicast = mem[data + 24] === 0xff
  if (!multicast) {
    const isLoopback = (dev.flags & Iff.LOOPBACK) !== 0
    const oneLink = !isLoopback && ipv6AddrScope(mem, data + 24) <= 2
    const ifp = ipv6GetIfaddr(ipv6, mem, oneLink ? dev : null, true, data + 24)
    if (ifp === null || (ifp.flags & (IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC)) === IfaFlag.TENTATIVE)
      return null
    // A packet to ourselves came through the loopback device: sockets see the address's own.
    if (isLoopback) ({ dev } = ifp)
  }
  const info = ipv6.rxPool.take(dev, mem, data + 8, data + 24)
  info.ttl = mem[data + 7]!
  info.tos = ((mem[data]! & 15) << 4) | (mem[data + 1]! >> 4)
  info.multicast = multicast
  return info
}

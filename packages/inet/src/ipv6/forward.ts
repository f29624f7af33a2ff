import {
  kfreeSkb,
  NET_RX_DROP,
  NET_RX_SUCCESS,
  PACKET_HOST,
  type SkBuff,
  SkbDropReason,
  skbCow,
} from '@vnet/netdev'
import { Icmpv6Type } from '@vnet/wire'
import { RtnType } from '../types/constants.ts'
import { Ipv6AddrType, ipv6AddrType } from './address.ts'
import { Icmp6Code, icmpv6Send } from './icmp6-send.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ipv6 } from './ipv6.ts'
import { ip6FinishOutput } from './output.ts'
import type { Ip6RoutePath } from './path.ts'
import type { Ip6Counter } from './snmp6.ts'

/** RFC 4443: the source's scope ends at this link. @kernel ICMPV6_NOT_NEIGHBOUR include/uapi/linux/icmpv6.h */
const BEYOND_SCOPE = 2

/** A packet for somebody else: a router passes it on, a host drops it. The packet is gone. @kernel ip6_forward() net/ipv6/ip6_output.c */
export function ip6Forward(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff): number {
  const at = skb.data
  const way = ipv6.dst.lookup(ipv6, skb.mem, at + 24, null)
  if (way === null) return noRoute(ipv6, idev, skb)
  const { route } = way
  const own = route.type === RtnType.LOCAL || route.type === RtnType.MULTICAST
  if (idev.cnf.forwarding === 0 || own || skb.pktType !== PACKET_HOST)
    return drop(ipv6, idev, skb, 'InAddrErrors')
  if (route.type !== RtnType.UNICAST) {
    const code = route.type === RtnType.PROHIBIT ? Icmp6Code.ADM_PROHIBITED : Icmp6Code.NOROUTE
    if (route.type !== RtnType.BLACKHOLE) icmpv6Send(ipv6, skb, Icmpv6Type.DEST_UNREACH, code, 0)
    return drop(ipv6, idev, skb, 'InNoRoutes')
  }
  if (skb.mem[at + 7]! <= 1) {
    icmpv6Send(ipv6, skb, Icmpv6Type.TIME_EXCEED, Icmp6Code.EXC_HOPLIMIT, 0)
    return drop(ipv6, idev, skb, 'InHdrErrors')
  }
  const from = ipv6AddrType(skb.mem, at + 8)
  if (from === Ipv6AddrType.ANY || (from & (Ipv6AddrType.MULTICAST | Ipv6AddrType.LOOPBACK)) !== 0)
    return drop(ipv6, idev, skb, 'InAddrErrors')
  if ((from & Ipv6AddrType.LINKLOCAL) !== 0) {
    icmpv6Send(ipv6, skb, Icmpv6Type.DEST_UNREACH, BEYOND_SCOPE, 0)
    return drop(ipv6, idev, skb, 'InAddrErrors')
  }
  return passOn(ipv6, idev, skb, way.path)
}

function passOn(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, path: Ip6RoutePath): number {
  const out = ipv6.devs.get(path.dev)
  if (out === undefined) return drop(ipv6, idev, skb, 'InDiscards')
  if (skb.len > path.mtu) {
    icmpv6Send(ipv6, skb, Icmpv6Type.PKT_TOOBIG, 0, path.mtu)
    ipv6.inc(out, 'FragFails')
    return drop(ipv6, idev, skb, 'InTooBigErrors')
  }
  // Taps may hold the same bytes: the hop limit is written into our own.
  if (!skbCow(skb, path.dev.hardHeaderLen)) return drop(ipv6, idev, skb, 'InDiscards')
  skb.mem[skb.data + 7]!--
  skb.networkHeader = skb.data
  ipv6.inc(out, 'OutForwDatagrams')
  ipv6.inc(out, 'OutOctets', skb.len)
  ip6FinishOutput(ipv6, out, skb, path)
  return NET_RX_SUCCESS
}

function noRoute(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff): number {
  const type = ipv6AddrType(skb.mem, skb.data + 24)
  if (type === Ipv6AddrType.ANY || skb.pktType !== PACKET_HOST) return drop(ipv6, idev, skb, 'InAddrErrors')
  icmpv6Send(ipv6, skb, Icmpv6Type.DEST_UNREACH, Icmp6Code.NOROUTE, 0)
  return drop(ipv6, idev, skb, 'InNoRoutes')
}

function drop(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, counter: Ip6Counter): number {
  ipv6.inc(idev, counter)
  kfreeSkb(skb, SkbDropReason.IP_INADDRERRORS)
  return NET_RX_DROP
}

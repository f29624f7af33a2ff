import { Rtax, RtnType } from '../types/constants.ts'
import type { FibRoute } from '../types/objects.ts'
import { Iff, type NetDevice, netOf } from '@vnet/netdev'
import type { Ipv6 } from './ipv6.ts'
import type { Ip6Path } from './output.ts'

/** A path with the hop limit packets on it get. */
export interface Ip6RoutePath extends Ip6Path {
  readonly hopLimit: number
}

/** How a packet to `dst` goes by a route. @kernel ip6_rt_init_dst() net/ipv6/route.c */
export function ip6PathOf(ipv6: Ipv6, route: FibRoute, dst: Uint8Array): Ip6RoutePath {
  const via = route.oif!
  const own = route.type === RtnType.LOCAL
  const lo = own ? upLoopback(ipv6) : null
  const dev = lo ?? via
  const idev = ipv6.devs.get(via)
  return {
    dev,
    nextHop: route.gateway ?? dst,
    mtu: ip6Mtu(ipv6, route, dev, dst),
    hopLimit: dst[0] === 0xff ? 1 : (route.metrics.get(Rtax.HOPLIMIT) ?? idev?.cnf.hopLimit ?? 64),
    own: own && lo === null && (dev.flags & Iff.LOOPBACK) === 0,
  }
}

/** The loopback device if it is up. @kernel none */
export function upLoopback(ipv6: Ipv6): NetDevice<any> | null {
  const lo = loopbackDev(ipv6)
  return lo !== null && (lo.flags & Iff.UP) !== 0 && ipv6.devs.has(lo) ? lo : null
}

/** The most bytes a packet to `dst` may have: what the path said, the route, the device. @kernel ip6_mtu() net/ipv6/route.c */
export function ip6Mtu(ipv6: Ipv6, route: FibRoute, dev: NetDevice<any>, dst: Uint8Array): number {
  const most = route.metrics.get(Rtax.MTU) ?? ipv6.devs.get(dev)?.cnf.mtu6 ?? dev.mtu
  return Math.min(most, ipv6.pmtu.get(dst) ?? most)
}

/** The loopback device, or null. @kernel struct net include/net/net_namespace.h */
export function loopbackDev(ipv6: Ipv6): NetDevice<any> | null {
  for (const dev of netOf(ipv6.kernel).devByIndex.values()) if ((dev.flags & Iff.LOOPBACK) !== 0) return dev
  return null
}

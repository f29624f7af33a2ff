import { cancelWork, Errno } from '@vnet/kernel'
import { Iff } from '@vnet/netdev'
import { IfaFlag, INFINITY_LIFE_TIME, RtnType, RtProt, RtTable } from '../types/constants.ts'
import type { FibRoute } from '../types/objects.ts'
import { addrconfLeaveSolict } from './addrconf-group.ts'
import { Ipv6AddrType, ipv6AddrPrefix, ipv6AddrType, ipv6PrefixEqual } from './address.ts'
import { type Ifa6Config, Inet6Ifaddr } from './ifaddr.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ipv6 } from './ipv6.ts'
import { fib6Route, IP6_RT_PRIO_ADDRCONF } from './route.ts'

/**
 * Puts an address on a device, still tentative unless it is NODAD. rtnl is held.
 *
 * @throws Errno EADDRNOTAVAIL, ENODEV, EACCES, EEXIST with the kernel's sentences
 * @kernel ipv6_add_addr() net/ipv6/addrconf.c
 */
export function ipv6AddAddr(idev: Inet6Dev, cfg: Ifa6Config): Inet6Ifaddr {
  const { ipv6 } = idev
  checkAddress(idev, cfg)
  if (idev.dead) throw new Errno('ENODEV', 'ipv6: device is going away')
  if (idev.cnf.disableIpv6 !== 0) throw new Errno('EACCES', 'ipv6: IPv6 is disabled on this device')
  const same = ipv6.addrHash.get(cfg.pfx) ?? []
  if (same.some((ifp) => ifp.dev === idev.dev)) throw new Errno('EEXIST', 'ipv6: address already assigned')
  const ifp = new Inet6Ifaddr(idev, cfg)
  if ((cfg.flags & IfaFlag.NODAD) === 0) ifp.flags |= IfaFlag.TENTATIVE
  ifp.rt = localRoute(ifp)
  ipv6.addrHash.set(cfg.pfx, [...same, ifp])
  linkDevAddr(idev, ifp)
  return ifp
}

function checkAddress(idev: Inet6Dev, cfg: Ifa6Config): void {
  const type = ipv6AddrType(cfg.pfx)
  if (type === Ipv6AddrType.ANY) throw new Errno('EADDRNOTAVAIL', 'ipv6: Invalid address')
  if ((type & Ipv6AddrType.MULTICAST) !== 0 && (cfg.flags & IfaFlag.MCAUTOJOIN) === 0)
    throw new Errno('EADDRNOTAVAIL', 'ipv6: Cannot assign multicast address without "IFA_F_MCAUTOJOIN" flag')
  if ((idev.dev.flags & Iff.LOOPBACK) === 0 && (type & Ipv6AddrType.LOOPBACK) !== 0)
    throw new Errno('EADDRNOTAVAIL', 'ipv6: Cannot assign loopback address on this device')
}

/** The list is ordered by scope, the farthest first; in a scope the youngest is first. @kernel ipv6_link_dev_addr() net/ipv6/addrconf.c */
function linkDevAddr(idev: Inet6Dev, ifp: Inet6Ifaddr): void {
  const at = idev.addrList.findIndex((other) => other.scope >= ifp.scope)
  idev.addrList.splice(at < 0 ? idev.addrList.length : at, 0, ifp)
}

/** The route that makes the address ours. @kernel addrconf_f6i_alloc() net/ipv6/route.c */
function localRoute(ifp: Inet6Ifaddr): FibRoute {
  const route = fib6Route({
    family: 10,
    dst: ifp.local,
    dstLen: 128,
    table: RtTable.LOCAL,
    protocol: RtProt.KERNEL,
    type: RtnType.LOCAL,
    oif: ifp.dev,
  })
  return { ...route, priority: 0 }
}

/** From now on the address receives: tells, and puts its route in the table. @kernel ipv6_ifa_notify() net/ipv6/addrconf.c */
export function ipv6IfaUp(ifp: Inet6Ifaddr): void {
  const { ipv6 } = ifp.idev
  ipv6.events.emit('addr', 'new', ifp)
  if (ifp.rt !== null && !ipv6.fib.exact(RtTable.LOCAL, ifp.local, 128).includes(ifp.rt)) {
    ipv6.fib.insert(ipv6, ifp.rt)
  }
  if (ifp.peer !== null) addrconfPrefixRoute(ifp.idev, ifp.address, 128, ifp.rtPriority, 0)
}

/** The address changed: flags or lifetimes. @kernel ipv6_ifa_notify() net/ipv6/addrconf.c */
export function ipv6IfaChanged(ifp: Inet6Ifaddr): void {
  ifp.idev.ipv6.events.emit('addr', 'new', ifp)
}

/** Takes the address off, with its group and its routes. rtnl is held. @kernel ipv6_del_addr() net/ipv6/addrconf.c */
export function ipv6DelAddr(ifp: Inet6Ifaddr): void {
  if (ifp.state === 'dead') return
  const { idev } = ifp
  const { ipv6 } = idev
  ipv6UnlinkAddr(ifp)
  const keep = (ifp.flags & IfaFlag.PERMANENT) === 0 || (ifp.flags & IfaFlag.NOPREFIXROUTE) !== 0
  const cleanup = keep ? null : prefixRouteEnd(ifp)
  ipv6IfaDown(ifp)
  if (cleanup === null) return
  const route = prefixRoute(idev, ifp.local, ifp.prefixlen)
  if (route === null) return
  if (cleanup === 0) ipv6.fib.remove(ipv6, route)
  else ipv6.fib.setExpires(ipv6, route, cleanup)
}

/** Nobody finds the address any more; its timers rest. @kernel addrconf_ifdown() net/ipv6/addrconf.c */
export function ipv6UnlinkAddr(ifp: Inet6Ifaddr): void {
  const { idev } = ifp
  const { addrHash } = idev.ipv6
  ifp.state = 'dead'
  cancelWork(ifp.dadWork)
  const rest = (addrHash.get(ifp.local) ?? []).filter((other) => other !== ifp)
  if (rest.length === 0) addrHash.delete(ifp.local)
  else addrHash.set(ifp.local, rest)
  const at = idev.addrList.indexOf(ifp)
  if (at >= 0) idev.addrList.splice(at, 1)
}

/** Tells that the address is gone, leaves its group, takes its own route out. @kernel __ipv6_ifa_notify() net/ipv6/addrconf.c */
export function ipv6IfaDown(ifp: Inet6Ifaddr): void {
  const { ipv6 } = ifp.idev
  ipv6.events.emit('addr', 'del', ifp)
  addrconfLeaveSolict(ifp)
  if (ifp.peer !== null) {
    const route = prefixRoute(ifp.idev, ifp.address, 128)
    if (route !== null) ipv6.fib.remove(ipv6, route)
  }
  if (ifp.rt !== null) ipv6.fib.remove(ipv6, ifp.rt)
  ifp.rt = null
}

/** When the prefix's route is to end: null leaves it (others need it), 0 is now, else a tick. @kernel check_cleanup_prefix_route() net/ipv6/addrconf.c */
function prefixRouteEnd(ifp: Inet6Ifaddr): number | null {
  let end = 0
  for (const other of ifp.idev.addrList) {
    if (other === ifp || other.prefixlen !== ifp.prefixlen) continue
    if (!ipv6PrefixEqual(other.local, ifp.local, ifp.prefixlen)) continue
    if ((other.flags & (IfaFlag.PERMANENT | IfaFlag.NOPREFIXROUTE)) !== 0) return null
    if (other.validLft === INFINITY_LIFE_TIME) return null
    end = Math.max(end, other.tstampJiffies + other.validLft * ifp.idev.ipv6.kernel.clock.hz)
  }
  return end
}

/** The route to a prefix on the link of a device, or null. @kernel addrconf_get_prefix_route() net/ipv6/addrconf.c */
export function prefixRoute(idev: Inet6Dev, prefix: Uint8Array, len: number): FibRoute | null {
  const { ipv6, dev } = idev
  for (const route of ipv6.fib.exact(RtTable.MAIN, prefix, len)) {
    if (route.oif === dev && route.gateway === null) return route
  }
  return null
}

/** Makes the route to a prefix on the link; nothing while the device is down. @kernel addrconf_prefix_route() net/ipv6/addrconf.c */
export function addrconfPrefixRoute(
  idev: Inet6Dev,
  prefix: Uint8Array,
  len: number,
  metric: number,
  expires: number,
): void {
  const { ipv6, dev } = idev
  if ((dev.flags & Iff.UP) === 0) return
  const priority = metric === 0 ? IP6_RT_PRIO_ADDRCONF : metric
  const known = ipv6.fib
    .exact(RtTable.MAIN, prefix, len)
    .find((route) => route.oif === dev && route.gateway === null && route.priority === priority)
  if (known !== undefined) {
    ipv6.fib.setExpires(ipv6, known, expires)
    return
  }
  ipv6.fib.insert(
    ipv6,
    fib6Route({
      family: 10,
      dst: ipv6AddrPrefix(prefix, len),
      dstLen: len,
      protocol: RtProt.KERNEL,
      priority,
      oif: dev,
      expires,
    }),
  )
}

/** Makes the route to all groups. @kernel addrconf_add_mroute() net/ipv6/addrconf.c */
export function addrconfAddMroute(ipv6: Ipv6, idev: Inet6Dev): void {
  const { dev } = idev
  const dst = new Uint8Array(16)
  dst[0] = 0xff
  if ((dev.flags & Iff.UP) === 0) return
  if (ipv6.fib.exact(RtTable.LOCAL, dst, 8).some((route) => route.oif === dev)) return
  const type = RtnType.MULTICAST
  const priority = IP6_RT_PRIO_ADDRCONF
  const protocol = RtProt.KERNEL
  ipv6.fib.insert(
    ipv6,
    fib6Route({ family: 10, dst, dstLen: 8, table: RtTable.LOCAL, protocol, type, priority, oif: dev }),
  )
}

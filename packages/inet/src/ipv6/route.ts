import { Errno } from '@vnet/kernel'
import { Iff, type NetDevice } from '@vnet/netdev'
import { AF_INET6, RtnType, RtProt, RtTable } from '../types/constants.ts'
import type { FibConfig, FibLookupOptions, FibResult, FibRoute } from '../types/objects.ts'
import { ipv6DevGetSaddr } from './addr-select.ts'
import { Ipv6AddrType, ipv6AddrPrefix, ipv6AddrType } from './address.ts'
import { sameNexthop } from './fib6.ts'
import type { Ipv6 } from './ipv6.ts'
import { ip6Mtu, loopbackDev, upLoopback } from './path.ts'

/** The metric of a route a person makes without one. @kernel IP6_RT_PRIO_USER include/net/ip6_route.h */
export const IP6_RT_PRIO_USER = 1024
/** The metric of a prefix's own route. @kernel IP6_RT_PRIO_ADDRCONF include/net/ip6_route.h */
export const IP6_RT_PRIO_ADDRCONF = 256
/** Every link carries at least this. @kernel IPV6_MIN_MTU include/net/ipv6.h */
export const IPV6_MIN_MTU = 1280

const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const NO_METRICS: ReadonlyMap<number, number> = new Map()

/** A route from its description, with the family's defaults; not checked, not in a table. @kernel ip6_route_info_create() net/ipv6/route.c */
export function fib6Route(config: FibConfig): FibRoute {
  const { table = 0, protocol, priority = 0 } = config
  return {
    family: AF_INET6,
    dst: ipv6AddrPrefix(config.dst, config.dstLen),
    dstLen: config.dstLen,
    tos: 0,
    table: table === 0 ? RtTable.MAIN : table,
    protocol: protocol === undefined || protocol === 0 ? RtProt.BOOT : protocol,
    scope: 0,
    type: config.type ?? RtnType.UNICAST,
    flags: config.flags ?? 0,
    priority: priority === 0 ? IP6_RT_PRIO_USER : priority,
    gateway: config.gateway ?? null,
    oif: config.oif ?? null,
    prefsrc: config.prefsrc ?? null,
    metrics: config.metrics ?? NO_METRICS,
    pref: config.pref ?? 0,
    expires: config.expires ?? 0,
  }
}

/**
 * Makes a route. rtnl is held.
 *
 * @param nlmFlags - `NlmNew` bits; absent: as `ip route add`
 * @throws Errno EINVAL, ENODEV, ENETDOWN, EACCES, EHOSTUNREACH, EEXIST, ENOENT
 * @kernel ip6_route_add() net/ipv6/route.c
 */
export function fib6Add(ipv6: Ipv6, config: FibConfig, nlmFlags = NLM_F_CREATE | NLM_F_EXCL): FibRoute {
  ipv6.kernel.rtnl.assertHeld('fib6Add')
  const route = fib6Route(complete(ipv6, config))
  const there = ipv6.fib.exact(route.table, route.dst, route.dstLen)
  const equal = there.filter((other) => other.priority === route.priority)
  const twin = equal.find((other) => sameNexthop(other, route.oif, route.gateway))
  if ((nlmFlags & NLM_F_EXCL) !== 0 && equal.length > 0) throw new Errno('EEXIST')
  if ((nlmFlags & NLM_F_REPLACE) !== 0) {
    if (equal.length === 0 && (nlmFlags & NLM_F_CREATE) === 0)
      throw new Errno('ENOENT', 'Can not replace route - no match found')
    const old = twin ?? equal[0]
    if (old !== undefined) ipv6.fib.remove(ipv6, old)
  } else if (twin !== undefined) {
    if (twin.expires !== 0) ipv6.fib.setExpires(ipv6, twin, route.expires)
    throw new Errno('EEXIST')
  }
  ipv6.fib.insert(ipv6, route)
  return route
}

/** Checks what a person wrote, and finds the device when only a gateway was given. @kernel fib6_nh_init() net/ipv6/route.c */
function complete(ipv6: Ipv6, config: FibConfig): FibConfig {
  if (config.dstLen > 128) throw new Errno('EINVAL', 'Invalid prefix length')
  const type = config.type ?? RtnType.UNICAST
  if (type > RtnType.THROW) throw new Errno('EINVAL', 'Invalid route type')
  if (type === RtnType.BLACKHOLE || type === RtnType.UNREACHABLE || type === RtnType.PROHIBIT) {
    return { ...config, oif: loopbackDev(ipv6), gateway: null }
  }
  if (type === RtnType.THROW) return { ...config, oif: loopbackDev(ipv6), gateway: null }
  const { gateway = null } = config
  let oif = config.oif ?? null
  if (gateway !== null) oif = checkGateway(ipv6, gateway, oif)
  if (oif === null) throw new Errno('ENODEV', gateway === null ? undefined : 'Egress device not specified')
  const idev = ipv6.devs.get(oif)
  if (idev === undefined) throw new Errno('ENODEV')
  if (idev.cnf.disableIpv6 !== 0) throw new Errno('EACCES', 'IPv6 is disabled on nexthop device')
  if ((oif.flags & Iff.UP) === 0) throw new Errno('ENETDOWN', 'Nexthop device is not up')
  const { prefsrc } = config
  if (prefsrc != null && !ipv6.addrHash.has(prefsrc)) throw new Errno('EINVAL', 'Invalid source address')
  return { ...config, oif }
}

/** A gateway must be reachable on the link. @kernel ip6_validate_gw() net/ipv6/route.c */
function checkGateway(ipv6: Ipv6, gateway: Uint8Array, oif: NetDevice<any> | null): NetDevice<any> {
  const type = ipv6AddrType(gateway)
  if ((type & Ipv6AddrType.UNICAST) === 0) throw new Errno('EINVAL', 'Invalid gateway address')
  if (ipv6.addrHash.get(gateway)?.some((ifp) => oif === null || ifp.dev === oif) === true)
    throw new Errno('EINVAL', 'Gateway can not be a local address')
  if ((type & Ipv6AddrType.LINKLOCAL) !== 0) {
    if (oif === null) throw new Errno('EINVAL', 'Egress device not specified')
    return oif
  }
  const via = ipv6.fib.lookup(ipv6, gateway, oif)
  if (via === null || via.gateway !== null || via.oif === null) throw new Errno('EHOSTUNREACH')
  return via.oif
}

/** Removes the first route that fits. rtnl is held. @throws Errno ESRCH @kernel ip6_route_del() net/ipv6/route.c */
export function fib6Del(ipv6: Ipv6, config: FibConfig): FibRoute {
  ipv6.kernel.rtnl.assertHeld('fib6Del')
  const table = config.table === undefined || config.table === 0 ? RtTable.MAIN : config.table
  for (const route of ipv6.fib.exact(table, config.dst, config.dstLen)) {
    if (config.oif != null && route.oif !== config.oif) continue
    if (config.gateway != null && !sameNexthop(route, route.oif, config.gateway)) continue
    if (config.priority !== undefined && config.priority !== 0 && route.priority !== config.priority) continue
    if (config.protocol !== undefined && config.protocol !== 0 && route.protocol !== config.protocol) continue
    if (config.type !== undefined && config.type !== 0 && route.type !== config.type) continue
    ipv6.fib.remove(ipv6, route)
    return route
  }
  throw new Errno('ESRCH')
}

/** The routes there are, of one table or all. @kernel inet6_dump_fib() net/ipv6/ip6_fib.c */
export function fib6Dump(ipv6: Ipv6, table?: number): readonly FibRoute[] {
  return ipv6.fib.list(table)
}

/**
 * Finds how a packet leaves, and which source it gets.
 *
 * @throws Errno ENETUNREACH; EHOSTUNREACH, EACCES, EINVAL for routes that refuse; EADDRNOTAVAIL without a source
 * @kernel ip6_dst_lookup_flow() net/ipv6/ip6_output.c
 */
export function fib6Lookup(ipv6: Ipv6, dst: Uint8Array, options: FibLookupOptions = {}): FibResult {
  const route = ipv6.fib.lookup(ipv6, dst, options.oif ?? null)
  if (route === null) throw new Errno('ENETUNREACH')
  refuse(route)
  const via = route.oif!
  const dev = route.type === RtnType.LOCAL ? (upLoopback(ipv6) ?? via) : via
  const src = options.src ?? route.prefsrc ?? ipv6DevGetSaddr(ipv6, via, dst)
  if (src === null) throw new Errno('EADDRNOTAVAIL')
  return {
    type: route.type,
    dst,
    src,
    nextHop: route.gateway ?? dst,
    gateway: route.gateway,
    dev,
    mtu: ip6Mtu(ipv6, route, dev, dst),
    route,
  }
}

function refuse(route: FibRoute): void {
  if (route.type === RtnType.UNREACHABLE) throw new Errno('EHOSTUNREACH')
  if (route.type === RtnType.PROHIBIT) throw new Errno('EACCES')
  if (route.type === RtnType.BLACKHOLE) throw new Errno('EINVAL')
  if (route.type === RtnType.THROW || route.oif === null) throw new Errno('ENETUNREACH')
}

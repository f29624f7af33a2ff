import { Iff, type NetDevice } from '@vnet/netdev'
import { ipv4IsLbcast, ipv4IsLoopback, ipv4IsMulticast, ipv4IsZeronet } from '@vnet/wire'
import { ipCheckMc } from '../addr/multicast.ts'
import { inetSelectAddr, ipDevFind, lookupIfaddr } from '../fib/addr-type.ts'
import type { Fib4Route } from '../fib/route.ts'
import { ANY } from '../fib/table.ts'
import { Rtax, RtnType, RtScope } from '../types/constants.ts'
import type { Neighbour } from '../neigh/neighbour.ts'
import type { Ipv4 } from './ipv4.ts'

const ENODEV = -19
const EINVAL = -22
const ENETUNREACH = -101

/** The way out of a packet. @kernel struct rtable include/net/route.h */
export class Rt4 {
  readonly type: number
  readonly dst: number
  readonly src: number
  readonly dev: NetDevice<any>
  /** Whom to ask the link for. */
  readonly nextHop: number
  readonly route: Fib4Route | null
  readonly mtu: number
  /** To ourselves, and there is no loopback device to carry it. */
  readonly direct: boolean
  /** A copy of a multicast or broadcast packet is for us too. */
  readonly loops: boolean
  /** Who was found under `nextHop`; to be looked up again once it is dead. */
  neigh: Neighbour | null = null

  constructor(ipv4: Ipv4, init: RtInit) {
    const { route, dst, dev } = init
    this.type = init.type
    this.dst = dst
    this.src = init.src
    this.dev = dev
    this.route = route
    const gateway = route === null || init.type !== RtnType.UNICAST ? 0 : route.gatewayNr
    this.nextHop = gateway === 0 ? dst : gateway
    this.direct = init.type === RtnType.LOCAL && (dev.flags & Iff.LOOPBACK) === 0
    this.mtu = mtuOf(ipv4, init)
    this.loops = (dev.flags & Iff.LOOPBACK) === 0 && isHeardHere(ipv4, init)
  }
}

interface RtInit {
  readonly type: number
  readonly dst: number
  readonly src: number
  readonly dev: NetDevice<any>
  readonly route: Fib4Route | null
}

/** What a sender wants of the way. @kernel struct flowi4 include/net/flow.h */
export interface RtWish {
  readonly src?: number
  readonly oif?: NetDevice<any> | null
  readonly tos?: number
}

/** True for a way, false for a (negative) errno. @kernel IS_ERR() include/linux/err.h */
export function isRoute(rt: Rt4 | number): rt is Rt4 {
  return typeof rt !== 'number'
}

/** Finds the way out. @returns the way, or a negative errno @kernel ip_route_output_key_hash_rcu() net/ipv4/route.c */
export function ipRouteOutput(ipv4: Ipv4, daddr: number, wish: RtWish): Rt4 | number {
  return find(ipv4, daddr, wish.src ?? 0, wish.oif ?? null, wish.tos ?? 0)
}

/** The same for each packet: what was found lately is found again. @kernel ip_route_output_key() include/net/route.h */
export function ipRouteOutputKey(
  ipv4: Ipv4,
  daddr: number,
  saddr: number,
  oif: NetDevice<any> | null,
  tos: number,
): Rt4 | number {
  const known = ipv4.dst.get(daddr, saddr, oif, tos)
  if (known !== null) return known
  const rt = find(ipv4, daddr, saddr, oif, tos)
  if (isRoute(rt)) ipv4.dst.put(daddr, saddr, oif, tos, rt)
  return rt
}

function find(
  ipv4: Ipv4,
  daddr: number,
  saddr: number,
  device: NetDevice<any> | null,
  tos: number,
): Rt4 | number {
  let src = saddr
  let oif = device
  let dst = daddr
  const group = ipv4IsMulticast(dst) || ipv4IsLbcast(dst)
  if (src !== 0) {
    if (ipv4IsMulticast(src) || ipv4IsLbcast(src) || ipv4IsZeronet(src)) return EINVAL
    const owner = ipDevFind(ipv4, src)
    if (owner === null) return EINVAL
    if (oif === null && group) return make(ipv4, dst, src, owner, RtnType.UNICAST, null)
  }
  if (oif !== null) {
    if (oif.regState !== 'registered') return ENODEV
    if ((oif.flags & Iff.UP) === 0 || ipv4.inDev(oif) === null) return ENETUNREACH
    if (dst >>> 8 === 0xe00000 || ipv4IsLbcast(dst)) {
      if (src === 0) src = inetSelectAddr(ipv4, oif, 0, RtScope.LINK)
      return make(ipv4, dst, src, oif, RtnType.UNICAST, null)
    }
    if (src === 0 && ipv4IsMulticast(dst)) src = inetSelectAddr(ipv4, oif, 0, RtScope.UNIVERSE)
  }
  if (dst === 0) {
    dst = src === 0 ? 0x7f000001 : src
    if (src === 0) src = dst
    oif = null
  }
  const answer = ipv4.fib.lookup(dst, {
    tos,
    scope: RtScope.UNIVERSE,
    oif,
    skipLinkdown: (dev) => ipv4.inDev(dev)?.cnf.ignoreRoutesWithLinkdown ?? false,
  })
  if (answer === null || typeof answer === 'number') return noRoute(ipv4, dst, src, oif, answer)
  if (answer.type === RtnType.LOCAL) return toSelf(ipv4, dst, src, answer)
  if (src === 0) src = prefsrc(ipv4, answer)
  return make(ipv4, dst, src, answer.oif!, answer.type, answer)
}

function noRoute(
  ipv4: Ipv4,
  dst: number,
  src: number,
  oif: NetDevice<any> | null,
  answer: number | null,
): Rt4 | number {
  // One's own address is in the local table under another device.
  const local = ipv4.fib.local.lookup(dst, { tos: 0, scope: 0, oif: null, skipLinkdown: null })
  if (local !== null && typeof local !== 'number' && local.type === RtnType.LOCAL) {
    return toSelf(ipv4, dst, src, local)
  }
  if (oif === null) return answer ?? ENETUNREACH
  // Told a device but no route: the destination is taken to be on its link.
  const from = src === 0 ? inetSelectAddr(ipv4, oif, 0, RtScope.LINK) : src
  return make(ipv4, dst, from, oif, RtnType.UNICAST, null)
}

function toSelf(ipv4: Ipv4, dst: number, src: number, route: Fib4Route): Rt4 | number {
  const from = src !== 0 ? src : route.prefsrcNr !== 0 ? route.prefsrcNr : dst
  return make(ipv4, dst, from, loopbackDev(ipv4) ?? route.oif!, RtnType.LOCAL, route)
}

/** The kernel's loopback device, or null. @kernel net.loopback_dev include/net/net_namespace.h */
export function loopbackDev(ipv4: Ipv4): NetDevice<any> | null {
  for (const dev of ipv4.devices.keys()) if ((dev.flags & Iff.LOOPBACK) !== 0) return dev
  return null
}

/** The source a route prefers, or the best of its device. @kernel fib_result_prefsrc() net/ipv4/fib_semantics.c */
function prefsrc(ipv4: Ipv4, route: Fib4Route): number {
  if (route.prefsrcNr !== 0) return route.prefsrcNr
  return inetSelectAddr(ipv4, route.oif!, route.gatewayNr, route.scope)
}

/** @kernel __mkroute_output() net/ipv4/route.c */
function make(
  ipv4: Ipv4,
  dst: number,
  src: number,
  dev: NetDevice<any>,
  type: number,
  route: Fib4Route | null,
): Rt4 | number {
  if (ipv4IsLoopback(src) && type !== RtnType.LOCAL && (dev.flags & Iff.LOOPBACK) === 0) return EINVAL
  let kind = type
  if (ipv4IsLbcast(dst)) kind = RtnType.BROADCAST
  else if (ipv4IsMulticast(dst)) kind = RtnType.MULTICAST
  else if (ipv4IsZeronet(dst)) return EINVAL
  return new Rt4(ipv4, { type: kind, dst, src, dev, route: kind === RtnType.MULTICAST ? null : route })
}

function mtuOf(ipv4: Ipv4, init: RtInit): number {
  const { route, dev } = init
  const wanted = route?.metrics.get(Rtax.MTU) ?? 0
  // A route's MTU is at most what one IP packet can be; the loopback's own is more.
  const mtu = Math.min(wanted === 0 ? dev.mtu : wanted, 65_535)
  return init.type === RtnType.UNICAST ? ipv4.pathMtu.get(init.dst, mtu) : mtu
}

function isHeardHere(ipv4: Ipv4, init: RtInit): boolean {
  if (init.type === RtnType.BROADCAST) return true
  if (init.type !== RtnType.MULTICAST) return false
  const inDev = ipv4.inDev(init.dev)
  return inDev !== null && ipCheckMc(inDev, init.dst)
}

/** True when an address is one of this machine's. @kernel inet_lookup_ifaddr_rcu() net/ipv4/devinet.c */
export function isOwn(ipv4: Ipv4, address: number): boolean {
  return lookupIfaddr(ipv4, address) !== null
}

/** The way of a packet that is passed on; null: none. @kernel ip_mkroute_input() net/ipv4/route.c */
export function ipRouteForward(ipv4: Ipv4, dst: number): Rt4 | null {
  const known = ipv4.dstForward.get(dst, 0, null, 0)
  if (known !== null) return known
  const answer = ipv4.fib.lookup(dst, ANY)
  if (answer === null || typeof answer === 'number' || answer.oif === null) return null
  const rt = new Rt4(ipv4, { type: answer.type, dst, src: 0, dev: answer.oif, route: answer })
  ipv4.dstForward.put(dst, 0, null, 0, rt)
  return rt
}

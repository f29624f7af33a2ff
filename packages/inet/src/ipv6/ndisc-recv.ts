import { LogLevel, printk } from '@vnet/kernel'
import { formatMac, PACKET_LOOPBACK, type SkBuff } from '@vnet/netdev'
import { formatIpv6Address, Icmpv6Type, ND_OPT_SOURCE_LL_ADDR, ND_OPT_TARGET_LL_ADDR } from '@vnet/wire'
import { neighLookup, neighLookupCreate } from '../neigh/lookup.ts'
import { neighUpdate } from '../neigh/update.ts'
import type { RxInfo } from '../sock/transport.ts'
import { IfaFlag, NeighUpdateFlag as F, Ntf, Nud } from '../types/constants.ts'
import { IN6ADDR_LINKLOCAL_ALLNODES, ipv6AddrAt, ipv6AddrType } from './address.ts'
import { addrconfDadFailure } from './dad.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6GetIfaddr } from './addr-lookup.ts'
import { type NdOptions, ndiscLladdr, ndiscParseOptions } from './ndisc-options.ts'
import { ndiscRouterDiscovery } from './ndisc-router.ts'
import { ND_OPT_NONCE, ndiscSendNa } from './ndisc-send.ts'

const HOP_LIMIT = 255
const ND_HEAD = 24
const RS_HEAD = 8

/** A message of neighbour discovery came; data stands at the ICMP header. The packet stays the caller's. @kernel ndisc_rcv() net/ipv6/ndisc.c */
export function ndiscRcv(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  const { mem, data } = skb
  if (info.ttl !== HOP_LIMIT || mem[data + 1] !== 0) return
  switch (mem[data]) {
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
      recvNs(ipv6, idev, skb, info)
      return
    case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
      recvNa(ipv6, idev, skb, info)
      return
    case Icmpv6Type.ROUTER_SOLICITATION:
      recvRs(ipv6, idev, skb, info)
      return
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      ndiscRouterDiscovery(ipv6, idev, skb, info)
      return
    default:
  }
}

/** True for ff02::1:ff00:0/104. @kernel ipv6_addr_is_solict_mult() include/net/addrconf.h */
function isSolictMult(addr: Uint8Array): boolean {
  if (addr[0] !== 0xff || addr[1] !== 2 || addr[11] !== 1 || addr[12] !== 0xff) return false
  for (let i = 2; i < 11; i++) if (addr[i] !== 0) return false
  return true
}

function recvNs(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  const { mem, data } = skb
  if (skb.len < ND_HEAD || mem[data + 8] === 0xff) return
  const dad = ipv6AddrType(info.src) === 0
  if (dad && !isSolictMult(info.dst)) return
  const options = ndiscParseOptions(mem, data + ND_HEAD, data + skb.len)
  if (options === null) return
  const lladdr = ndiscLladdr(idev, mem, options.get(ND_OPT_SOURCE_LL_ADDR))
  if (lladdr === undefined || (dad && lladdr !== null)) return
  const target = ipv6AddrAt(mem, data + 8)
  const ifp = ipv6GetIfaddr(ipv6, target, idev.dev, true)
  if (ifp === null) return
  if ((ifp.flags & (IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC)) !== 0) {
    if (!dad || isOurNonce(ifp, mem, options)) return
    addrconfDadFailure(skb, ifp)
    return
  }
  answerNs(ipv6, idev, info, target, lladdr, dad)
}

/** The solicitation is our own: the link sends back what we say. */
function isOurNonce(ifp: Inet6Ifaddr, mem: Uint8Array, options: NdOptions): boolean {
  const at = options.get(ND_OPT_NONCE)
  if (at === undefined || mem[at + 1] !== 1) return false
  let nonce = 0
  for (let i = 0; i < 6; i++) nonce = nonce * 256 + mem[at + 2 + i]!
  return nonce !== 0 && nonce === ifp.dadNonce
}

function answerNs(
  ipv6: Ipv6,
  idev: Inet6Dev,
  info: RxInfo,
  target: Uint8Array,
  lladdr: Uint8Array | null,
  dad: boolean,
): void {
  const router = idev.cnf.forwarding !== 0
  if (dad) {
    ndiscSendNa(idev, IN6ADDR_LINKLOCAL_ALLNODES, target, { router, override: true, incOpt: true })
    return
  }
  const { stats } = ipv6.nd
  if (info.multicast) stats.rcvProbesMcast++
  else stats.rcvProbesUcast++
  const make = !info.multicast || lladdr !== null || idev.dev.addrLen === 0
  const neigh = make
    ? neighLookupCreate(ipv6.nd, info.src, idev.dev)
    : neighLookup(ipv6.nd, info.src, idev.dev)
  if (neigh === null) return
  neighUpdate(neigh, lladdr, Nud.STALE, F.WEAK_OVERRIDE | F.OVERRIDE)
  ndiscSendNa(idev, info.src, target, {
    router,
    solicited: true,
    override: info.multicast,
    incOpt: info.multicast,
  })
}

function recvNa(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  const { mem, data } = skb
  if (skb.len < ND_HEAD || mem[data + 8] === 0xff) return
  const bits = mem[data + 4]!
  const router = (bits & 0x80) !== 0
  const solicited = (bits & 0x40) !== 0
  const override = (bits & 0x20) !== 0
  if (info.multicast && solicited) return
  const options = ndiscParseOptions(mem, data + ND_HEAD, data + skb.len)
  if (options === null) return
  const lladdr = ndiscLladdr(idev, mem, options.get(ND_OPT_TARGET_LL_ADDR))
  if (lladdr === undefined) return
  const ifp = ipv6GetIfaddr(ipv6, ipv6AddrAt(mem, data + 8), idev.dev, true)
  if (ifp !== null) {
    ownAdvertised(ipv6, skb, ifp)
    return
  }
  const neigh = neighLookup(ipv6.nd, mem, idev.dev, data + 8)
  if (neigh === null || (neigh.nudState & Nud.FAILED) !== 0) return
  const was = neigh.flags
  neighUpdate(
    neigh,
    lladdr,
    solicited ? Nud.REACHABLE : Nud.STALE,
    F.WEAK_OVERRIDE | (override ? F.OVERRIDE : 0) | F.OVERRIDE_ISROUTER | (router ? F.ISROUTER : 0),
  )
  if ((was & ~neigh.flags & Ntf.ROUTER) !== 0) noRouterAnyMore(ipv6, idev, neigh.primaryKey)
}

/** Somebody says that our address is his. */
function ownAdvertised(ipv6: Ipv6, skb: SkBuff, ifp: Inet6Ifaddr): void {
  if (skb.pktType === PACKET_LOOPBACK) return
  if ((ifp.flags & IfaFlag.TENTATIVE) !== 0) {
    addrconfDadFailure(skb, ifp)
    return
  }
  if (skb.macHeader < 0 || !ipv6.naLimit.allow()) return
  const from = formatMac(skb.mem, skb.macHeader + 6)
  const address = formatIpv6Address(ifp.local)
  printk(
    ipv6.kernel,
    LogLevel.WARNING,
    `ICMPv6: NA: ${from} advertised our address ${address} on ${ifp.dev.name}!`,
  )
}

/** A router became a host: its default routes end. @kernel rt6_clean_tohost() net/ipv6/route.c */
function noRouterAnyMore(ipv6: Ipv6, idev: Inet6Dev, gateway: Uint8Array): void {
  for (const route of ipv6.fib.list()) {
    if (route.oif !== idev.dev || route.gateway === null || route.expires === 0) continue
    if (route.gateway.every((byte, i) => byte === gateway[i])) ipv6.fib.remove(ipv6, route)
  }
}

/** A host looks for routers; only a router learns from it. @kernel ndisc_recv_rs() net/ipv6/ndisc.c */
function recvRs(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  if (skb.len < RS_HEAD || idev.cnf.forwarding === 0 || ipv6AddrType(info.src) === 0) return
  const options = ndiscParseOptions(skb.mem, skb.data + RS_HEAD, skb.data + skb.len)
  if (options === null) return
  const lladdr = ndiscLladdr(idev, skb.mem, options.get(ND_OPT_SOURCE_LL_ADDR))
  if (lladdr === undefined) return
  const neigh = neighLookupCreate(ipv6.nd, info.src, idev.dev)
  if (neigh !== null)
    neighUpdate(neigh, lladdr, Nud.STALE, F.WEAK_OVERRIDE | F.OVERRIDE | F.OVERRIDE_ISROUTER)
}

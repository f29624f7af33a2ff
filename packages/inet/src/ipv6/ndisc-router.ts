import { timerDelete } from '@vnet/kernel'
import type { SkBuff } from '@vnet/netdev'
import { getUnalignedBe16, getUnalignedBe32, ND_OPT_SOURCE_LL_ADDR } from '@vnet/wire'
import { neighLookupCreate } from '../neigh/lookup.ts'
import { neighUpdate } from '../neigh/update.ts'
import type { RxInfo } from '../sock/transport.ts'
import { NeighUpdateFlag as F, Ntf, Nud, Rtax, RtProt, RtTable } from '../types/constants.ts'
import type { FibRoute } from '../types/objects.ts'
import { IN6ADDR_ANY, Ipv6AddrType, ipv6AddrEqual, ipv6AddrType } from './address.ts'
import { type Inet6Dev } from './inet6-dev.ts'
import { Inet6IfFlag } from './if-flag.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6ChkAddr } from './addr-lookup.ts'
import { ndiscLladdr, ndiscOptionsOf, ndiscParseOptions } from './ndisc-options.ts'
import { addrconfPrefixRcv } from './prefix-info.ts'
import { fib6Route, IP6_RT_PRIO_USER, IPV6_MIN_MTU } from './route.ts'
import { ipv6AcceptRa } from './router-solicit.ts'

const RA_HEAD = 16
const ND_OPT_PREFIX_INFO = 3
const ND_OPT_MTU = 5

/** A router says what the link is like; data stands at the ICMP header. @kernel ndisc_router_discovery() net/ipv6/ndisc.c */
export function ndiscRouterDiscovery(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  const { mem, data } = skb
  if ((ipv6AddrType(info.src) & Ipv6AddrType.LINKLOCAL) === 0 || skb.len < RA_HEAD) return
  const end = data + skb.len
  const options = ndiscParseOptions(mem, data + RA_HEAD, end)
  if (options === null) return
  const lladdr = ndiscLladdr(idev, mem, options.get(ND_OPT_SOURCE_LL_ADDR))
  if (lladdr === undefined) return
  const accept = ipv6AcceptRa(idev)
  if (accept) {
    noteFlags(ipv6, idev, mem[data + 5]!)
    defaultRouter(ipv6, idev, mem, data, info.src)
    setTimes(idev, getUnalignedBe32(mem, data + 8), getUnalignedBe32(mem, data + 12))
  }
  const neigh = neighLookupCreate(ipv6.nd, info.src, idev.dev)
  if (neigh !== null)
    neighUpdate(neigh, lladdr, Nud.STALE, F.WEAK_OVERRIDE | F.OVERRIDE | F.OVERRIDE_ISROUTER | F.ISROUTER)
  if (!accept) return
  if (idev.cnf.acceptRaPinfo !== 0) {
    for (const at of ndiscOptionsOf(mem, data + RA_HEAD, end, ND_OPT_PREFIX_INFO))
      addrconfPrefixRcv(idev, mem, at)
  }
  const mtu = options.get(ND_OPT_MTU)
  if (mtu !== undefined && mem[mtu + 1] === 1 && idev.cnf.acceptRaMtu !== 0)
    setMtu(idev, getUnalignedBe32(mem, mtu + 4))
}

function noteFlags(ipv6: Ipv6, idev: Inet6Dev, bits: number): void {
  const before = idev.ifFlags
  if ((idev.ifFlags & Inet6IfFlag.RS_SENT) !== 0) {
    idev.ifFlags |= Inet6IfFlag.RA_RCVD
    timerDelete(idev.rsTimer)
  }
  idev.ifFlags &= ~(Inet6IfFlag.RA_MANAGED | Inet6IfFlag.RA_OTHERCONF)
  if ((bits & 0x80) !== 0) idev.ifFlags |= Inet6IfFlag.RA_MANAGED
  if ((bits & 0x40) !== 0) idev.ifFlags |= Inet6IfFlag.RA_OTHERCONF
  if (before !== idev.ifFlags) ipv6.onIfinfo?.(idev)
}

/** Makes, keeps or ends the default route through the router. */
function defaultRouter(ipv6: Ipv6, idev: Inet6Dev, mem: Uint8Array, at: number, router: Uint8Array): void {
  const hopLimit = mem[at + 4]!
  if (hopLimit !== 0 && hopLimit !== idev.cnf.hopLimit) {
    idev.cnf.hopLimit = hopLimit
    ipv6.inet.rtGenid.bump()
  }
  if (idev.cnf.acceptRaDefrtr === 0 || ipv6ChkAddr(ipv6, router, idev.dev)) return
  const lifetime = getUnalignedBe16(mem, at + 6)
  const said = (mem[at + 5]! >> 3) & 3
  const pref = said === 2 ? 0 : said
  const known = findRouter(ipv6, idev, router)
  const { clock } = ipv6.kernel
  const expires = clock.jiffies + lifetime * clock.hz
  if (known !== null && lifetime !== 0 && known.pref === pref) {
    ipv6.fib.setExpires(ipv6, known, expires)
    return
  }
  if (known !== null) ipv6.fib.remove(ipv6, known)
  if (lifetime === 0 || !ipv6.fib.mayLearn) return
  const neigh = neighLookupCreate(ipv6.nd, router, idev.dev)
  if (neigh === null) return
  neigh.flags |= Ntf.ROUTER
  ipv6.fib.insert(
    ipv6,
    fib6Route({
      family: 10,
      dst: IN6ADDR_ANY,
      dstLen: 0,
      protocol: RtProt.RA,
      priority: IP6_RT_PRIO_USER,
      gateway: router.slice(),
      oif: idev.dev,
      pref,
      expires,
      metrics: new Map(hopLimit === 0 ? [] : [[Rtax.HOPLIMIT, hopLimit]]),
    }),
  )
}

/** The default route a router's advertisement made, or null. @kernel rt6_get_dflt_router() net/ipv6/route.c */
function findRouter(ipv6: Ipv6, idev: Inet6Dev, router: Uint8Array): FibRoute | null {
  for (const route of ipv6.fib.exact(RtTable.MAIN, IN6ADDR_ANY, 0)) {
    if (route.protocol !== RtProt.RA || route.oif !== idev.dev || route.gateway === null) continue
    if (ipv6AddrEqual(route.gateway, router)) return route
  }
  return null
}

/** How long a neighbour counts as reachable, and how fast to ask again; 0: unchanged. */
function setTimes(idev: Inet6Dev, reachable: number, retrans: number): void {
  const most = 3_600_000
  if (retrans !== 0 && retrans < most) idev.ndParms.retransTime = Math.max(retrans, 10)
  if (reachable !== 0 && reachable < most && reachable !== idev.ndParms.baseReachableTime) {
    idev.ndParms.setReachableTime(reachable)
    idev.ndParms.gcStaletime = 3 * reachable
  }
  idev.tstamp = idev.ipv6.kernel.clock.jiffies
}

function setMtu(idev: Inet6Dev, mtu: number): void {
  idev.raMtu = mtu
  if (mtu < IPV6_MIN_MTU || mtu > idev.dev.mtu || mtu === idev.cnf.mtu6) return
  idev.cnf.mtu6 = mtu
  idev.ipv6.inet.rtGenid.bump()
}

import { modTimer, timerDelete, timerPending } from '@vnet/kernel'
import { Iff, type NetDevice, netifCarrierOk } from '@vnet/netdev'
import { Nud, RtnhFlag, RtnType, RtTable } from '../types/constants.ts'
import type { FibRoute } from '../types/objects.ts'
import { neighLookup } from '../neigh/lookup.ts'
import { ipv6AddrEqual, ipv6AddrKey, ipv6PrefixKey } from './address.ts'
import type { Ipv6 } from './ipv6.ts'

/** Routes that routers' advertisements may make, all devices together. */
const MAX_LEARNED = 4096
/** All routes, when routers may add no more. */
const MAX_ROUTES = 65_536

const NONE: readonly FibRoute[] = []

/** Routes of one table, by prefix length and prefix. In a bucket the lower metric comes first. */
class Fib6Table {
  readonly id: number
  /** Longest first. */
  readonly lengths: number[] = []
  readonly #byLength = new Map<number, Map<string, FibRoute[]>>()

  constructor(id: number) {
    this.id = id
  }

  bucket(len: number, dst: Uint8Array): readonly FibRoute[] {
    return this.#byLength.get(len)?.get(ipv6PrefixKey(dst, len)) ?? NONE
  }

  insert(route: FibRoute): void {
    let prefixes = this.#byLength.get(route.dstLen)
    if (prefixes === undefined) {
      prefixes = new Map()
      this.#byLength.set(route.dstLen, prefixes)
      this.lengths.push(route.dstLen)
      this.lengths.sort((a, b) => b - a)
    }
    const key = ipv6AddrKey(route.dst)
    const bucket = prefixes.get(key) ?? []
    prefixes.set(key, bucket)
    const at = bucket.findIndex((other) => other.priority > route.priority)
    bucket.splice(at < 0 ? bucket.length : at, 0, route)
  }

  remove(route: FibRoute): boolean {
    const prefixes = this.#byLength.get(route.dstLen)
    const key = ipv6AddrKey(route.dst)
    const bucket = prefixes?.get(key)
    const at = bucket?.indexOf(route) ?? -1
    if (prefixes === undefined || bucket === undefined || at < 0) return false
    bucket.splice(at, 1)
    if (bucket.length === 0) prefixes.delete(key)
    if (prefixes.size === 0) {
      this.#byLength.delete(route.dstLen)
      this.lengths.splice(this.lengths.indexOf(route.dstLen), 1)
    }
    return true
  }

  /** All routes, in the order of a walk through a tree: by address, the shorter prefix first. */
  list(): FibRoute[] {
    const all: FibRoute[][] = []
    for (const prefixes of this.#byLength.values()) all.push(...prefixes.values())
    all.sort((a, b) => compare(a[0]!, b[0]!))
    return all.flat()
  }
}

function compare(a: FibRoute, b: FibRoute): number {
  for (let i = 0; i < 16; i++) if (a.dst[i] !== b.dst[i]) return a.dst[i]! - b.dst[i]!
  return a.dstLen - b.dstLen
}

/**
 * The routes of IPv6.
 *
 * @kernel struct fib6_table include/net/ip6_fib.h
 */
export class Fib6 {
  readonly #tables = new Map<number, Fib6Table>()
  /** Routes with an end. */
  readonly #mortal = new Set<FibRoute>()
  #count = 0

  #table(id: number): Fib6Table {
    let table = this.#tables.get(id)
    if (table === undefined) this.#tables.set(id, (table = new Fib6Table(id)))
    return table
  }

  /** Puts a route in its table and tells. */
  insert(ipv6: Ipv6, route: FibRoute): void {
    const { oif } = route
    if (oif !== null && route.type !== RtnType.LOCAL && !netifCarrierOk(oif)) route.flags |= RtnhFlag.LINKDOWN
    this.#table(route.table).insert(route)
    ipv6.inet.rtGenid.bump()
    this.#count++
    ipv6.events.emit('route', 'new', route)
    if (route.expires !== 0) this.setExpires(ipv6, route, route.expires)
  }

  /** False when so many routes are there that routers may make no more: one of them may be a liar. @kernel ip6_rt_max_size net/ipv6/route.c */
  get mayLearn(): boolean {
    return this.#mortal.size < MAX_LEARNED && this.#count < MAX_ROUTES
  }

  /** Says when a route ends, in ticks; 0: never. @kernel fib6_set_expires() include/net/ip6_fib.h */
  setExpires(ipv6: Ipv6, route: FibRoute, expires: number): void {
    route.expires = expires
    ipv6.inet.rtGenid.bump()
    if (expires === 0) {
      this.#mortal.delete(route)
      return
    }
    this.#mortal.add(route)
    const { fibTimer } = ipv6
    if (!timerPending(fibTimer) || expires < fibTimer.expires) modTimer(fibTimer, expires)
  }

  /** Takes a route out and tells; false when it was not there. */
  remove(ipv6: Ipv6, route: FibRoute): boolean {
    if (!this.#table(route.table).remove(route)) return false
    ipv6.inet.rtGenid.bump()
    this.#count--
    ipv6.events.emit('route', 'del', route)
    if (this.#mortal.delete(route) && this.#mortal.size === 0) timerDelete(ipv6.fibTimer)
    return true
  }

  /** Routes with exactly this prefix, the lower metric first. */
  exact(table: number, dst: Uint8Array, len: number): readonly FibRoute[] {
    return this.#tables.get(table)?.bucket(len, dst) ?? []
  }

  /** All routes of a table, or of all: local first, then by number. @kernel inet6_dump_fib() net/ipv6/ip6_fib.c */
  list(table?: number): FibRoute[] {
    if (table !== undefined && table !== RtTable.UNSPEC) return this.#tables.get(table)?.list() ?? []
    const ids = [...this.#tables.keys()].sort((a, b) => order(a) - order(b))
    return ids.flatMap((id) => this.#tables.get(id)!.list())
  }

  /**
   * The best route to `dst`: local table, main, default; in a table the longest prefix, then the lowest metric, then
   * the preferred and reachable router.
   *
   * @kernel fib6_table_lookup() net/ipv6/route.c
   */
  lookup(ipv6: Ipv6, dst: Uint8Array, oif: NetDevice<any> | null): FibRoute | null {
    for (const id of [RtTable.LOCAL, RtTable.MAIN, RtTable.DEFAULT]) {
      const table = this.#tables.get(id)
      if (table === undefined) continue
      for (const len of table.lengths) {
        const route = select(ipv6, table.bucket(len, dst), oif)
        if (route !== null) return route
      }
    }
    return null
  }

  /** Removes what goes with a device. @kernel rt6_disable_ip() net/ipv6/route.c */
  flushDev(ipv6: Ipv6, dev: NetDevice<any>): void {
    // The main table goes before the local one, as the monitor of a real kernel shows.
    const doomed = this.list().filter((route) => route.oif === dev)
    doomed.sort((a, b) => a.table - b.table)
    for (const route of doomed) this.remove(ipv6, route)
  }

  /** The carrier of a device came or went: its routes show it. @kernel rt6_sync_down_dev() net/ipv6/route.c */
  syncCarrier(dev: NetDevice<any>): void {
    for (const route of this.list()) {
      if (route.oif !== dev || route.type === RtnType.LOCAL) continue
      if (netifCarrierOk(dev)) route.flags &= ~RtnhFlag.LINKDOWN
      else route.flags |= RtnhFlag.LINKDOWN
    }
  }

  /** Removes routes whose time is over, and comes back for the next. @kernel fib6_run_gc() net/ipv6/ip6_fib.c */
  runGc(ipv6: Ipv6): void {
    const now = ipv6.kernel.clock.jiffies
    let next = Infinity
    for (const route of [...this.#mortal]) {
      if (route.expires <= now) this.remove(ipv6, route)
      else if (route.expires < next) next = route.expires
    }
    if (next !== Infinity) modTimer(ipv6.fibTimer, next)
  }
}

function order(id: number): number {
  return id === RtTable.LOCAL ? -1 : id
}

/** The best of those with the lowest metric that can be used. @kernel rt6_select() net/ipv6/route.c */
function select(ipv6: Ipv6, bucket: readonly FibRoute[], oif: NetDevice<any> | null): FibRoute | null {
  let best: FibRoute | null = null
  let bestScore = -1
  for (const route of bucket) {
    if (best !== null && route.priority !== best.priority && bestScore >= 0) break
    const score = scoreOf(ipv6, route, oif)
    if (score === null) continue
    if (best === null || score > bestScore) {
      best = route
      bestScore = score
    }
  }
  return best
}

/** Null: not usable. Below 0: only when there is no other. @kernel rt6_score_route() net/ipv6/route.c */
function scoreOf(ipv6: Ipv6, route: FibRoute, oif: NetDevice<any> | null): number | null {
  if ((route.flags & RtnhFlag.DEAD) !== 0) return null
  if (route.expires !== 0 && route.expires <= ipv6.kernel.clock.jiffies) return null
  const { oif: dev } = route
  if (dev !== null) {
    if (oif !== null && dev !== oif && !isLocal(route, dev)) return null
    const refuses = route.type >= RtnType.BLACKHOLE
    if ((dev.flags & Iff.UP) === 0 && !refuses) return null
    const idev = ipv6.devs.get(dev)
    if (idev?.cnf.ignoreRoutesWithLinkdown === 1 && !netifCarrierOk(dev)) return null
  }
  const pref = route.pref === 1 ? 3 : route.pref === 3 ? 1 : 2
  if (route.gateway === null || dev === null) return pref
  const neigh = neighLookup(ipv6.nd, route.gateway, dev)
  return neigh !== null && (neigh.nudState & Nud.FAILED) !== 0 ? -1 : pref
}

/** Our own address may be reached whatever device was asked for, unless it means something on one link only. */
function isLocal(route: FibRoute, dev: NetDevice<any>): boolean {
  if (route.type !== RtnType.LOCAL) return false
  return (dev.flags & Iff.LOOPBACK) !== 0 || !(route.dst[0] === 0xfe && (route.dst[1]! & 0xc0) === 0x80)
}

/** True when both lead to the same neighbour on the same device. @kernel rt6_duplicate_nexthop() include/net/ip6_route.h */
export function sameNexthop(a: FibRoute, oif: NetDevice<any> | null, gateway: Uint8Array | null): boolean {
  if (a.oif !== oif || (a.gateway === null) !== (gateway === null)) return false
  return a.gateway === null || gateway === null || ipv6AddrEqual(a.gateway, gateway)
}

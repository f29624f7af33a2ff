import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { RtGenid } from '../genid.ts'
import { NlmNew, RtnhFlag, RtnType, RtScope, RtTable } from '../types/constants.ts'
import { type Fib4Route, sameInfo } from './route.ts'

/** What a lookup asks. @kernel struct flowi4 include/net/flow.h */
export interface Fib4Key {
  readonly tos: number
  /** Routes of a nearer scope only. */
  readonly scope: number
  readonly oif: NetDevice<any> | null
  /** Says whether a route without carrier is passed over; null: never. */
  readonly skipLinkdown: ((dev: NetDevice<any>) => boolean) | null
}

/** Asks for any route. @kernel none */
export const ANY: Fib4Key = { tos: 0, scope: RtScope.UNIVERSE, oif: null, skipLinkdown: null }

/** A lookup met an unreachable, prohibit or blackhole route: it ends there, with this (negative) errno. @kernel fib_props net/ipv4/fib_semantics.c */
export type FibAnswer = Fib4Route | number | null

const EINVAL = -22
const EACCES = -13
const EHOSTUNREACH = -113

/** One routing table: for each prefix length the routes by prefix. @kernel struct fib_table include/net/ip_fib.h */
export class FibTable {
  readonly id: number
  readonly #byLength: (Map<number, Fib4Route[]> | null)[] = new Array<null>(33).fill(null)
  readonly #genid: RtGenid
  size = 0

  constructor(id: number, genid: RtGenid = new RtGenid()) {
    this.id = id
    this.#genid = genid
  }

  /** The routes to a prefix, in the order they are tried. */
  at(dst: number, dstLen: number): readonly Fib4Route[] {
    return this.#byLength[dstLen]?.get(dst) ?? []
  }

  /** Puts a route among those to its prefix, before the one at `index`. */
  insertAt(route: Fib4Route, index: number): void {
    const map = (this.#byLength[route.dstLen] ??= new Map<number, Fib4Route[]>())
    const list = map.get(route.dstNr)
    if (list === undefined) map.set(route.dstNr, [route])
    else list.splice(index, 0, route)
    this.size++
    this.#genid.bump()
  }

  /** Takes a route out. */
  remove(route: Fib4Route): boolean {
    const map = this.#byLength[route.dstLen]
    const list = map?.get(route.dstNr)
    const at = list?.indexOf(route) ?? -1
    if (map == null || list === undefined || at < 0) return false
    list.splice(at, 1)
    if (list.length === 0) map.delete(route.dstNr)
    if (map.size === 0) this.#byLength[route.dstLen] = null
    this.size--
    this.#genid.bump()
    return true
  }

  /** The route for a destination: the longest prefix wins, null: none here. @kernel fib_table_lookup() net/ipv4/fib_trie.c */
  lookup(dst: number, key: Fib4Key): FibAnswer {
    for (let len = 32; len >= 0; len--) {
      const map = this.#byLength[len]
      if (map == null) continue
      const list = map.get(len === 0 ? 0 : ((dst >>> (32 - len)) << (32 - len)) >>> 0)
      if (list === undefined) continue
      for (let i = 0; i < list.length; i++) {
        const answer = consider(list[i]!, key)
        if (answer !== null) return answer
      }
    }
    return null
  }

  /** All routes, by prefix, the longer first where they begin alike. @kernel fib_table_dump() net/ipv4/fib_trie.c */
  list(): Fib4Route[] {
    const lists: Fib4Route[][] = []
    for (const map of this.#byLength) if (map !== null) lists.push(...map.values())
    lists.sort((a, b) => a[0]!.dstNr - b[0]!.dstNr || b[0]!.dstLen - a[0]!.dstLen)
    return lists.flat()
  }
}

function consider(route: Fib4Route, key: Fib4Key): FibAnswer {
  if (route.tos !== 0 && route.tos !== key.tos) return null
  if (route.scope < key.scope) return null
  switch (route.type) {
    case RtnType.BLACKHOLE:
      return EINVAL
    case RtnType.UNREACHABLE:
      return EHOSTUNREACH
    case RtnType.PROHIBIT:
      return EACCES
    case RtnType.THROW:
      return 0
    default:
  }
  if ((route.flags & RtnhFlag.DEAD) !== 0) return null
  if (key.oif !== null && route.oif !== key.oif) return null
  if ((route.flags & RtnhFlag.LINKDOWN) !== 0 && key.skipLinkdown?.(route.oif!) === true) return null
  return route
}

/** The tables of a kernel. @kernel fib_get_table() net/ipv4/fib_frontend.c */
export class FibTables {
  readonly #tables = new Map<number, FibTable>()
  readonly #local: FibTable
  readonly #main: FibTable
  readonly #genid: RtGenid

  constructor(genid: RtGenid = new RtGenid()) {
    this.#genid = genid
    this.#local = this.make(RtTable.LOCAL)
    this.#main = this.make(RtTable.MAIN)
  }

  /** A table, or null. */
  get(id: number): FibTable | null {
    return this.#tables.get(id) ?? null
  }

  /** A table, made if it is not there. @kernel fib_new_table() net/ipv4/fib_frontend.c */
  make(id: number): FibTable {
    const nr = id === RtTable.UNSPEC ? RtTable.MAIN : id
    let table = this.#tables.get(nr)
    if (table === undefined) this.#tables.set(nr, (table = new FibTable(nr, this.#genid)))
    return table
  }

  /** All tables, by number, as a dump shows them. */
  all(): FibTable[] {
    return [...this.#tables.values()].sort((a, b) => (a.id & 255) - (b.id & 255) || a.id - b.id)
  }

  /** Asks local, main and default in turn. @kernel fib_lookup() include/net/ip_fib.h */
  lookup(dst: number, key: Fib4Key): FibAnswer {
    let answer = this.#local.lookup(dst, key)
    if (answer === null || answer === 0) answer = this.#main.lookup(dst, key)
    if (answer === null || answer === 0) {
      answer = this.#tables.get(RtTable.DEFAULT)?.lookup(dst, key) ?? null
    }
    return answer === 0 ? null : answer
  }

  /** The table of local addresses. */
  get local(): FibTable {
    return this.#local
  }
}

/**
 * Puts a route into its table, as `ip route add|append|prepend|change|replace` means it.
 *
 * @returns the route that stands there now
 * @throws Errno EEXIST, ENOENT
 * @kernel fib_table_insert() net/ipv4/fib_trie.c
 */
export function fibTableInsert(
  table: FibTable,
  route: Fib4Route,
  nlmFlags: number,
  removed: (old: Fib4Route) => void,
): Fib4Route {
  const list = table.at(route.dstNr, route.dstLen)
  const first = list.findIndex((other) => !isBefore(other, route))
  const at = first < 0 ? list.length : first
  let end = at
  while (end < list.length && sameKey(list[end]!, route)) end++
  let place = at
  if (end > at) {
    if ((nlmFlags & NlmNew.EXCL) !== 0) throw new Errno('EEXIST')
    const match = list.findIndex((other, i) => i >= at && i < end && sameInfo(other, route))
    if ((nlmFlags & NlmNew.REPLACE) !== 0) return replace(table, route, list[at]!, match - at, removed)
    if (match >= 0) throw new Errno('EEXIST')
    if ((nlmFlags & NlmNew.APPEND) !== 0) place = end
  }
  if ((nlmFlags & NlmNew.CREATE) === 0) throw new Errno('ENOENT')
  table.insertAt(route, place)
  return route
}

function replace(
  table: FibTable,
  route: Fib4Route,
  first: Fib4Route,
  match: number,
  removed: (old: Fib4Route) => void,
): Fib4Route {
  if (match === 0) return first
  if (match > 0) throw new Errno('EEXIST')
  const at = table.at(route.dstNr, route.dstLen).indexOf(first)
  table.remove(first)
  table.insertAt(route, at)
  removed(first)
  return route
}

/** Higher TOS first, then the lower metric. */
function isBefore(other: Fib4Route, route: Fib4Route): boolean {
  return other.tos > route.tos || (other.tos === route.tos && other.priority < route.priority)
}

function sameKey(other: Fib4Route, route: Fib4Route): boolean {
  return other.tos === route.tos && other.priority === route.priority
}

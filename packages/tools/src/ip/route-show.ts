import { IpError } from '@vnet/netdev'
import type { JsonRecord } from '@vnet/netdev'
import { Af, NlmF, Rta, Rtm, RTMSG_LEN } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import {
  bitsOf,
  inPrefix,
  parseInetAddress,
  parsePrefix,
  protoNumber,
  scopeNumber,
  tableNumber,
} from './inet.ts'
import type { InetPrefix } from './inet.ts'
import {
  ROUTE_TYPES,
  routeFields,
  routeJson,
  routeTable,
  routeText,
  RT_TABLE_MAIN,
  RTM_F_CLONED,
} from './route-format.ts'
import type { RouteView } from './route-format.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** Look up by the rules, and tell of an entry of the table as it is. @kernel RTM_F_LOOKUP_TABLE include/uapi/linux/rtnetlink.h */
const RTM_F_LOOKUP_TABLE = 0x1000
const RTM_F_FIB_MATCH = 0x2000

/** Which routes are wanted. @kernel filter none */
export interface RouteFilter {
  /** 0: every table. */
  table: number
  cached: boolean
  oif: number
  proto?: number
  scope?: number
  type?: number
  via?: InetPrefix
  src?: InetPrefix
  /** `root`: inside of it; `match`: it is inside; `exact`: the same. */
  to?: { readonly how: 'root' | 'match' | 'exact'; readonly prefix: InetPrefix }
}

/** The words after `ip route show` and `flush`. @throws IpError */
export function* parseRouteFilter(ip: IpContext, words: Words): Syscalls<RouteFilter> {
  const filter: RouteFilter = { table: RT_TABLE_MAIN, cached: false, oif: 0 }
  while (!words.done) yield* filterWord(ip, filter, words)
  return filter
}

function* filterWord(ip: IpContext, filter: RouteFilter, words: Words): Syscalls<void> {
  const { family } = ip.options
  const word = words.take()
  if (matches(word, 'table')) takeTable(filter, words.take())
  else if (matches(word, 'cached', 'cloned')) filter.cached = true
  else if (word === 'dev' || word === 'oif') filter.oif = yield* ip.indexOf(words.take())
  else if (matches(word, 'protocol')) filter.proto = protoNumber(words.take())
  else if (matches(word, 'scope')) filter.scope = scopeNumber(words.take(), 'invalid "scope"')
  else if (matches(word, 'type')) filter.type = routeType(words.take())
  else if (word === 'via') filter.via = parsePrefix(skipFamily(words), family)
  else if (word === 'src') filter.src = parsePrefix(words.take(), family)
  else filter.to = destination(word === 'to' ? words.take() : word, words, family)
}

function skipFamily(words: Words): string {
  words.accept('inet', 'inet6')
  return words.take()
}

function takeTable(filter: RouteFilter, word: string): void {
  if (word === 'cache') filter.cached = true
  else filter.table = word === 'all' ? 0 : tableNumber(word)
}

/** @throws IpError */
export function routeType(word: string): number {
  const type = ROUTE_TYPES.indexOf(word)
  if (type < 0) throw new IpError(255, `Error: argument "${word}" is wrong: node type value is invalid\n`)
  return type
}

function destination(word: string, words: Words, family: number): RouteFilter['to'] & object {
  if (word === 'root' || word === 'match' || word === 'exact') {
    return { how: word, prefix: parsePrefix(words.take(), family) }
  }
  const prefix = parsePrefix(word, family)
  return { how: 'exact', prefix }
}

function wanted(filter: RouteFilter, reply: NlReply): boolean {
  const tb = reply.attrs(RTMSG_LEN)
  if (((reply.u32(8) & RTM_F_CLONED) !== 0) !== filter.cached) return false
  if (filter.table !== 0 && routeTable(reply, tb) !== filter.table) return false
  if (filter.oif !== 0 && tb.u32(Rta.OIF) !== filter.oif) return false
  if (filter.proto !== undefined && reply.u8(5) !== filter.proto) return false
  if (filter.scope !== undefined && reply.u8(6) !== filter.scope) return false
  if (filter.type !== undefined && reply.u8(7) !== filter.type) return false
  if (filter.via !== undefined && !within(filter.via, reply, tb.binary(Rta.GATEWAY))) return false
  if (filter.src !== undefined && !within(filter.src, reply, tb.binary(Rta.PREFSRC))) return false
  return filter.to === undefined || leadsTo(filter.to, reply, tb.binary(Rta.DST))
}

function within(prefix: InetPrefix, reply: NlReply, bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && inPrefix(prefix, reply.u8(0), bytes)
}

function leadsTo(
  { how, prefix }: RouteFilter['to'] & object,
  reply: NlReply,
  dst: Uint8Array | undefined,
): boolean {
  const family = reply.u8(0)
  const bytes = dst ?? new Uint8Array(bitsOf(family) / 8)
  const length = reply.u8(1)
  if (how === 'match')
    return length <= prefix.length && inPrefix({ ...prefix, bytes, length }, prefix.family, prefix.bytes)
  if (!inPrefix(prefix, family, bytes)) return false
  return how === 'root' ? length >= prefix.length : length === prefix.length
}

/** IPv4 when nobody says otherwise; all families with `table all`. */
function dumpFamily(ip: IpContext, filter: RouteFilter): number {
  if (ip.options.family !== Af.UNSPEC) return ip.options.family
  return filter.to?.prefix.family ?? (filter.table === 0 ? Af.UNSPEC : Af.INET)
}

/** All routes the filter lets through. @throws NlFailure */
export function* dumpRoutes(ip: IpContext, filter: RouteFilter): Syscalls<NlReply[]> {
  const family = dumpFamily(ip, filter)
  const replies = yield* ip.rtnl.dump(Rtm.GETROUTE, (w) => {
    putRtmsg(w, {
      family,
      flags: filter.cached ? RTM_F_CLONED : 0,
      proto: filter.proto ?? 0,
      type: filter.type ?? 0,
    })
    if (filter.table !== 0) w.putU32(Rta.TABLE, filter.table)
    if (filter.oif !== 0) w.putU32(Rta.OIF, filter.oif)
  })
  return replies.filter((reply) => reply.type === Rtm.NEWROUTE && wanted(filter, reply))
}

/** Fields of `struct rtmsg` that are not 0. */
export interface Rtmsg {
  readonly family: number
  readonly dstLen?: number
  readonly srcLen?: number
  readonly tos?: number
  readonly table?: number
  readonly proto?: number
  readonly scope?: number
  readonly type?: number
  readonly flags?: number
}

/** @kernel struct rtmsg include/uapi/linux/rtnetlink.h */
export function putRtmsg(w: NlWriter, m: Rtmsg): void {
  for (const byte of [m.family, m.dstLen, m.srcLen, m.tos, m.table, m.proto, m.scope, m.type]) w.u8(byte ?? 0)
  w.u32(m.flags ?? 0)
}

/** `ip route [show …]`. @throws IpError, NlFailure @kernel iproute_list_flush_or_save() none */
export function* routeShow(ip: IpContext, words: Words): Syscalls<number> {
  const filter = yield* parseRouteFilter(ip, words)
  const view: RouteView = {
    details: ip.options.details > 0,
    noDev: filter.oif !== 0,
    noTable: filter.table !== 0,
    noProto: filter.proto !== undefined,
    noScope: filter.scope !== undefined,
    noGateway: filter.via !== undefined && filter.via.length === bitsOf(filter.via.family),
  }
  yield* printRoutes(ip, yield* dumpRoutes(ip, filter), view)
  return 0
}

/** Prints routes. */
export function* printRoutes(ip: IpContext, replies: readonly NlReply[], view: RouteView): Syscalls<void> {
  const records: JsonRecord[] = []
  for (const reply of replies) {
    const fields = yield* fieldsOf(ip, reply, view)
    if (ip.options.json) records.push(routeJson(fields))
    else ip.out(routeText(fields))
  }
  if (ip.options.json) ip.json(records)
}

/** The parts of a route, with the names of its devices. */
export function* fieldsOf(ip: IpContext, reply: NlReply, view: RouteView) {
  const tb = reply.attrs(RTMSG_LEN)
  const oif = tb.u32(Rta.OIF)
  const iif = tb.u32(Rta.IIF)
  const dev = oif === undefined ? null : yield* ip.nameOf(oif)
  const from = iif === undefined ? null : yield* ip.nameOf(iif)
  return routeFields(reply, view, dev, from, ip.nl)
}

/** `ip route get ADDR`. @throws IpError, NlFailure @kernel iproute_get() none */
export function* routeGet(ip: IpContext, words: Words): Syscalls<number> {
  const ask = yield* parseGet(ip, words)
  const { to } = ask
  if (to === undefined) throw new IpError(1, 'need at least a destination address')
  const reply = yield* ip.rtnl.get(Rtm.GETROUTE, 0, (w) => {
    const flags = RTM_F_LOOKUP_TABLE | (ask.fibMatch ? RTM_F_FIB_MATCH : 0)
    putRtmsg(w, { family: to.family, dstLen: to.length, srcLen: ask.from?.length ?? 0, tos: ask.tos, flags })
    w.putBinary(Rta.DST, to.bytes)
    if (ask.from !== undefined) w.putBinary(Rta.SRC, ask.from.bytes)
    if (ask.oif !== 0) w.putU32(Rta.OIF, ask.oif)
    if (ask.iif !== 0) w.putU32(Rta.IIF, ask.iif)
  })
  yield* printRoutes(ip, [reply], { details: ip.options.details > 0 })
  return 0
}

interface GetAsk {
  to?: InetPrefix
  from?: InetPrefix
  oif: number
  iif: number
  tos: number
  fibMatch: boolean
}

function* parseGet(ip: IpContext, words: Words): Syscalls<GetAsk> {
  const ask: GetAsk = { oif: 0, iif: 0, tos: 0, fibMatch: false }
  while (!words.done) {
    const word = words.take()
    const family = ask.to?.family ?? ip.options.family
    if (word === 'fibmatch') ask.fibMatch = true
    else if (word === 'tos' || matches(word, 'dsfield')) ask.tos = Number(words.take()) & 0xff
    else if (matches(word, 'iif')) ask.iif = yield* ip.indexOf(words.take())
    else if (matches(word, 'oif') || word === 'dev') ask.oif = yield* ip.indexOf(words.take())
    else if (matches(word, 'from')) ask.from = parseInetAddress(words.take(), family)
    else ask.to = parsePrefix(word === 'to' ? words.take() : word, family)
  }
  return ask
}

/** Deletes every route the filter lets through. @throws NlFailure @kernel iproute_flush_cache() none */
export function* routeFlush(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) throw new IpError(1, '"ip route flush" requires arguments.')
  const filter = yield* parseRouteFilter(ip, words)
  for (const reply of yield* dumpRoutes(ip, filter)) {
    yield* ip.rtnl.ask(Rtm.DELROUTE, NlmF.ACK, (w) => w.raw(reply.payload))
  }
  return 0
}

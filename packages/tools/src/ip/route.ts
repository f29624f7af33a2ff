import { IpError } from '@vnet/netdev'
import { Af, NlmF, Rta, Rtm } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { parseInetAddress, parsePrefix, protoNumber, scopeNumber, tableNumber } from './inet.ts'
import type { InetPrefix } from './inet.ts'
import { ROUTE_TYPES, RTN_UNICAST, RTPROT_BOOT, RT_TABLE_MAIN } from './route-format.ts'
import { putRtmsg, routeFlush, routeGet, routeShow, routeType } from './route-show.ts'
import { usage } from './usage.ts'
import { matches, unsigned } from './words.ts'
import type { Words } from './words.ts'

/** `ip route …`. @throws IpError, NlFailure @kernel do_iproute() none */
export function ipRoute(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) return routeShow(ip, words)
  const command = words.take()
  if (matches(command, 'list', 'show', 'lst')) return routeShow(ip, words)
  if (matches(command, 'get')) return routeGet(ip, words)
  if (matches(command, 'add')) return modify(ip, words, Rtm.NEWROUTE, NlmF.CREATE | NlmF.EXCL)
  if (matches(command, 'change') || command === 'chg') return modify(ip, words, Rtm.NEWROUTE, NlmF.REPLACE)
  if (matches(command, 'replace')) return modify(ip, words, Rtm.NEWROUTE, NlmF.CREATE | NlmF.REPLACE)
  if (matches(command, 'prepend')) return modify(ip, words, Rtm.NEWROUTE, NlmF.CREATE)
  if (matches(command, 'append')) return modify(ip, words, Rtm.NEWROUTE, NlmF.CREATE | NlmF.APPEND)
  if (matches(command, 'test')) return modify(ip, words, Rtm.NEWROUTE, NlmF.EXCL)
  if (matches(command, 'delete')) return modify(ip, words, Rtm.DELROUTE, 0)
  if (matches(command, 'flush')) return routeFlush(ip, words)
  if (matches(command, 'help')) throw usage('route')
  throw new IpError(255, `Command "${command}" is unknown, try "ip route help".`)
}

const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RT_SCOPE_HOST = 254
const RT_SCOPE_NOWHERE = 255
const RT_TABLE_LOCAL = 255
const RTNH_F_ONLINK = 4
/** Numbers of metrics by word. @kernel RTAX_MTU include/uapi/linux/rtnetlink.h */
const METRICS: Readonly<Record<string, number>> = {
  mtu: 2,
  window: 3,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  initrwnd: 14,
  quickack: 15,
}

interface RouteChange {
  dst?: InetPrefix
  via?: InetPrefix
  src?: InetPrefix
  oif: number
  type: number
  proto: number
  scope?: number
  table?: number
  metric?: number
  tos: number
  flags: number
  pref?: number
  readonly metrics: (readonly [type: number, value: number])[]
}

function* parse(ip: IpContext, words: Words): Syscalls<RouteChange> {
  const change: RouteChange = { oif: 0, type: RTN_UNICAST, proto: RTPROT_BOOT, tos: 0, flags: 0, metrics: [] }
  while (!words.done) yield* parseWord(ip, change, words.take(), words)
  return change
}

function* parseWord(ip: IpContext, change: RouteChange, word: string, words: Words): Syscalls<void> {
  const family = familyOf(ip, change)
  const metric = METRICS[word]
  if (metric !== undefined) {
    words.accept('lock')
    change.metrics.push([metric, unsigned(words.take(), word)])
  } else if (word === 'src') change.src = parseInetAddress(words.take(), family)
  else if (word === 'via') change.via = takeVia(words, family)
  else if (word === 'dev' || word === 'oif') change.oif = yield* ip.indexOf(words.take())
  else if (['metric', 'priority', 'preference'].includes(word))
    change.metric = unsigned(words.take(), 'metric')
  else if (matches(word, 'protocol')) change.proto = protoNumber(words.take())
  else if (matches(word, 'table')) change.table = tableNumber(words.take())
  else if (matches(word, 'scope')) change.scope = scopeNumber(words.take(), 'invalid "scope" value')
  else if (word === 'onlink') change.flags |= RTNH_F_ONLINK
  else if (word === 'tos' || matches(word, 'dsfield')) change.tos = unsigned(words.take(), 'tos', 255)
  else if (word === 'pref') change.pref = prefOf(words.take())
  else if (ROUTE_TYPES.includes(word) && word !== 'none') change.type = routeType(word)
  else if (change.dst !== undefined && word !== 'to') {
    throw new IpError(255, `Error: either "to" is duplicate, or "${word}" is a garbage.`)
  } else change.dst = parsePrefix(word === 'to' ? words.take() : word, ip.options.family)
}

function takeVia(words: Words, family: number): InetPrefix {
  const other = words.accept('inet6') ? Af.INET6 : words.accept('inet') ? Af.INET : family
  return parseInetAddress(words.take(), other)
}

function prefOf(word: string): number {
  const number = { low: 3, medium: 0, high: 1 }[word]
  if (number === undefined)
    throw new IpError(255, `Error: argument "${word}" is wrong: "pref" value is invalid\n`)
  return number
}

/** `default` says nothing about the family: the gateway does. */
function familyOf(ip: IpContext, change: RouteChange): number {
  if (ip.options.family !== Af.UNSPEC) return ip.options.family
  return change.dst === undefined || change.dst.length === 0 ? Af.UNSPEC : change.dst.family
}

function* modify(ip: IpContext, words: Words, type: number, flags: number): Syscalls<number> {
  const change = yield* parse(ip, words)
  const { via, dst } = change
  const family = via !== undefined && dst?.length === 0 ? via.family : (dst?.family ?? via?.family ?? Af.INET)
  const table = change.table ?? defaultTable(change.type)
  const deleting = type === Rtm.DELROUTE
  yield* ip.rtnl.ask(type, NlmF.ACK | flags, (w) => {
    putRtmsg(w, {
      family,
      dstLen: dst?.length ?? 0,
      tos: change.tos,
      table: table > 255 ? 0 : table,
      proto: deleting && change.proto === RTPROT_BOOT ? 0 : change.proto,
      scope: change.scope ?? defaultScope(change, family, deleting),
      type: deleting && change.type === RTN_UNICAST ? 0 : change.type,
      flags: change.flags,
    })
    putAttrs(w, change, table)
  })
  return 0
}

function putAttrs(w: NlWriter, change: RouteChange, table: number): void {
  const { dst, via, src } = change
  if (dst !== undefined && dst.length > 0) w.putBinary(Rta.DST, dst.bytes)
  if (via !== undefined) {
    if (dst === undefined || dst.length === 0 || via.family === dst.family)
      w.putBinary(Rta.GATEWAY, via.bytes)
    else w.putBinary(Rta.VIA, Uint8Array.of(via.family, 0, ...via.bytes))
  }
  if (src !== undefined) w.putBinary(Rta.PREFSRC, src.bytes)
  if (change.oif !== 0) w.putU32(Rta.OIF, change.oif)
  if (change.metric !== undefined) w.putU32(Rta.PRIORITY, change.metric)
  if (table > 255) w.putU32(Rta.TABLE, table)
  if (change.pref !== undefined) w.putU8(Rta.PREF, change.pref)
  if (change.metrics.length === 0) return
  const at = w.nestStart(Rta.METRICS)
  for (const [type, value] of change.metrics) w.putU32(type, value)
  w.nestEnd(at)
}

const RTN_LOCAL = 2
const RTN_NAT = 10

function isLocal(type: number): boolean {
  return ['local', 'broadcast', 'nat', 'anycast'].includes(ROUTE_TYPES[type] ?? '')
}

function defaultTable(type: number): number {
  return isLocal(type) ? RT_TABLE_LOCAL : RT_TABLE_MAIN
}

/** A route without a gateway reaches as far as the link; one to this machine no farther than it. */
function defaultScope(change: RouteChange, family: number, deleting: boolean): number {
  if (family === Af.INET6) return RT_SCOPE_UNIVERSE
  if (change.type === RTN_LOCAL || change.type === RTN_NAT) return RT_SCOPE_HOST
  if (isLocal(change.type)) return RT_SCOPE_LINK
  if (change.type !== RTN_UNICAST && ROUTE_TYPES[change.type] !== 'none') return RT_SCOPE_UNIVERSE
  if (deleting) return RT_SCOPE_NOWHERE
  return change.via === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
}

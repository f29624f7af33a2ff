import type { JsonRecord, JsonValue } from '@vnet/netdev'
import { Af, Rta, RTMSG_LEN } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { NlReply } from '../nl/message.ts'
import { addressText, bitsOf, familyName, protoName, scopeName, tableName } from './inet.ts'

/** Kinds of routes by number. @kernel RTN_UNICAST include/uapi/linux/rtnetlink.h */
export const ROUTE_TYPES: readonly string[] = [
  'none',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
  'xresolve',
]

export const RTN_UNICAST = 1
export const RTPROT_BOOT = 3
export const RT_TABLE_MAIN = 254
/** The answer of a look-up, not an entry of a table. @kernel RTM_F_CLONED include/uapi/linux/rtnetlink.h */
export const RTM_F_CLONED = 0x200

/** Flags with a word each. @kernel RTNH_F_DEAD include/uapi/linux/rtnetlink.h */
const FLAGS: readonly (readonly [bit: number, word: string])[] = [
  [1, 'dead'],
  [4, 'onlink'],
  [2, 'pervasive'],
  [8, 'offload'],
  [64, 'trap'],
  [0x100, 'notify'],
  [16, 'linkdown'],
  [32, 'unresolved'],
]
const METRICS: readonly (string | undefined)[] = [
  undefined,
  'lock',
  'mtu',
  'window',
  'rtt',
  'rttvar',
  'ssthresh',
  'cwnd',
  'advmss',
  'reordering',
  'hoplimit',
  'initcwnd',
  'features',
  'rto_min',
  'initrwnd',
  'quickack',
]
const PREFS: readonly string[] = ['medium', 'high', '', 'low']

/** What of a route is not printed, since everyone who asked knows it. @kernel filter none */
export interface RouteView {
  readonly details: boolean
  readonly noDev?: boolean
  readonly noTable?: boolean
  readonly noProto?: boolean
  readonly noScope?: boolean
  readonly noGateway?: boolean
  readonly numeric?: boolean
}

/** A part of a route: its key in JSON, its value there, and its text. */
type Field = readonly [key: string, value: JsonValue, text: string]

/** The table a route is in: the attribute when there is one, for numbers past a byte. */
export function routeTable(reply: NlReply, tb: AttrMap): number {
  return tb.u32(Rta.TABLE) ?? reply.u8(4)
}

/** The network a route leads to: an address, a network or `default`. */
function destination(reply: NlReply, tb: AttrMap): string {
  const family = reply.u8(0)
  const length = reply.u8(1)
  const dst = tb.binary(Rta.DST)
  if (dst === undefined) return length === 0 ? 'default' : `0/${length}`
  const text = addressText(family, dst)
  return length === bitsOf(family) ? text : `${text}/${length}`
}

function head(reply: NlReply, tb: AttrMap, view: RouteView): Field[] {
  const fields: Field[] = []
  const type = reply.u8(7)
  if (type !== RTN_UNICAST || view.details) {
    const word = ROUTE_TYPES[type] ?? `${type}`
    fields.push(['type', word, `${word} `])
  }
  const dst = destination(reply, tb)
  fields.push(['dst', dst, `${dst} `])
  const src = tb.binary(Rta.SRC)
  if (src !== undefined) {
    const text = addressText(reply.u8(0), src)
    const full = reply.u8(2) === bitsOf(reply.u8(0)) || reply.u8(2) === 0 ? text : `${text}/${reply.u8(2)}`
    fields.push(['from', full, `from ${full} `])
  } else if (reply.u8(2) !== 0) fields.push(['from', `0/${reply.u8(2)}`, `from 0/${reply.u8(2)} `])
  if (tb.has(Rta.NH_ID)) fields.push(word('nhid', tb.u32(Rta.NH_ID) ?? 0))
  const tos = reply.u8(3)
  if (tos !== 0) fields.push(['tos', `0x${tos.toString(16)}`, `tos 0x${tos.toString(16).padStart(2, '0')} `])
  return fields
}

function word(key: string, value: string | number): Field {
  return [key, value, `${key} ${value} `]
}

function way(reply: NlReply, tb: AttrMap, view: RouteView, dev: string | null): Field[] {
  const fields: Field[] = []
  const family = reply.u8(0)
  const gateway = tb.binary(Rta.GATEWAY)
  if (gateway !== undefined && view.noGateway !== true) {
    const text = addressText(family, gateway)
    fields.push(['gateway', text, `via ${text} `])
  }
  const via = tb.binary(Rta.VIA)
  if (via !== undefined && via.length > 2) {
    const other = via[0]! | (via[1]! << 8)
    const host = addressText(other, via.slice(2))
    fields.push(['via', { family: familyName(other), host }, `via ${familyName(other)} ${host} `])
  }
  if (dev !== null && view.noDev !== true) fields.push(word('dev', dev))
  return fields
}

function place(reply: NlReply, tb: AttrMap, view: RouteView): Field[] {
  const fields: Field[] = []
  const table = routeTable(reply, tb)
  if ((table !== RT_TABLE_MAIN || view.details) && view.noTable !== true)
    fields.push(word('table', tableName(table)))
  if ((reply.u32(8) & RTM_F_CLONED) !== 0) return fields
  const proto = reply.u8(5)
  if ((proto !== RTPROT_BOOT || view.details) && view.noProto !== true) {
    const name = protoName(proto)
    fields.push(['protocol', name, `proto ${name} `])
  }
  const scope = reply.u8(6)
  if ((scope !== 0 || view.details) && view.noScope !== true) fields.push(word('scope', scopeName(scope)))
  return fields
}

function rest(reply: NlReply, tb: AttrMap): Field[] {
  const fields: Field[] = []
  const prefsrc = tb.binary(Rta.PREFSRC)
  if (prefsrc !== undefined) {
    const text = addressText(reply.u8(0), prefsrc)
    fields.push(['prefsrc', text, `src ${text} `])
  }
  const metric = tb.u32(Rta.PRIORITY)
  if (metric !== undefined) fields.push(word('metric', metric))
  const flags = reply.u32(8)
  const words = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
  fields.push(['flags', words, words.map((name) => `${name} `).join('')])
  const uid = tb.u32(Rta.UID)
  if (uid !== undefined) fields.push(word('uid', uid))
  return fields
}

/** What is known about the use of a route: an answer of a look-up has it, and an IPv6 route that will expire. */
function cache(reply: NlReply, tb: AttrMap, nl: string): Field[] {
  const family = reply.u8(0)
  const flags = reply.u32(8)
  const info = tb.binary(Rta.CACHEINFO)
  const view = info === undefined || info.length < 32 ? null : new DataView(info.buffer)
  const expires = view === null ? 0 : Math.trunc(view.getInt32(8, true) / 100)
  const error = view === null ? 0 : view.getUint32(12, true)
  const words: Field[] = []
  if (family === Af.INET && (flags & RTM_F_CLONED) !== 0) {
    const kinds = cacheFlags(flags)
    words.push(['cache', kinds, `${nl}    cache ${kinds.length === 0 ? '' : `<${kinds.join(',')}> `}`])
  }
  if (expires !== 0) words.push(['expires', expires, `expires ${expires}sec `])
  if (error !== 0) words.push(['error', error | 0, `error ${error | 0} `])
  return words
}

/** @kernel RTCF_LOCAL include/uapi/linux/in_route.h */
const CACHE_FLAGS: readonly (readonly [bit: number, word: string])[] = [
  [0x80000000, 'local'],
  [0x40000000, 'reject'],
  [0x20000000, 'mc'],
  [0x10000000, 'brd'],
  [0x08000000, 'dst-nat'],
  [0x04000000, 'src-nat'],
  [0x00040000, 'redirected'],
]

function cacheFlags(flags: number): string[] {
  return CACHE_FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
}

function metrics(tb: AttrMap): Field[] {
  const nest = tb.nest(Rta.METRICS)
  const fields: Field[] = []
  for (const type of nest.types) {
    const value = nest.u32(type)
    const name = METRICS[type] ?? `metric ${type}`
    if (value !== undefined && type > 1) fields.push([name, value, `${name} ${value} `])
  }
  return fields
}

/**
 * The parts of a route in the order they are printed.
 *
 * @param dev - the name of the device it leaves by
 * @kernel print_route() none
 */
export function routeFields(
  reply: NlReply,
  view: RouteView,
  dev: string | null,
  iif: string | null,
  nl: string,
): Field[] {
  const tb = reply.attrs(RTMSG_LEN)
  const fields = [
    ...head(reply, tb, view),
    ...way(reply, tb, view, dev),
    ...place(reply, tb, view),
    ...rest(reply, tb),
    ...cache(reply, tb, nl),
    ...metrics(tb),
  ]
  if (iif !== null) fields.push(word('iif', iif))
  const pref = tb.u8(Rta.PREF)
  if (pref !== undefined) {
    const name = PREFS[pref] ?? `${pref}`
    fields.push(['pref', name, `pref ${name}`])
  }
  return fields
}

/** @kernel print_route() none */
export function routeText(fields: readonly Field[]): string {
  return `${fields.map(([, , text]) => text).join('')}\n`
}

/** @kernel print_route() none */
export function routeJson(fields: readonly Field[]): JsonRecord {
  return Object.fromEntries(fields.map(([key, value]) => [key, value]))
}

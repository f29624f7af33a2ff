import { IpError } from '@vnet/netdev'
import type { JsonRecord, JsonValue } from '@vnet/netdev'
import { Af, Nda, NDMSG_LEN, NlmF, Rtm } from '@vnet/netlink'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { addressText, inPrefix, parseInetAddress, parsePrefix } from './inet.ts'
import type { InetPrefix } from './inet.ts'
import { lladdrText } from './link-parse.ts'
import { dumpLinks } from './link-show.ts'
import { usage } from './usage.ts'
import { lladdr, matches, unsigned } from './words.ts'
import type { Words } from './words.ts'
import { wrongArgument } from './error.ts'

/** @kernel NTF_ROUTER include/uapi/linux/neighbour.h */
const Ntf = { USE: 1, PROXY: 8, EXT_LEARNED: 0x10, OFFLOADED: 0x20, ROUTER: 0x80 } as const

/** States and their names, in the order they are printed. @kernel NUD_INCOMPLETE include/uapi/linux/neighbour.h */
const STATES: readonly (readonly [bit: number, name: string])[] = [
  [0x01, 'INCOMPLETE'],
  [0x02, 'REACHABLE'],
  [0x04, 'STALE'],
  [0x08, 'DELAY'],
  [0x10, 'PROBE'],
  [0x20, 'FAILED'],
  [0x40, 'NOARP'],
  [0x80, 'PERMANENT'],
]
const NUD_NOARP = 0x40
const NUD_PERMANENT = 0x80
const NUD_FAILED = 0x20
/** Entries count in hundredths of a second. */
const USER_HZ = 100

interface NeighFilter {
  dev?: string
  to?: InetPrefix
  state: number
  proxy: boolean
}

/** `ip neigh …`. @throws IpError, NlFailure @kernel do_ipneigh() none */
export function ipNeighbour(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) return show(ip, words)
  const command = words.take()
  if (matches(command, 'add')) return modify(ip, words, Rtm.NEWNEIGH, NlmF.CREATE | NlmF.EXCL)
  if (matches(command, 'change') || command === 'chg') return modify(ip, words, Rtm.NEWNEIGH, NlmF.REPLACE)
  if (matches(command, 'replace')) return modify(ip, words, Rtm.NEWNEIGH, NlmF.CREATE | NlmF.REPLACE)
  if (matches(command, 'delete')) return modify(ip, words, Rtm.DELNEIGH, 0)
  if (matches(command, 'get')) return get(ip, words)
  if (matches(command, 'show', 'lst', 'list')) return show(ip, words)
  if (matches(command, 'flush')) return flush(ip, words)
  if (matches(command, 'help')) throw usage('neighbour')
  throw new IpError(255, `Command "${command}" is unknown, try "ip neigh help".`)
}

function stateOf(word: string): number {
  const known = STATES.find(([, name]) => name.toLowerCase() === word)
  if (known !== undefined) return known[0]
  if (word === 'all') return 0xff
  return word === 'none' ? 0 : unsigned(word, 'nud', 0xff)
}

function parseFilter(ip: IpContext, words: Words, state: number): NeighFilter {
  const filter: NeighFilter = { state, proxy: false }
  let given = 0
  while (!words.done) {
    const word = words.take()
    if (word === 'dev') filter.dev = words.take()
    else if (word === 'nud') given |= stateOf(words.take())
    else if (word === 'unused') continue
    else if (word === 'proxy') filter.proxy = true
    else filter.to = parsePrefix(word === 'to' ? words.take() : word, ip.options.family)
  }
  if (given !== 0) filter.state = given
  return filter
}

function* entries(ip: IpContext, filter: NeighFilter, ifindex: number): Syscalls<NlReply[]> {
  const replies = yield* ip.rtnl.dump(Rtm.GETNEIGH, (w) => {
    w.u32(ip.options.family)
    w.u32(0)
    w.u16(0)
    w.u8(filter.proxy ? Ntf.PROXY : 0)
    w.u8(0)
    if (ifindex !== 0) w.putU32(Nda.IFINDEX, ifindex)
  })
  return replies.filter((reply) => reply.type === Rtm.NEWNEIGH && wanted(ip, filter, reply, ifindex))
}

function wanted(ip: IpContext, filter: NeighFilter, reply: NlReply, ifindex: number): boolean {
  const family = reply.u8(0)
  if (family === Af.BRIDGE) return false
  if (ip.options.family !== Af.UNSPEC && family !== ip.options.family) return false
  if (ifindex !== 0 && reply.s32(4) !== ifindex) return false
  const state = reply.u16(8)
  if (!filter.proxy && state !== 0 && (state & filter.state) === 0) return false
  if (!filter.proxy && state === 0) return false
  const dst = reply.attrs(NDMSG_LEN).binary(Nda.DST)
  return filter.to === undefined || (dst !== undefined && inPrefix(filter.to, family, dst))
}

function* show(ip: IpContext, words: Words): Syscalls<number> {
  const filter = parseFilter(ip, words, 0xff & ~NUD_NOARP)
  yield* dumpLinks(ip, 0)
  const ifindex = filter.dev === undefined ? 0 : yield* ip.indexOf(filter.dev)
  const found = yield* entries(ip, filter, ifindex)
  if (ip.options.json) ip.json(found.map((reply) => neighJson(ip, reply, ifindex !== 0)))
  else for (const reply of found) ip.out(neighText(ip, reply, ifindex !== 0))
  return 0
}

function stateNames(state: number): string[] {
  const names = STATES.filter(([bit]) => (state & bit) !== 0).map(([, name]) => name)
  const rest = state & ~0xff
  return rest === 0 ? names : [...names, rest.toString(16)]
}

/** Use, confirmation and change, in seconds ago; references. */
function cacheOf(reply: NlReply) {
  const bytes = reply.attrs(NDMSG_LEN).binary(Nda.CACHEINFO)
  if (bytes === undefined || bytes.length < 16) return null
  const view = new DataView(bytes.buffer)
  const seconds = (at: number) => Math.trunc(view.getUint32(at, true) / USER_HZ)
  return { confirmed: seconds(0), used: seconds(4), updated: seconds(8), refcnt: view.getUint32(12, true) }
}

/** One entry, as `ip neigh` and `ip monitor` print it. @kernel print_neigh() none */
export function neighText(ip: IpContext, reply: NlReply, noDev: boolean): string {
  const tb = reply.attrs(NDMSG_LEN)
  const dst = tb.binary(Nda.DST)
  let text = dst === undefined ? '' : `${addressText(reply.u8(0), dst)} `
  if (!noDev && reply.s32(4) !== 0) text += `dev ${ip.knownName(reply.s32(4))} `
  if (tb.has(Nda.LLADDR)) text += `lladdr ${lladdrText(tb.binary(Nda.LLADDR))} `
  text += flagNames(reply)
    .map((name) => `${name} `)
    .join('')
  if (ip.options.stats > 0) text += statsText(reply)
  return `${text}${stateNames(reply.u16(8))
    .map((name) => `${name} `)
    .join('')}\n`
}

function flagNames(reply: NlReply): string[] {
  const flags = reply.u8(10)
  const names: readonly (readonly [number, string])[] = [
    [Ntf.ROUTER, 'router'],
    [Ntf.PROXY, 'proxy'],
    [Ntf.EXT_LEARNED, 'extern_learn'],
    [Ntf.OFFLOADED, 'offload'],
  ]
  return names.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
}

function statsText(reply: NlReply): string {
  const cache = cacheOf(reply)
  const probes = reply.attrs(NDMSG_LEN).u32(Nda.PROBES)
  let text = ''
  if (cache !== null) {
    if (cache.refcnt !== 0) text += ` ref ${cache.refcnt}`
    text += ` used ${cache.used}/${cache.confirmed}/${cache.updated}`
  }
  return probes === undefined ? text : `${text}probes ${probes} `
}

function neighJson(ip: IpContext, reply: NlReply, noDev: boolean): JsonRecord {
  const tb = reply.attrs(NDMSG_LEN)
  const fields: Record<string, JsonValue> = {}
  const dst = tb.binary(Nda.DST)
  if (dst !== undefined) fields.dst = addressText(reply.u8(0), dst)
  if (!noDev && reply.s32(4) !== 0) fields.dev = ip.knownName(reply.s32(4))
  if (tb.has(Nda.LLADDR)) fields.lladdr = lladdrText(tb.binary(Nda.LLADDR))
  for (const name of flagNames(reply)) fields[name] = null
  if (ip.options.stats > 0) Object.assign(fields, statsJson(reply))
  fields.state = stateNames(reply.u16(8))
  return fields
}

function statsJson(reply: NlReply): JsonRecord {
  const cache = cacheOf(reply)
  const probes = reply.attrs(NDMSG_LEN).u32(Nda.PROBES)
  return {
    ...(cache === null || cache.refcnt === 0 ? {} : { refcnt: cache.refcnt }),
    ...(cache === null ? {} : { used: cache.used, confirmed: cache.confirmed, updated: cache.updated }),
    ...(probes === undefined ? {} : { probes }),
  }
}

// ── changes

interface NeighChange {
  dst?: InetPrefix
  dev?: string
  address?: Uint8Array
  state: number
  flags: number
  proxy: boolean
}

function parse(ip: IpContext, words: Words): NeighChange {
  const change: NeighChange = { state: NUD_PERMANENT, flags: 0, proxy: false }
  while (!words.done) {
    const word = words.take()
    if (word === 'lladdr') change.address = lladdr(words.take())
    else if (word === 'nud') change.state = nudOf(words.take())
    else if (word === 'dev') change.dev = words.take()
    else if (word === 'router') change.flags |= Ntf.ROUTER
    else if (word === 'use') change.flags |= Ntf.USE
    else if (word === 'extern_learn') change.flags |= Ntf.EXT_LEARNED
    else {
      change.proxy = word === 'proxy'
      const text = word === 'proxy' || word === 'to' ? words.take() : word
      if (change.dst !== undefined)
        throw new IpError(255, `Error: duplicate "address": "${text}" is the second value.`)
      change.dst = parseInetAddress(text, ip.options.family)
    }
  }
  return change
}

function nudOf(word: string): number {
  const known = STATES.find(([, name]) => name.toLowerCase() === word)
  if (known === undefined && !/^\d+$/.test(word)) throw wrongArgument(word, 'nud state is bad')
  return known?.[0] ?? Number(word)
}

function* modify(ip: IpContext, words: Words, type: number, flags: number): Syscalls<number> {
  const change = parse(ip, words)
  if (change.dev === undefined || change.dst === undefined) {
    throw new IpError(255, 'Device and destination are required arguments.')
  }
  yield* dumpLinks(ip, 0)
  const ifindex = yield* ip.indexOf(change.dev)
  const { dst, address } = change
  yield* ip.rtnl.ask(type, NlmF.ACK | flags, (w) => {
    w.u32(dst.family)
    w.u32(ifindex)
    w.u16(change.proxy ? 0 : change.state)
    w.u8(change.flags | (change.proxy ? Ntf.PROXY : 0))
    w.u8(0)
    w.putBinary(Nda.DST, dst.bytes)
    if (address !== undefined) w.putBinary(Nda.LLADDR, address)
  })
  return 0
}

function* get(ip: IpContext, words: Words): Syscalls<number> {
  const change = parse(ip, words)
  if (change.dev === undefined || change.dst === undefined) {
    throw new IpError(255, 'Device and address are required arguments.')
  }
  const { dst } = change
  const ifindex = yield* ip.indexOf(change.dev)
  const reply = yield* ip.rtnl.get(Rtm.GETNEIGH, 0, (w) => {
    w.u32(dst.family)
    w.u32(ifindex)
    w.u16(0)
    w.u8(change.proxy ? Ntf.PROXY : 0)
    w.u8(0)
    w.putBinary(Nda.DST, dst.bytes)
  })
  if (ip.options.json) ip.json([neighJson(ip, reply, false)])
  else ip.out(neighText(ip, reply, false))
  return 0
}

/** Makes entries fail, and then forgets those that had failed before. */
function* flush(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) throw new IpError(255, 'Flush requires arguments.')
  const filter = parseFilter(ip, words, 0xff & ~(NUD_NOARP | NUD_PERMANENT))
  yield* dumpLinks(ip, 0)
  const ifindex = filter.dev === undefined ? 0 : yield* ip.indexOf(filter.dev)
  for (const reply of yield* entries(ip, filter, ifindex)) {
    const dst = reply.attrs(NDMSG_LEN).binary(Nda.DST)
    if (dst === undefined) continue
    yield* ip.rtnl.ask(Rtm.DELNEIGH, NlmF.ACK, (w) => {
      w.u32(reply.u8(0))
      w.u32(reply.u32(4))
      w.u16(NUD_FAILED)
      w.u16(reply.u8(10))
      w.putBinary(Nda.DST, dst)
    })
  }
  return 0
}

import { garbage, Iff, IpError } from '@vnet/netdev'
import { Ifla, IflaInfo, NlmF, Rtm, utf8 } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import { IFINFOMSG, putIfinfo } from './context.ts'
import type { IpContext } from './context.ts'
import { noDevice, wrongArgument } from './error.ts'
import { groupNumber } from './link-show.ts'
import { integer, lladdr, matches, onOff, unsigned } from './words.ts'
import type { Words } from './words.ts'

/** What a line asks for. */
interface LinkChange {
  dev?: string
  /** The name of a link to make, or the new one. */
  name?: string
  flags: number
  mask: number
  address?: Uint8Array
  broadcast?: Uint8Array
  kind?: string
  peer?: string
  link?: string
  master?: string
  index?: number
  /** The other attributes, as they are written. */
  readonly attrs: ((w: NlWriter) => void)[]
}

const SWITCHES: Readonly<Record<string, { readonly flag: number; readonly inverted?: boolean }>> = {
  promisc: { flag: Iff.PROMISC },
  allmulticast: { flag: Iff.ALLMULTI },
  multicast: { flag: Iff.MULTICAST },
  arp: { flag: Iff.NOARP, inverted: true },
  dynamic: { flag: Iff.DYNAMIC },
  trailers: { flag: Iff.NOTRAILERS, inverted: true },
}

const MODES: Readonly<Record<string, number>> = { default: 0, dormant: 1 }
const STATES: readonly string[] = [
  'unknown',
  'notpresent',
  'down',
  'lowerlayerdown',
  'testing',
  'dormant',
  'up',
]

/** Words with one value each. */
const VALUES: Readonly<Record<string, (change: LinkChange, word: string, value: string) => void>> = {
  name: (c, _w, value) => void (c.name = ifname(value)),
  address: (c, _w, value) => void (c.address = lladdr(value)),
  broadcast: (c, _w, value) => void (c.broadcast = lladdr(value)),
  brd: (c, _w, value) => void (c.broadcast = lladdr(value)),
  mtu: (c, word, value) => number(c, Ifla.MTU, integer(value, word)),
  alias: (c, _w, value) => void c.attrs.push((w) => w.putBinary(Ifla.IFALIAS, utf8(value))),
  group: (c, _w, value) => number(c, Ifla.GROUP, groupNumber(value)),
  carrier: (c, word, value) => byte(c, Ifla.CARRIER, onOff(word, value) ? 1 : 0),
  protodown: (c, word, value) => byte(c, Ifla.PROTO_DOWN, onOff(word, value) ? 1 : 0),
  mode: (c, _w, value) => byte(c, Ifla.LINKMODE, choice(Object.keys(MODES), value, 'Invalid link mode')),
  state: (c, _w, value) => byte(c, Ifla.OPERSTATE, choice(STATES, value, 'Invalid operstate')),
  numtxqueues: (c, word, value) => number(c, Ifla.NUM_TX_QUEUES, unsigned(value, word)),
  numrxqueues: (c, word, value) => number(c, Ifla.NUM_RX_QUEUES, unsigned(value, word)),
  gso_max_size: (c, word, value) => number(c, Ifla.GSO_MAX_SIZE, unsigned(value, word)),
  gso_max_segs: (c, word, value) => number(c, Ifla.GSO_MAX_SEGS, unsigned(value, word)),
  gro_max_size: (c, word, value) => number(c, Ifla.GRO_MAX_SIZE, unsigned(value, word)),
  master: (c, _w, value) => void (c.master = value),
  link: (c, _w, value) => void (c.link = value),
  index: (c, word, value) => void (c.index = unsigned(value, word)),
  txqueuelen: queueLength,
  txqlen: queueLength,
  qlen: queueLength,
}

function queueLength(change: LinkChange, _word: string, value: string): void {
  number(change, Ifla.TXQLEN, integer(value, 'txqueuelen'))
}

function number(change: LinkChange, type: number, value: number): void {
  change.attrs.push((w) => w.putU32(type, value))
}

function byte(change: LinkChange, type: number, value: number): void {
  change.attrs.push((w) => w.putU8(type, value))
}

function choice(names: readonly string[], word: string, why: string): number {
  const index = names.indexOf(word.toLowerCase())
  if (index < 0) throw wrongArgument(word, why)
  return index
}

/** @throws IpError for what no device can be called @kernel check_ifname() none */
function ifname(word: string): string {
  if (word === '' || word.length > 15 || /[\s/]/.test(word)) {
    throw wrongArgument(word, '"name" not a valid ifname')
  }
  return word
}

function parse(words: Words): LinkChange {
  const change: LinkChange = { flags: 0, mask: 0, attrs: [] }
  while (!words.done) parseWord(change, words.take(), words)
  return change
}

function parseWord(change: LinkChange, word: string, words: Words): void {
  const option = SWITCHES[word]
  const value = VALUES[word]
  if (option !== undefined)
    setFlag(change, option.flag, onOff(word, words.take()) !== (option.inverted === true))
  else if (word === 'up' || word === 'down') setFlag(change, Iff.UP, word === 'up')
  else if (word === 'nomaster') number(change, Ifla.MASTER, 0)
  else if (word === 'type') parseKind(change, words)
  else if (value !== undefined) value(change, word, words.take())
  else setDev(change, word === 'dev' ? words.take() : word)
}

function parseKind(change: LinkChange, words: Words): void {
  change.kind = words.take()
  while (!words.done) {
    const word = words.take()
    if (change.kind !== 'veth' || word !== 'peer') {
      throw new IpError(255, `Garbage instead of arguments "${word} ...". Try "ip link help".`)
    }
    words.accept('name')
    change.peer = ifname(words.take())
  }
}

function setDev(change: LinkChange, word: string): void {
  if (change.dev !== undefined) throw new IpError(255, garbage(word))
  change.dev = ifname(word)
}

function setFlag(change: LinkChange, flag: number, on: boolean): void {
  change.mask |= flag
  change.flags = on ? change.flags | flag : change.flags & ~flag
}

/** `ip link set`. @throws IpError, NlFailure @kernel iplink_modify() none */
export function* linkSet(ip: IpContext, words: Words): Syscalls<number> {
  const change = parse(words)
  if (change.dev === undefined)
    throw new IpError(255, 'Not enough of information: "dev" argument is required.')
  const { dev } = change
  const index = yield* ip.indexOf(dev)
  const master = change.master === undefined ? null : yield* ip.indexOf(change.master)
  if (change.address !== undefined) yield* checkAddress(ip, index, change.address)
  yield* ip.rtnl.ask(Rtm.NEWLINK, NlmF.ACK, (w) => {
    putIfinfo(w, { index, flags: change.flags, change: change.mask })
    putChange(w, change)
    if (change.name !== undefined) w.putString(Ifla.IFNAME, change.name)
    if (master !== null) w.putU32(Ifla.MASTER, master)
  })
  return 0
}

function putChange(w: NlWriter, change: LinkChange): void {
  if (change.address !== undefined) w.putBinary(Ifla.ADDRESS, change.address)
  if (change.broadcast !== undefined) w.putBinary(Ifla.BROADCAST, change.broadcast)
  for (const put of change.attrs) put(w)
}

/** The device tells how long its addresses are. */
function* checkAddress(ip: IpContext, index: number, address: Uint8Array): Syscalls<void> {
  const reply = yield* ip.rtnl.get(Rtm.GETLINK, 0, (w) => putIfinfo(w, { index }))
  const wanted = reply.attrs(IFINFOMSG).length(Ifla.ADDRESS)
  if (wanted > 0 && wanted !== address.length) {
    throw new IpError(1, `Invalid address length ${address.length} - must be ${wanted} bytes`)
  }
}

/** `ip link add`. @throws IpError, NlFailure @kernel iplink_modify() none */
export function* linkAdd(ip: IpContext, words: Words, flags: number): Syscalls<number> {
  const change = parse(words)
  const name = change.name ?? change.dev
  if (change.kind === undefined) throw new IpError(255, 'Not enough information: "type" argument is required')
  const { kind } = change
  const below = change.link === undefined ? null : yield* ip.indexOf(change.link)
  yield* ip.rtnl.ask(Rtm.NEWLINK, NlmF.ACK | flags, (w) => {
    putIfinfo(w, { index: change.index ?? 0, flags: change.flags, change: change.mask })
    putChange(w, change)
    if (name !== undefined) w.putString(Ifla.IFNAME, name)
    if (below !== null) w.putU32(Ifla.LINK, below)
    putKind(w, kind, change.peer)
  })
  return 0
}

const VETH_INFO_PEER = 1

function putKind(w: NlWriter, kind: string, peer: string | undefined): void {
  const at = w.nestStart(Ifla.LINKINFO)
  w.putString(IflaInfo.KIND, kind)
  if (peer !== undefined) {
    const data = w.nestStart(IflaInfo.DATA)
    const other = w.nestStart(VETH_INFO_PEER)
    putIfinfo(w, {})
    w.putString(Ifla.IFNAME, peer)
    w.nestEnd(other)
    w.nestEnd(data)
  }
  w.nestEnd(at)
}

/** `ip link del`. @throws IpError, NlFailure @kernel iplink_modify() none */
export function* linkDelete(ip: IpContext, words: Words): Syscalls<number> {
  const change = parse(words)
  const name = change.dev ?? change.name
  if (name === undefined) throw new IpError(255, 'Not enough of information: "dev" argument is required.')
  const index = yield* ip.findIndex(name)
  if (index === 0) throw noDevice(name)
  const { kind } = change
  yield* ip.rtnl.ask(Rtm.DELLINK, NlmF.ACK, (w) => {
    putIfinfo(w, { index })
    if (kind !== undefined) putKind(w, kind, undefined)
  })
  return 0
}

/** True for the words of `ip link set`. @kernel none */
export function isSet(word: string): boolean {
  return matches(word, 'set', 'change')
}

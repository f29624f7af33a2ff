import { IpError } from '@vnet/netdev'
import { Af, Ifa, NlmF, Rtm } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import { IfaF } from './addr-format.ts'
import type { AddrInfo } from './addr-format.ts'
import { addrShow, dumpAddrs, parseAddrFilter } from './addr-show.ts'
import type { IpContext } from './context.ts'
import { noDevice, wrongArgument } from './error.ts'
import { bitsOf, parseInetAddress, parsePrefix, scopeNumber } from './inet.ts'
import type { InetPrefix } from './inet.ts'
import { usage } from './usage.ts'
import { matches, once, unsigned } from './words.ts'
import type { Words } from './words.ts'

/** `ip addr …`. @throws IpError, NlFailure @kernel do_ipaddr() none */
export function ipAddress(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) return addrShow(ip, words)
  const command = words.take()
  if (matches(command, 'add')) return modify(ip, words, Rtm.NEWADDR, NlmF.CREATE | NlmF.EXCL)
  if (matches(command, 'change') || command === 'chg') return modify(ip, words, Rtm.NEWADDR, NlmF.REPLACE)
  if (matches(command, 'replace')) return modify(ip, words, Rtm.NEWADDR, NlmF.CREATE | NlmF.REPLACE)
  if (matches(command, 'delete')) return modify(ip, words, Rtm.DELADDR, 0)
  if (matches(command, 'show', 'lst', 'list')) return addrShow(ip, words)
  if (matches(command, 'flush')) return flush(ip, words)
  if (matches(command, 'help')) throw usage('address')
  throw new IpError(255, `Command "${command}" is unknown, try "ip address help".`)
}

/** What a line asks for. */
interface AddrChange {
  local?: InetPrefix
  peer?: InetPrefix
  broadcast?: string
  anycast?: InetPrefix
  dev?: string
  label?: string
  scope?: number
  metric?: number
  valid?: number
  preferred?: number
  flags: number
}

const FLAGS: Readonly<Record<string, number>> = {
  home: IfaF.HOMEADDRESS,
  nodad: IfaF.NODAD,
  mngtmpaddr: IfaF.MANAGETEMPADDR,
  noprefixroute: IfaF.NOPREFIXROUTE,
  autojoin: IfaF.MCAUTOJOIN,
}

function parse(ip: IpContext, words: Words): AddrChange {
  const change: AddrChange = { flags: 0 }
  while (!words.done) parseWord(ip, change, words.take(), words)
  return change
}

function parseWord(ip: IpContext, change: AddrChange, word: string, words: Words): void {
  const family = change.local?.family ?? ip.options.family
  const flag = FLAGS[word]
  if (flag !== undefined) change.flags |= flag
  else if (word === 'peer' || word === 'remote') change.peer = parsePrefix(words.take(), family)
  else if (word === 'dev') change.dev = words.take()
  else if (word === 'scope') change.scope = scopeNumber(words.take(), 'invalid scope value.')
  else if (word === 'label') change.label = words.take()
  else if (['metric', 'priority', 'preference'].includes(word))
    change.metric = unsigned(words.take(), 'metric')
  else if (word === 'valid_lft') change.valid = lifetime(words.take(), word)
  else if (word === 'preferred_lft') change.preferred = lifetime(words.take(), word)
  else if (matches(word, 'broadcast') || word === 'brd') change.broadcast = words.take()
  else if (matches(word, 'anycast')) change.anycast = parseInetAddress(words.take(), family)
  else {
    const text = word === 'local' ? words.take() : word
    change.local = once(change.local, parsePrefix(text, ip.options.family), 'local', text)
  }
}

function lifetime(word: string, what: string): number {
  return word === 'forever' ? 0xffffffff : unsigned(word, what)
}

function* modify(ip: IpContext, words: Words, type: number, flags: number): Syscalls<number> {
  const change = parse(ip, words)
  if (change.dev === undefined) throw new IpError(1, 'Not enough information: "dev" argument is required.')
  const { dev } = change
  if (change.label !== undefined && !change.label.startsWith(dev)) {
    throw new IpError(1, `"dev" (${dev}) must match "label" (${change.label}).`)
  }
  if (change.local === undefined && type === Rtm.NEWADDR)
    throw new IpError(255, 'Command line is not complete. Try option "help"')
  const ifindex = yield* ip.findIndex(dev)
  if (ifindex === 0) throw noDevice(dev)
  yield* ip.rtnl.ask(type, NlmF.ACK | flags, (w) => putAddr(w, change, ifindex, type === Rtm.NEWADDR))
  return 0
}

function putAddr(w: NlWriter, change: AddrChange, ifindex: number, adding: boolean): void {
  const { local, peer } = change
  const family = local?.family ?? Af.UNSPEC
  w.u8(family)
  w.u8((peer?.explicit === true ? peer.length : local?.length) ?? 0)
  w.u8(change.flags & 0xff)
  w.u8(change.scope ?? (adding ? defaultScope(local) : 0))
  w.u32(ifindex)
  if (local !== undefined) w.putBinary(Ifa.LOCAL, local.bytes)
  const address = peer ?? local
  if (address !== undefined) w.putBinary(Ifa.ADDRESS, address.bytes)
  const broadcast = broadcastOf(change)
  if (broadcast !== null) w.putBinary(Ifa.BROADCAST, broadcast)
  if (change.anycast !== undefined) w.putBinary(Ifa.ANYCAST, change.anycast.bytes)
  if (change.flags > 0xff) w.putU32(Ifa.FLAGS, change.flags)
  if (change.label !== undefined) w.putString(Ifa.LABEL, change.label)
  if (change.metric !== undefined) w.putU32(Ifa.RT_PRIORITY, change.metric)
  putLifetimes(w, change)
}

function putLifetimes(w: NlWriter, { valid, preferred }: AddrChange): void {
  if (valid === undefined && preferred === undefined) return
  const most = valid ?? 0xffffffff
  const first = preferred ?? 0xffffffff
  if (most < first) throw new IpError(1, 'preferred_lft is greater than valid_lft')
  w.putBinary(Ifa.CACHEINFO, new Uint8Array(Uint32Array.of(first, most, 0, 0).buffer))
}

/** Addresses of this machine itself are seen by nobody else. */
function defaultScope(local: InetPrefix | undefined): number {
  return local?.family === Af.INET && local.bytes[0] === 127 ? 254 : 0
}

/** `+`: the bits of the host all set; `-`: all clear. */
function broadcastOf({ broadcast, local }: AddrChange): Uint8Array | null {
  if (broadcast === undefined) return null
  if (broadcast !== '+' && broadcast !== '-')
    return parseInetAddress(broadcast, local?.family ?? Af.UNSPEC).bytes
  if (local?.family !== Af.INET) {
    throw new IpError(1, 'Broadcast can be set only for IPv4 addresses')
  }
  if (local.length > 30) throw wrongArgument(broadcast, 'no broadcast address in so small a network')
  const bytes = local.bytes.slice()
  for (let bit = local.length; bit < bitsOf(Af.INET); bit++) {
    const mask = 0x80 >> (bit & 7)
    bytes[bit >> 3] = broadcast === '+' ? bytes[bit >> 3]! | mask : bytes[bit >> 3]! & ~mask
  }
  return bytes
}

/** `ip addr flush dev X`. @kernel ipaddr_flush() none */
function* flush(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) throw new IpError(255, 'Flush requires arguments.')
  const filter = yield* parseAddrFilter(ip, words)
  const ifindex = filter.dev === undefined ? 0 : yield* ip.indexOf(filter.dev)
  for (const addr of yield* dumpAddrs(ip, ifindex, filter)) yield* remove(ip, addr)
  return 0
}

function* remove(ip: IpContext, addr: AddrInfo): Syscalls<void> {
  yield* ip.rtnl.ask(Rtm.DELADDR, NlmF.ACK, (w) => {
    w.u8(addr.family)
    w.u8(addr.prefixlen)
    w.u16(0)
    w.u32(addr.ifindex)
    if (addr.local !== null) w.putBinary(Ifa.LOCAL, addr.local)
    if (addr.address !== null) w.putBinary(Ifa.ADDRESS, addr.address)
  })
}

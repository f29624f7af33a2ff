import { IpError, linkJson, linkText, statsJson, statsText } from '@vnet/netdev'
import type { IpLinkOptions, JsonRecord, LinkInfo } from '@vnet/netdev'
import { Af, Ifla, RtextFilter, Rtm } from '@vnet/netlink'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import { addrBrief, addrBriefJson, addrJson, addrText, IfaF, parseAddr } from './addr-format.ts'
import type { AddrInfo } from './addr-format.ts'
import { putIfinfo } from './context.ts'
import type { IpContext } from './context.ts'
import { inPrefix, parsePrefix, scopeNumber } from './inet.ts'
import type { InetPrefix } from './inet.ts'
import { dumpLinks, filterWord, linkOf, wanted } from './link-show.ts'
import type { LinkFilter } from './link-show.ts'
import type { Words } from './words.ts'

/** Which addresses are wanted. @kernel none */
export interface AddrFilter extends LinkFilter {
  scope?: number
  to?: InetPrefix
  label?: string
  /** Bits that must be set, and bits that must not. */
  set: number
  clear: number
}

/** Words that ask for flags. */
const FLAGS: Readonly<Record<string, readonly [bit: number, on: boolean]>> = {
  permanent: [IfaF.PERMANENT, true],
  dynamic: [IfaF.PERMANENT, false],
  secondary: [IfaF.SECONDARY, true],
  temporary: [IfaF.SECONDARY, true],
  primary: [IfaF.SECONDARY, false],
  tentative: [IfaF.TENTATIVE, true],
  deprecated: [IfaF.DEPRECATED, true],
  dadfailed: [IfaF.DADFAILED, true],
  nodad: [IfaF.NODAD, true],
  noprefixroute: [IfaF.NOPREFIXROUTE, true],
  mngtmpaddr: [IfaF.MANAGETEMPADDR, true],
}

/** The words after `ip addr show` and `flush`. @throws IpError */
export function* parseAddrFilter(ip: IpContext, words: Words): Syscalls<AddrFilter> {
  const filter: AddrFilter = { set: 0, clear: 0 }
  while (!words.done) {
    const bare = words.peek.replace(/^-/, '')
    const flag = FLAGS[bare]
    if (flag !== undefined) {
      const on = flag[1] !== words.take().startsWith('-')
      if (on) filter.set |= flag[0]
      else filter.clear |= flag[0]
    } else if (words.accept('scope')) {
      const word = words.take()
      if (word !== 'all') filter.scope = scopeNumber(word, 'invalid "scope"')
    } else if (words.accept('to')) filter.to = parsePrefix(words.take(), ip.options.family)
    else if (words.accept('label')) filter.label = words.take()
    else yield* filterWord(ip, filter, words)
  }
  return filter
}

function addrWanted(filter: AddrFilter, addr: AddrInfo, family: number): boolean {
  if (family !== Af.UNSPEC && addr.family !== family) return false
  if (filter.scope !== undefined && addr.scope !== filter.scope) return false
  if ((addr.flags & filter.set) !== filter.set || (addr.flags & filter.clear) !== 0) return false
  if (filter.label !== undefined && !glob(filter.label, addr.label)) return false
  return filter.to === undefined || (addr.local !== null && inPrefix(filter.to, addr.family, addr.local))
}

/** A pattern of a shell, as far as labels need it. */
function glob(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${escaped}$`).test(text)
}

/** True when the filter is about addresses: then links without any are left out. */
function onlyWithAddresses(filter: AddrFilter, family: number): boolean {
  return (
    (family !== Af.UNSPEC && family !== Af.PACKET) ||
    filter.scope !== undefined ||
    filter.to !== undefined ||
    filter.label !== undefined ||
    filter.set !== 0 ||
    filter.clear !== 0
  )
}

/** All addresses, or those of one device. @throws NlFailure */
export function* dumpAddrs(ip: IpContext, ifindex: number, filter: AddrFilter): Syscalls<AddrInfo[]> {
  const { family } = ip.options
  const replies = yield* ip.rtnl.dump(Rtm.GETADDR, (w) => {
    w.u8(family === Af.PACKET ? 0 : family)
    w.u8(0)
    w.u16(0)
    w.u32(ifindex)
  })
  return replies
    .filter((reply) => reply.type === Rtm.NEWADDR)
    .map(parseAddr)
    .filter((addr) => addrWanted(filter, addr, family) && (ifindex === 0 || addr.ifindex === ifindex))
}

/** `ip addr [show …]`. @throws IpError, NlFailure @kernel ipaddr_list() none */
export function* addrShow(ip: IpContext, words: Words): Syscalls<number> {
  const filter = yield* parseAddrFilter(ip, words)
  const { family } = ip.options
  let ifindex = 0
  if (filter.dev !== undefined) {
    ifindex = yield* ip.findIndex(filter.dev)
    if (ifindex === 0) throw new IpError(1, `Device "${filter.dev}" does not exist.`)
  }
  const replies = ifindex === 0 ? yield* dumpLinks(ip, 0) : [yield* linkByIndex(ip, ifindex)]
  const addrs = family === Af.PACKET ? [] : yield* dumpAddrs(ip, ifindex, filter)
  const shown: Shown[] = []
  for (const reply of replies) {
    const link = yield* linkOf(ip, reply)
    if (link === null || !wanted(filter, link, reply)) continue
    const own = addrs.filter((addr) => addr.ifindex === link.ifindex)
    if (own.length > 0 || !onlyWithAddresses(filter, family)) shown.push({ link, addrs: own })
  }
  print(ip, shown)
  return 0
}

interface Shown {
  readonly link: LinkInfo
  readonly addrs: readonly AddrInfo[]
}

function* linkByIndex(ip: IpContext, index: number): Syscalls<NlReply> {
  return yield* ip.rtnl.get(Rtm.GETLINK, 0, (w) => {
    putIfinfo(w, { index })
    w.putU32(Ifla.EXT_MASK, RtextFilter.VF | RtextFilter.SKIP_STATS)
  })
}

function print(ip: IpContext, shown: readonly Shown[]): void {
  const { options } = ip
  const linkOptions: IpLinkOptions = {
    ...ip.linkOptions,
    stats: 0,
    view: 'addr',
    noAddress: options.family !== Af.UNSPEC && options.family !== Af.PACKET,
  }
  if (options.json) ip.json(shown.map((one) => record(ip, one, linkOptions)))
  else for (const one of shown) ip.out(text(ip, one, linkOptions))
}

function text(ip: IpContext, { link, addrs }: Shown, linkOptions: IpLinkOptions): string {
  const { options } = ip
  if (options.brief) {
    const name = link.link === null ? link.ifname : `${link.ifname}@${link.link}`
    return `${name.padEnd(16)} ${link.operstate.padEnd(14)} ${addrs.map(addrBrief).join('')}\n`
  }
  if (options.oneline && options.family !== Af.PACKET) {
    const head = `${link.ifindex}: ${link.ifname}`
    return addrs.map((addr) => addrText(addr, head, ip.nl)).join('')
  }
  const lines = linkText(link, linkOptions) + addrs.map((addr) => addrText(addr, '', ip.nl)).join('')
  if (options.stats === 0) return lines
  return `${lines}${statsText(link.stats, link.carrierChanges, options.stats > 1, ip.nl, options.human)}\n`
}

function record(ip: IpContext, { link, addrs }: Shown, linkOptions: IpLinkOptions): JsonRecord {
  const { options } = ip
  if (options.brief) {
    return {
      ...(link.link === null ? {} : { link: link.link }),
      ifname: link.ifname,
      operstate: link.operstate,
      addr_info: addrs.map(addrBriefJson),
    }
  }
  return {
    ...linkJson(link, linkOptions),
    addr_info: addrs.map(addrJson),
    ...(options.stats === 0 ? {} : { stats64: statsJson(link, options.stats > 1) }),
  }
}

import { formatIpLink, garbage, Iff, IpError } from '@vnet/netdev'
import type { LinkInfo } from '@vnet/netdev'
import { Af, Ifla, RtextFilter, Rtm } from '@vnet/netlink'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import { IFINFOMSG, putIfinfo } from './context.ts'
import type { IpContext } from './context.ts'
import { parseLink } from './link-parse.ts'
import { unsigned } from './words.ts'
import type { Words } from './words.ts'

/** Which links are wanted. @kernel none */
export interface LinkFilter {
  dev?: string
  up?: boolean
  group?: number
  kind?: string
  master?: number
}

/** `ip link [show [[dev] NAME] [up] [group G] [type T] [master M]]`. @kernel ipaddr_list_link() none */
export function* linkShow(ip: IpContext, words: Words): Syscalls<number> {
  const filter: LinkFilter = {}
  while (!words.done) yield* filterWord(ip, filter, words)
  const replies =
    filter.dev === undefined ? yield* dumpLinks(ip, Af.PACKET) : [yield* oneLink(ip, filter.dev)]
  const links: LinkInfo[] = []
  for (const reply of replies) {
    const link = yield* linkOf(ip, reply)
    if (link !== null && wanted(filter, link, reply)) links.push(link)
  }
  ip.out(formatIpLink(links, ip.linkOptions))
  return 0
}

/** One word of a filter that `ip link` and `ip addr` share. @throws IpError */
export function* filterWord(ip: IpContext, filter: LinkFilter, words: Words): Syscalls<void> {
  const word = words.take()
  if (word === 'up') filter.up = true
  else if (word === 'group') filter.group = groupNumber(words.take())
  else if (word === 'type') filter.kind = words.take()
  else if (word === 'master') filter.master = yield* ip.indexOf(words.take())
  else if (filter.dev !== undefined) throw new IpError(255, garbage(word === 'dev' ? words.take() : word))
  else filter.dev = word === 'dev' ? words.take() : word
}

/** The number of a group; only `default` has a name. @throws IpError @kernel rtnl_group_a2n() none */
export function groupNumber(word: string): number {
  return word === 'default' ? 0 : unsigned(word, 'group')
}

/** True when the filter lets the link through. */
export function wanted(filter: LinkFilter, link: LinkInfo, reply: NlReply): boolean {
  if (filter.up === true && (link.flags & Iff.UP) === 0) return false
  if (filter.group !== undefined && link.group !== filter.group) return false
  if (filter.kind !== undefined && link.kind !== filter.kind) return false
  return filter.master === undefined || reply.attrs(IFINFOMSG).u32(Ifla.MASTER) === filter.master
}

/** All links. @throws NlFailure */
export function* dumpLinks(ip: IpContext, family: number): Syscalls<readonly NlReply[]> {
  const replies = yield* ip.rtnl.dump(Rtm.GETLINK, (w) => {
    putIfinfo(w, { family })
    w.putU32(Ifla.EXT_MASK, RtextFilter.VF)
  })
  const links = replies.filter((reply) => reply.type === Rtm.NEWLINK)
  for (const link of links) ip.remember(link)
  return links
}

/** @throws IpError, NlFailure */
function* oneLink(ip: IpContext, name: string): Syscalls<NlReply> {
  if ((yield* ip.findIndex(name)) === 0) throw new IpError(1, `Device "${name}" does not exist.`)
  return yield* ip.rtnl.get(Rtm.GETLINK, 0, (w) => {
    putIfinfo(w, { family: Af.PACKET })
    w.putString(Ifla.IFNAME, name)
    w.putU32(Ifla.EXT_MASK, RtextFilter.VF)
  })
}

/** A link with the names of the devices it mentions. */
export function* linkOf(ip: IpContext, reply: NlReply): Syscalls<LinkInfo | null> {
  const tb = reply.attrs(IFINFOMSG)
  const below = tb.u32(Ifla.LINK)
  const master = tb.u32(Ifla.MASTER)
  if (below !== undefined && below !== 0) yield* ip.nameOf(below)
  if (master !== undefined) yield* ip.nameOf(master)
  const link = parseLink(reply, (ifindex) => ip.knownName(ifindex))
  if (link === null) return missingName(ip, reply)
  if (below !== undefined && below !== 0) link.linkDown = (ip.knownFlags(below) & Iff.UP) === 0
  return link
}

function missingName(ip: IpContext, reply: NlReply): null {
  ip.process.stderr(`BUG: device with ifindex ${reply.s32(4)} has nil ifname\n`)
  return null
}

import { Errno } from '@vnet/kernel'
import { IpError, linkText } from '@vnet/netdev'
import { Af, NetlinkProtocolNr, Nlmsg, Rtm, RTMSG_LEN, Rtnlgrp } from '@vnet/netlink'
import { openNetlink } from '../nl/client.ts'
import type { NlReply } from '../nl/message.ts'
import { ClockId, clockGettime } from '../proc/files.ts'
import type { Syscalls } from '../proc/process.ts'
import { addrText, parseAddr } from './addr-format.ts'
import { IpContext } from './context.ts'
import { linkOf, dumpLinks } from './link-show.ts'
import { neighText } from './neigh.ts'
import { netconfText, RTM_DELNETCONF, RTM_NEWNETCONF } from './netconf.ts'
import { routeTable, routeText } from './route-format.ts'
import { fieldsOf } from './route-show.ts'
import { longTime, shortTime } from '../text/time.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** Objects by word, with their groups by family. */
const GROUPS: Readonly<Record<string, readonly (readonly [family: number, group: number])[]>> = {
  link: [[0, Rtnlgrp.LINK]],
  address: [
    [Af.INET, Rtnlgrp.IPV4_IFADDR],
    [Af.INET6, Rtnlgrp.IPV6_IFADDR],
  ],
  route: [
    [Af.INET, Rtnlgrp.IPV4_ROUTE],
    [Af.INET6, Rtnlgrp.IPV6_ROUTE],
  ],
  neigh: [[0, Rtnlgrp.NEIGH]],
  netconf: [
    [Af.INET, 24],
    [Af.INET6, 25],
  ],
  rule: [
    [Af.INET, 8],
    [Af.INET6, 19],
  ],
  prefix: [[Af.INET6, 18]],
  nsid: [[0, 28]],
}
/** With `all` each line says what it is about. */
const LABELS: Readonly<Record<number, string>> = {
  [Rtm.NEWLINK]: '[LINK]',
  [Rtm.NEWADDR]: '[ADDR]',
  [Rtm.NEWROUTE]: '[ROUTE]',
  [Rtm.NEWNEIGH]: '[NEIGH]',
  [RTM_NEWNETCONF]: '[NETCONF]',
}

/** `ip monitor [all | link | address | …] [label] [dev X]`: until Ctrl-C. @throws IpError, Errno @kernel do_ipmonitor() none */
export function* ipMonitor(ip: IpContext, words: Words): Syscalls<number> {
  const { objects, label, dev } = parse(words)
  const names = objects.length === 0 ? Object.keys(GROUPS) : objects
  const groups = names.flatMap((name) => GROUPS[name] ?? [])
  const { family } = ip.options
  const bits = groups
    .filter(([own]) => own === 0 || family === Af.UNSPEC || own === family)
    .reduce((sum, [, group]) => sum | (1 << (group - 1)), 0)
  const client = yield* openNetlink(ip.process, NetlinkProtocolNr.ROUTE, { groups: bits >>> 0 })
  const monitor = new IpContext(ip.process, ip.options, client)
  yield* dumpLinks(monitor, 0)
  const wanted = dev === null ? 0 : yield* monitor.indexOf(dev)
  while (!ip.process.interrupted) yield* turn(monitor, label, wanted)
  return 0
}

function parse(words: Words): { objects: string[]; label: boolean; dev: string | null } {
  const objects: string[] = []
  let label = false
  let dev: string | null = null
  while (!words.done) {
    const word = words.take()
    const object = Object.keys(GROUPS).find((name) => matches(word, name))
    if (word === 'all') label = true
    else if (matches(word, 'label')) label = true
    else if (word === 'dev') dev = words.take()
    else if (matches(word, 'help')) throw usage('monitor')
    else if (object !== undefined) objects.push(object)
    else throw new IpError(255, `Argument "${word}" is unknown, try "ip monitor help".`)
  }
  return { objects, label, dev }
}

/** Waits once and prints what came. */
function* turn(ip: IpContext, label: boolean, wanted: number): Syscalls<void> {
  try {
    for (const reply of yield* ip.rtnl.wait()) {
      const text = yield* eventText(ip, reply, wanted)
      if (text === null) continue
      const about = label ? (LABELS[reply.type & ~1] ?? '') : ''
      ip.out((yield* stamp(ip)) + about + text)
    }
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    // What did not fit is lost; the next events are still worth telling.
    if (error.code !== 'ENOBUFS' && error.code !== 'EINTR') throw error
  }
}

function* stamp(ip: IpContext): Syscalls<string> {
  if (ip.options.timestamp === 'none') return ''
  const { sec, nsec } = yield* clockGettime(ip.process, ClockId.REALTIME)
  const usec = Math.trunc(nsec / 1000)
  if (ip.options.timestamp === 'short') return `[${shortTime(sec)}.${`${usec}`.padStart(6, '0')}] `
  return `Timestamp: ${longTime(sec)} ${usec} usec\n`
}

/** What an event looks like; null for one that is not shown. */
function* eventText(ip: IpContext, reply: NlReply, wanted: number): Syscalls<string | null> {
  const deleted = (reply.type & 3) === 1 ? 'Deleted ' : ''
  switch (reply.type) {
    case Nlmsg.ERROR:
    case Nlmsg.DONE:
      return null
    case Rtm.NEWLINK:
    case Rtm.DELLINK:
      return yield* linkEvent(ip, reply, wanted, deleted)
    case Rtm.NEWADDR:
    case Rtm.DELADDR:
      return yield* addrEvent(ip, reply, wanted, deleted)
    case Rtm.NEWROUTE:
    case Rtm.DELROUTE:
      return yield* routeEvent(ip, reply, deleted)
    case Rtm.NEWNEIGH:
    case Rtm.DELNEIGH:
      if (wanted !== 0 && reply.s32(4) !== wanted) return null
      yield* ip.nameOf(reply.s32(4))
      return deleted + neighText(ip, reply, false)
    case RTM_NEWNETCONF:
    case RTM_DELNETCONF:
      return deleted + (yield* netconfText(ip, reply))
    default:
      return null
  }
}

function* linkEvent(ip: IpContext, reply: NlReply, wanted: number, deleted: string): Syscalls<string | null> {
  ip.remember(reply)
  if (wanted !== 0 && reply.s32(4) !== wanted) return null
  const link = yield* linkOf(ip, reply)
  if (reply.type === Rtm.DELLINK) ip.forget(reply.s32(4))
  return link === null ? null : deleted + linkText(link, { ...ip.linkOptions, stats: 0, view: 'monitor' })
}

function* addrEvent(ip: IpContext, reply: NlReply, wanted: number, deleted: string): Syscalls<string | null> {
  const addr = parseAddr(reply)
  if (wanted !== 0 && addr.ifindex !== wanted) return null
  return deleted + addrText(addr, `${addr.ifindex}: ${yield* ip.nameOf(addr.ifindex)}`, ip.nl)
}

function* routeEvent(ip: IpContext, reply: NlReply, deleted: string): Syscalls<string | null> {
  if (routeTable(reply, reply.attrs(RTMSG_LEN)) === 0) return null
  return deleted + routeText(yield* fieldsOf(ip, reply, { details: ip.options.details > 0 }))
}

import { Errno } from '@vnet/kernel'
import { devGetByIndex, forEachNetdev } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { NLMSG_HDRLEN } from '../codec/nlmsg.ts'
import { nlaPolicy } from '../codec/policy.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { DumpEntry, NlDump } from '../core/dump.ts'
import type { NlRequest } from '../core/request.ts'
import { Rtm } from './constants.ts'
import { nlmsgParse } from './rtnl.ts'
import { putStats } from './stats.ts'

/** @kernel struct if_stats_msg include/uapi/linux/if_link.h */
const IF_STATS_MSG_LEN = 12
const IFLA_STATS_LINK_64 = 1
const noAttrs = nlaPolicy({})

interface StatsRequest {
  readonly ifindex: number
  readonly mask: number
}

function statsRequest(request: NlRequest, what: string): StatsRequest {
  nlmsgParse(request, IF_STATS_MSG_LEN, noAttrs, 'liberal')
  const mask = request.view.getUint32(NLMSG_HDRLEN + 8, true)
  if (mask === 0) throw new NetlinkError('EINVAL', `Filter mask must be set for stats ${what}`)
  return { ifindex: request.view.getInt32(NLMSG_HDRLEN + 4, true), mask }
}

function fillStats(w: NlWriter, dev: NetDevice<any>, mask: number): void {
  w.u32(0)
  w.u32(dev.ifindex)
  w.u32(mask)
  if ((mask & (1 << (IFLA_STATS_LINK_64 - 1))) !== 0) putStats(w, dev, { stats64: IFLA_STATS_LINK_64 })
}

/** Tells a link's counters. @throws Errno EINVAL, ENODEV @kernel rtnl_stats_get() net/core/rtnetlink.c */
export function rtnlStatsGet(request: NlRequest): void {
  const { ifindex, mask } = statsRequest(request, 'get')
  if (ifindex <= 0) throw new Errno('EINVAL')
  const dev = devGetByIndex(request.kernel, ifindex)
  if (dev === undefined) throw new Errno('ENODEV')
  request.reply(Rtm.NEWSTATS, (w) => fillStats(w, dev, mask))
}

/** Tells all links' counters. @throws Errno EINVAL @kernel rtnl_stats_dump() net/core/rtnetlink.c */
export function rtnlStatsDump(request: NlRequest): NlDump {
  const { mask } = statsRequest(request, 'dump')
  return { type: Rtm.NEWSTATS, entries: statsEntries(request, mask) }
}

function* statsEntries(request: NlRequest, mask: number): Generator<DumpEntry> {
  for (const { ifindex } of forEachNetdev(request.kernel)) {
    const dev = devGetByIndex(request.kernel, ifindex)
    if (dev !== undefined) yield (w) => fillStats(w, dev, mask)
  }
}

const NETNSA = { NSID: 1, PID: 2, FD: 3 } as const
const NOT_ASSIGNED = -1

const netnsPolicy = nlaPolicy({
  [NETNSA.NSID]: { name: 'nsid', kind: 's32' },
  [NETNSA.PID]: { name: 'pid', kind: 'u32' },
  [NETNSA.FD]: { name: 'fd', kind: 'u32' },
})

/** The number of a network namespace: none has one here. @throws Errno EINVAL @kernel rtnl_net_getid() net/core/net_namespace.c */
export function rtnlNetGetid(request: NlRequest): void {
  const tb = nlmsgParse(request, 1, netnsPolicy, 'liberal')
  if (!tb.has(NETNSA.NSID) && !tb.has(NETNSA.PID) && !tb.has(NETNSA.FD)) {
    throw new NetlinkError('EINVAL', 'Peer netns reference is missing')
  }
  request.reply(Rtm.NEWNSID, (w) => {
    w.u32(0)
    w.putU32(NETNSA.NSID, NOT_ASSIGNED)
  })
}

/** A dump of what nobody has. @kernel none */
export function emptyDump(answer: number): (request: NlRequest) => NlDump {
  return () => ({ type: answer, entries: [] })
}

/** What needs a protocol stack that is not here. @throws Errno EAFNOSUPPORT @kernel neigh_add() net/core/neighbour.c */
export function noFamily(): never {
  throw new Errno('EAFNOSUPPORT')
}

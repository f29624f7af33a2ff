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
const IflaStats = { LINK_64: 1, LINK_OFFLOAD_XSTATS: 4 } as const
/** What the hardware counts by itself, inside {@link IflaStats}.LINK_OFFLOAD_XSTATS. @kernel IFLA_OFFLOAD_XSTATS_HW_S_INFO include/uapi/linux/if_link.h */
const OffloadXstats = { HW_S_INFO: 2, L3_STATS: 3 } as const
/** @kernel IFLA_OFFLOAD_XSTATS_HW_S_INFO_REQUEST include/uapi/linux/if_link.h */
const HwSInfo = { REQUEST: 1, USED: 2 } as const
/** What of a group is wanted. @kernel IFLA_STATS_GET_FILTERS include/uapi/linux/if_link.h */
const IFLA_STATS_GET_FILTERS = 1
const ALL_BITS = 0xffffffff

const filtersPolicy = nlaPolicy({
  [IflaStats.LINK_OFFLOAD_XSTATS]: { name: 'offload-xstats', kind: 'u32' },
})
const statsPolicy = nlaPolicy({
  [IFLA_STATS_GET_FILTERS]: { name: 'get-filters', kind: 'nested', nested: filtersPolicy },
})

interface StatsRequest {
  readonly ifindex: number
  readonly mask: number
  /** Which of the hardware's own counters, by bits. */
  readonly offload: number
}

/** @kernel IFLA_STATS_FILTER_BIT() include/uapi/linux/if_link.h */
function bit(type: number): number {
  return 1 << (type - 1)
}

function statsRequest(request: NlRequest, what: string): StatsRequest {
  const tb = nlmsgParse(request, IF_STATS_MSG_LEN, statsPolicy, 'liberal')
  const mask = request.view.getUint32(NLMSG_HDRLEN + 8, true)
  if (mask === 0) throw new NetlinkError('EINVAL', `Filter mask must be set for stats ${what}`)
  const offload = tb.nest(IFLA_STATS_GET_FILTERS)?.number(IflaStats.LINK_OFFLOAD_XSTATS) ?? ALL_BITS
  return { ifindex: request.view.getInt32(NLMSG_HDRLEN + 4, true), mask, offload }
}

function fillStats(w: NlWriter, dev: NetDevice<any>, { mask, offload }: StatsRequest): void {
  w.u32(0)
  w.u32(dev.ifindex)
  w.u32(mask)
  if ((mask & bit(IflaStats.LINK_64)) !== 0) putStats(w, dev, { stats64: IflaStats.LINK_64 })
  const hardware = (mask & bit(IflaStats.LINK_OFFLOAD_XSTATS)) !== 0
  if (hardware && (offload & bit(OffloadXstats.HW_S_INFO)) !== 0) putHardwareInfo(w)
}

/** No hardware here counts what the kernel does not see: nobody asked for it, and nobody does it. @kernel rtnl_offload_xstats_fill_hw_s_info() net/core/rtnetlink.c */
function putHardwareInfo(w: NlWriter): void {
  const group = w.nestStartNoflag(IflaStats.LINK_OFFLOAD_XSTATS)
  const info = w.nestStart(OffloadXstats.HW_S_INFO)
  const l3 = w.nestStart(OffloadXstats.L3_STATS)
  w.putU8(HwSInfo.REQUEST, 0)
  w.putU8(HwSInfo.USED, 0)
  w.nestEnd(l3)
  w.nestEnd(info)
  w.nestEnd(group)
}

/** Tells a link's counters. @throws Errno EINVAL, ENODEV @kernel rtnl_stats_get() net/core/rtnetlink.c */
export function rtnlStatsGet(request: NlRequest): void {
  const asked = statsRequest(request, 'get')
  const { ifindex } = asked
  if (ifindex <= 0) throw new Errno('EINVAL')
  const dev = devGetByIndex(request.kernel, ifindex)
  if (dev === undefined) throw new Errno('ENODEV')
  request.reply(Rtm.NEWSTATS, (w) => fillStats(w, dev, asked))
}

/** Tells all links' counters. @throws Errno EINVAL @kernel rtnl_stats_dump() net/core/rtnetlink.c */
export function rtnlStatsDump(request: NlRequest): NlDump {
  return { type: Rtm.NEWSTATS, entries: statsEntries(request, statsRequest(request, 'dump')) }
}

function* statsEntries(request: NlRequest, asked: StatsRequest): Generator<DumpEntry> {
  for (const { ifindex } of forEachNetdev(request.kernel)) {
    const dev = devGetByIndex(request.kernel, ifindex)
    if (dev !== undefined) yield (w) => fillStats(w, dev, asked)
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

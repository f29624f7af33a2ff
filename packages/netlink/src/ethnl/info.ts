import {
  STATS_GROUPS,
  STATS_NAMES,
  TS_RX_FILTERS,
  TS_TX_TYPES,
  ethtoolGetRxfh,
  ethtoolGetStdStats,
  ethtoolGetTsInfo,
} from '@vnet/ethtool'
import type { EthtoolRxfh, EthtoolTsInfo, RmonBucket, StatsGroup, StdStats } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { NetlinkError } from '../codec/extack.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'
import { ethnlParseBitset, ethnlPutBitset } from './bitset.ts'
import { attr } from './command.ts'
import type { EthnlGet } from './command.ts'
import { EthMsg, EthReply } from './constants.ts'
import { EthSs, SOF_TIMESTAMPING_NAMES } from './strings.ts'

const Tsinfo = { TIMESTAMPING: 2, TX_TYPES: 3, RX_FILTERS: 4, PHC_INDEX: 5 } as const

/** What can be time-stamped. @kernel ethnl_tsinfo_request_ops net/ethtool/tsinfo.c */
export const tsinfoGet: EthnlGet<EthtoolTsInfo> = {
  cmd: EthMsg.TSINFO_GET,
  reply: EthReply.TSINFO,
  prepare: (dev) => ethtoolGetTsInfo(dev),
  fill(w, info, { compact }) {
    const put = (type: number, value: number, names: readonly string[]): void => {
      if (value === 0) return
      ethnlPutBitset(w, type, { value: BigInt(value >>> 0), size: names.length, names }, compact)
    }
    put(Tsinfo.TIMESTAMPING, info.soTimestamping, SOF_TIMESTAMPING_NAMES)
    put(Tsinfo.TX_TYPES, info.txTypes, TS_TX_TYPES)
    put(Tsinfo.RX_FILTERS, info.rxFilters, TS_RX_FILTERS)
    if (info.phcIndex >= 0) w.putU32(Tsinfo.PHC_INDEX, info.phcIndex)
  },
}

/** Virtual clocks: there are none, and so the answer is only a header. @kernel ethnl_phc_vclocks_request_ops net/ethtool/phc_vclocks.c */
export const phcVclocksGet: EthnlGet<null> = {
  cmd: EthMsg.PHC_VCLOCKS_GET,
  reply: EthReply.PHC_VCLOCKS,
  prepare: () => null,
  fill: () => {},
}

/** A plug-in module: no card here tells how it is powered, and so the answer is only a header. @kernel ethnl_module_request_ops net/ethtool/module.c */
export const moduleGet: EthnlGet<null> = {
  cmd: EthMsg.MODULE_GET,
  reply: EthReply.MODULE,
  prepare: () => null,
  fill: () => {},
}

/** Here the header is the second attribute: the first is padding. */
const Stats = { HEADER: 2, GROUPS: 3, GRP: 4 } as const
const Grp = { ID: 2, SS_ID: 3, STAT: 4, HIST_RX: 5, HIST_TX: 6, BKT_LOW: 7, BKT_HI: 8, HIST_VAL: 9 } as const

const SS_OF: Readonly<Record<StatsGroup, number>> = {
  'eth-phy': EthSs.STATS_ETH_PHY,
  'eth-mac': EthSs.STATS_ETH_MAC,
  'eth-ctrl': EthSs.STATS_ETH_CTRL,
  rmon: EthSs.STATS_RMON,
}

/** Standard counters by group. @kernel ethnl_stats_request_ops net/ethtool/stats.c */
export const statsGet: EthnlGet<readonly StdStats[]> = {
  cmd: EthMsg.STATS_GET,
  reply: EthReply.STATS,
  headerAttr: Stats.HEADER,
  attrs: { [Stats.GROUPS]: attr('groups', 'nested') },
  prepare: (dev, { attrs }) => ethtoolGetStdStats(dev, groups(attrs!)),
  fill(w, all) {
    for (const one of all) fillGroup(w, one)
  },
}

/** @kernel stats_parse_request() net/ethtool/stats.c */
function groups(tb: NlaTable): StatsGroup[] {
  tb.require(Stats.GROUPS)
  const { value } = ethnlParseBitset(tb, Stats.GROUPS, STATS_GROUPS)
  if (value === 0n) throw new NetlinkError('EINVAL', 'no stats requested')
  return STATS_GROUPS.filter((_, bit) => ((value >> BigInt(bit)) & 1n) === 1n)
}

function fillGroup(w: NlWriter, { group, stats, rxHist, txHist }: StdStats): void {
  const at = w.nestStart(Stats.GRP)
  w.putU32(Grp.ID, STATS_GROUPS.indexOf(group))
  w.putU32(Grp.SS_ID, SS_OF[group])
  const names: readonly string[] = STATS_NAMES[group]
  for (const [name, value] of stats) {
    const one = w.nestStart(Grp.STAT)
    w.putU64(names.indexOf(name), BigInt.asUintN(64, value))
    w.nestEnd(one)
  }
  putHist(w, Grp.HIST_RX, rxHist)
  putHist(w, Grp.HIST_TX, txHist)
  w.nestEnd(at)
}

function putHist(w: NlWriter, type: number, buckets: readonly RmonBucket[]): void {
  for (const { low, high, value } of buckets) {
    const at = w.nestStart(type)
    w.putU32(Grp.BKT_LOW, low)
    w.putU32(Grp.BKT_HI, high)
    w.putU64(Grp.HIST_VAL, BigInt.asUintN(64, value))
    w.nestEnd(at)
  }
}

const Rss = { CONTEXT: 2, HFUNC: 3, INDIR: 4, HKEY: 5 } as const

/** How received packets are spread over queues. @kernel ethnl_rss_request_ops net/ethtool/rss.c */
export const rssGet: EthnlGet<EthtoolRxfh> = {
  cmd: EthMsg.RSS_GET,
  reply: EthReply.RSS,
  attrs: { [Rss.CONTEXT]: attr('context', 'u32') },
  prepare(dev, { attrs }) {
    // Only the default context exists.
    if ((attrs?.number(Rss.CONTEXT) ?? 0) !== 0) throw new Errno('EOPNOTSUPP')
    return ethtoolGetRxfh(dev)
  },
  fill(w, rss) {
    if (rss.hfunc !== 0) w.putU32(Rss.HFUNC, rss.hfunc)
    if (rss.indir.length > 0) {
      w.putBinary(Rss.INDIR, new Uint8Array(Uint32Array.from(rss.indir).buffer))
    }
    if (rss.key.length > 0) w.putBinary(Rss.HKEY, rss.key)
  },
}

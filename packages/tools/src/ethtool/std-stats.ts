import { formatJson, formatStdStats, formatStdStatsJson, STATS_GROUPS, statsGroups } from '@vnet/ethtool'
import type { RmonBucket, StdStats } from '@vnet/ethtool'
import { EthMsg, EthSs } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { Syscalls } from '../proc/process.ts'
import { putBits } from './bits.ts'
import type { EthtoolRun } from './context.ts'
import type { EthtoolSocket } from './genl.ts'
import { nameIn } from './get.ts'
import { nicStatistics } from './ioctls.ts'
import { stringSet } from './strings.ts'

/** Here the header is the second attribute: the first is padding. */
const Stats = { HEADER: 2, GROUPS: 3, GRP: 4 } as const
const Grp = { ID: 2, SS_ID: 3, STAT: 4, HIST_RX: 5, HIST_TX: 6, BKT_LOW: 7, BKT_HI: 8, HIST_VAL: 9 } as const

/** `ethtool -S`: the driver's counters, or with a word behind it groups of standard ones. @kernel none */
export function statistics(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0) return standardStats(run)
  run.checkIoctl()
  return nicStatistics(run)
}

function* standardStats(run: EthtoolRun): Syscalls<number> {
  const wanted = statsGroups(run)
  const code = yield* run.netlink(1, function* () {
    const genl = yield* run.genl()
    yield* stringSet(genl, EthSs.STATS_STD)
    const tb = yield* genl.ask({
      cmd: EthMsg.STATS_GET,
      dev: run.devname,
      header: Stats.HEADER,
      fill: (w) => putBits(w, Stats.GROUPS, wanted),
    })
    const groups = yield* groupsOf(genl, tb)
    const print = run.json ? formatStdStatsJson : formatStdStats
    run.out(print(nameIn(tb, Stats.HEADER), groups))
  })
  if (code !== 0 && run.json) run.out(formatJson([]))
  return code
}

/** Every group of the answer; its counters' names are a set of strings of their own. */
function* groupsOf(genl: EthtoolSocket, tb: AttrMap): Syscalls<StdStats[]> {
  const out: StdStats[] = []
  for (const group of tb.nests(Stats.GRP)) {
    const id = group.u32(Grp.ID)
    const name = STATS_GROUPS[id ?? -1]
    if (name === undefined) continue
    const names = yield* stringSet(genl, group.u32(Grp.SS_ID) ?? 0)
    out.push({
      group: name,
      stats: counters(group, names),
      rxHist: buckets(group, Grp.HIST_RX),
      txHist: buckets(group, Grp.HIST_TX),
    })
  }
  return out
}

/** A counter stands in a nest of its own: its number is the attribute inside. */
function counters(group: AttrMap, names: readonly string[]): (readonly [string, bigint])[] {
  return group.nests(Grp.STAT).flatMap((one) =>
    one.types.flatMap((type) => {
      const value = one.u64(type)
      return value === undefined ? [] : [[names[type] ?? `stat${type}`, value] as const]
    }),
  )
}

function buckets(group: AttrMap, type: number): RmonBucket[] {
  return group.nests(type).map((one) => ({
    low: one.u32(Grp.BKT_LOW) ?? 0,
    high: one.u32(Grp.BKT_HI) ?? 0,
    value: one.u64(Grp.HIST_VAL) ?? 0n,
  }))
}

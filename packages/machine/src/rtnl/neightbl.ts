import { jiffiesToMsecs } from '@vnet/kernel'
import type { NeighParms, NeighTable } from '@vnet/inet'
import {
  Ndta,
  Rtm,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlWriter,
} from '@vnet/netlink'
import { Ndtpa } from './constants.ts'
import { addressLength, type FamilyContext } from './family.ts'

/** Milliseconds between two collections of neighbours nobody uses. @kernel arp_tbl net/ipv4/arp.c */
const GC_INTERVAL = 30_000n
/** What a packet in a queue is taken to weigh. @kernel SKB_TRUESIZE(ETH_FRAME_LEN) include/linux/skbuff.h */
const FRAME_TRUESIZE = 2090

/** Registers RTM_GETNEIGHTBL of a family: what `ip ntable` shows. @returns what takes it back */
export function registerNeightbl(server: NetlinkServer, { inet, family }: FamilyContext): (() => void)[] {
  return [rtnlRegister(server, family, Rtm.GETNEIGHTBL, { dumpit: () => dump(inet.neighTable(family)) })]
}

/** The table with its defaults, and then each device's own settings. @kernel neightbl_dump_info() net/core/neighbour.c */
function dump(table: NeighTable): NlDump {
  return { type: Rtm.NEWNEIGHTBL, entries: entries(table) }
}

function* entries(table: NeighTable): Generator<DumpEntry> {
  yield (w) => fillTable(w, table)
  for (const parms of table.devParms.values()) yield (w) => fillParmsOnly(w, table, parms)
}

function header(w: NlWriter, table: NeighTable): void {
  w.u8(table.family)
  w.u8(0)
  w.u16(0)
  w.putString(Ndta.NAME, table.ops.id)
}

/** @kernel neightbl_fill_param_info() net/core/neighbour.c */
function fillParmsOnly(w: NlWriter, table: NeighTable, parms: NeighParms): void {
  header(w, table)
  putParms(w, parms)
}

/** @kernel neightbl_fill_info() net/core/neighbour.c */
function fillTable(w: NlWriter, table: NeighTable): void {
  header(w, table)
  w.putU64(Ndta.GC_INTERVAL, GC_INTERVAL)
  w.putU32(Ndta.THRESH1, table.gcThresh1)
  w.putU32(Ndta.THRESH2, table.gcThresh2)
  w.putU32(Ndta.THRESH3, table.gcThresh3)
  putConfig(w, table)
  putStats(w, table)
  putParms(w, table.parms)
}

/** @kernel struct ndt_config include/uapi/linux/neighbour.h */
function putConfig(w: NlWriter, table: NeighTable): void {
  const { kernel } = table
  const view = new DataView(new ArrayBuffer(32))
  view.setUint16(0, addressLength(table.family), true)
  view.setUint16(2, 440, true)
  view.setUint32(4, table.entries, true)
  view.setUint32(8, jiffiesToMsecs(kernel, kernel.clock.jiffies - table.lastFlush), true)
  view.setUint32(20, table.buckets.length - 1, true)
  w.putBinary(Ndta.CONFIG, new Uint8Array(view.buffer))
}

/** @kernel struct ndt_stats include/uapi/linux/neighbour.h */
function putStats(w: NlWriter, { stats: s }: NeighTable): void {
  const counts = [s.allocs, s.destroys, s.hashGrows, s.resFailed, s.lookups, s.hits, s.rcvProbesMcast]
  counts.push(s.rcvProbesUcast, s.periodicGcRuns, s.forcedGcRuns, s.tableFulls)
  w.putBinary(Ndta.STATS, new Uint8Array(BigUint64Array.from(counts, BigInt).buffer))
}

/** Times in milliseconds. @kernel neightbl_fill_parms() net/core/neighbour.c */
function putParms(w: NlWriter, parms: NeighParms): void {
  const at = w.nestStartNoflag(Ndta.PARMS)
  if (parms.dev !== null) w.putU32(Ndtpa.IFINDEX, parms.dev.ifindex)
  w.putU32(Ndtpa.REFCNT, 1)
  w.putU32(Ndtpa.QUEUE_LENBYTES, parms.queueLenBytes)
  w.putU32(Ndtpa.QUEUE_LEN, Math.floor(parms.queueLenBytes / FRAME_TRUESIZE))
  w.putU32(Ndtpa.PROXY_QLEN, parms.proxyQlen)
  w.putU32(Ndtpa.APP_PROBES, parms.appProbes)
  w.putU32(Ndtpa.UCAST_PROBES, parms.ucastProbes)
  w.putU32(Ndtpa.MCAST_PROBES, parms.mcastProbes)
  w.putU32(Ndtpa.MCAST_REPROBES, parms.mcastReprobes)
  w.putU64(Ndtpa.REACHABLE_TIME, BigInt(parms.reachableTime))
  w.putU64(Ndtpa.BASE_REACHABLE_TIME, BigInt(parms.baseReachableTime))
  w.putU64(Ndtpa.GC_STALETIME, BigInt(parms.gcStaletime))
  w.putU64(Ndtpa.DELAY_PROBE_TIME, BigInt(parms.delayProbeTime))
  w.putU64(Ndtpa.RETRANS_TIME, BigInt(parms.retransTime))
  w.putU64(Ndtpa.ANYCAST_DELAY, BigInt(parms.anycastDelay))
  w.putU64(Ndtpa.PROXY_DELAY, BigInt(parms.proxyDelay))
  w.putU64(Ndtpa.LOCKTIME, BigInt(parms.locktime))
  w.nestEnd(at)
}

import { Errno } from '@vnet/kernel'
import { FqCodelQdisc, PRIO2BAND, devGetByIndex, forEachNetdev, qdiscStats } from '@vnet/netdev'
import type { NetDevice, Qdisc } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { NLMSG_HDRLEN } from '../codec/nlmsg.ts'
import { nlaPolicy } from '../codec/policy.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { DumpEntry, NlDump } from '../core/dump.ts'
import type { NlRequest } from '../core/request.ts'
import { Rtm } from './constants.ts'
import { nlmsgParse } from './rtnl.ts'
import { fqCodelXstats, putFqCodelOptions } from './fq-codel.ts'

/** @kernel struct tcmsg include/uapi/linux/rtnetlink.h */
const TCMSG_LEN = 20
/** The place of a device's first qdisc. @kernel TC_H_ROOT include/uapi/linux/pkt_sched.h */
const TC_H_ROOT = 0xffffffff
/** @kernel TCA_KIND include/uapi/linux/rtnetlink.h */
const Tca = { KIND: 1, OPTIONS: 2, STATS: 3, XSTATS: 4, STATS2: 7, HW_OFFLOAD: 12 } as const
/** @kernel TCA_STATS_BASIC include/uapi/linux/gen_stats.h */
const TcaStats = { BASIC: 1, QUEUE: 3, APP: 4 } as const
const BANDS = 3

const tcaPolicy = nlaPolicy({ [Tca.KIND]: { name: 'kind', kind: 'string' } })

/** A qdisc and its place: the root, or a number below it. */
interface Placed {
  readonly qdisc: Qdisc
  readonly parent: number
}

/** The qdiscs of a device, the root first. The one that drops everything while a device is down does not count. */
function placedQdiscs(dev: NetDevice<any>): Placed[] {
  const root = dev.qdisc
  if (root === dev.noop) return []
  const below = root.children.map((qdisc, i) => ({ qdisc, parent: (root.handle | (i + 1)) >>> 0 }))
  return [{ qdisc: root, parent: TC_H_ROOT }, ...below]
}

/** @kernel tc_fill_qdisc() net/sched/sch_api.c */
function fillQdisc(w: NlWriter, dev: NetDevice<any>, { qdisc, parent }: Placed): void {
  w.u32(0)
  w.u32(dev.ifindex)
  w.u32(qdisc.handle)
  w.u32(parent)
  // Its users: the device, and the queue it feeds.
  w.u32(parent === TC_H_ROOT ? 2 : 1)
  w.putString(Tca.KIND, qdisc.id)
  if (qdisc.id === 'pfifo_fast') putPrioOptions(w)
  if (qdisc instanceof FqCodelQdisc) putFqCodelOptions(w, qdisc)
  w.putU8(Tca.HW_OFFLOAD, 0)
  putQdiscStats(w, qdisc)
}

/** @kernel struct tc_prio_qopt include/uapi/linux/pkt_sched.h */
function putPrioOptions(w: NlWriter): void {
  const options = new Uint8Array(20)
  options[0] = BANDS
  options.set(PRIO2BAND, 4)
  w.putBinary(Tca.OPTIONS, options)
}

/** New and old form of the counters. @kernel gnet_stats_finish_copy() net/core/gen_stats.c */
function putQdiscStats(w: NlWriter, qdisc: Qdisc): void {
  const s = qdiscStats(qdisc)
  const at = w.nestStartNoflag(Tca.STATS2)
  const basic = new DataView(new ArrayBuffer(16))
  basic.setBigUint64(0, BigInt(s.bytes), true)
  basic.setUint32(8, s.packets, true)
  w.putBinary(TcaStats.BASIC, new Uint8Array(basic.buffer))
  const queue = Uint32Array.of(s.qlen, s.backlog, s.drops, s.requeues, s.overlimits)
  w.putBinary(TcaStats.QUEUE, new Uint8Array(queue.buffer))
  if (qdisc instanceof FqCodelQdisc) w.putBinary(TcaStats.APP, fqCodelXstats(qdisc))
  w.nestEnd(at)
  if (qdisc instanceof FqCodelQdisc) w.putBinary(Tca.XSTATS, fqCodelXstats(qdisc))
  const old = new DataView(new ArrayBuffer(40))
  old.setBigUint64(0, BigInt(s.bytes), true)
  for (const [i, value] of [s.packets, s.drops, s.overlimits, 0, 0, s.qlen, s.backlog].entries()) {
    old.setUint32(8 + i * 4, value, true)
  }
  w.putBinary(Tca.STATS, new Uint8Array(old.buffer))
}

/** Tells of one qdisc, by its place. @throws Errno ENODEV, ENOENT @kernel tc_get_qdisc() net/sched/sch_api.c */
export function tcGetQdisc(request: NlRequest): void {
  nlmsgParse(request, TCMSG_LEN, tcaPolicy, 'liberal')
  const dev = devGetByIndex(request.kernel, request.view.getInt32(NLMSG_HDRLEN + 4, true))
  if (dev === undefined) throw new Errno('ENODEV')
  const handle = request.view.getUint32(NLMSG_HDRLEN + 8, true)
  const parent = request.view.getUint32(NLMSG_HDRLEN + 12, true)
  const found = placedQdiscs(dev).find((one) =>
    parent === 0 ? handle !== 0 && one.qdisc.handle === handle : one.parent === parent,
  )
  if (found === undefined) {
    const what = parent === 0 ? 'handle' : 'classid'
    throw new NetlinkError('ENOENT', `Failed to find qdisc with specified ${what}`)
  }
  request.reply(Rtm.NEWQDISC, (w) => fillQdisc(w, dev, found))
}

/** Tells of all qdiscs of all devices; the program picks. @kernel tc_dump_qdisc() net/sched/sch_api.c */
export function tcDumpQdisc(request: NlRequest): NlDump {
  nlmsgParse(request, TCMSG_LEN, tcaPolicy, 'liberal')
  return { type: Rtm.NEWQDISC, entries: entries(request) }
}

function* entries(request: NlRequest): Generator<DumpEntry> {
  for (const { ifindex } of forEachNetdev(request.kernel)) {
    const dev = devGetByIndex(request.kernel, ifindex)
    if (dev === undefined) continue
    for (const placed of placedQdiscs(dev)) yield (w) => fillQdisc(w, dev, placed)
  }
}

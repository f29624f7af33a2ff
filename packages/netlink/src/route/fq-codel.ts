import type { CodelParams, FqCodelQdisc } from '@vnet/netdev'
import type { NlWriter } from '../codec/writer.ts'

/** @kernel TCA_FQ_CODEL_TARGET include/uapi/linux/pkt_sched.h */
const TcaFqCodel = {
  TARGET: 1,
  LIMIT: 2,
  INTERVAL: 3,
  ECN: 4,
  FLOWS: 5,
  QUANTUM: 6,
  DROP_BATCH_SIZE: 8,
  MEMORY_LIMIT: 9,
} as const
/** Counters of the qdisc, not of a class. @kernel TCA_FQ_CODEL_XSTATS_QDISC include/uapi/linux/pkt_sched.h */
const XSTATS_QDISC = 0

/** In microseconds; CoDel's units are 1,024 ns, so 5 ms come back as 4,999 µs, as from the kernel. @kernel codel_time_to_us() include/net/codel.h */
const us = (params: CodelParams, what: 'target' | 'interval'): number =>
  Math.floor((params[what] * 1024) / 1000)

/** The settings of an fq_codel. @kernel fq_codel_dump() net/sched/sch_fq_codel.c */
export function putFqCodelOptions(w: NlWriter, qdisc: FqCodelQdisc): void {
  const at = w.nestStartNoflag(2)
  w.putU32(TcaFqCodel.TARGET, us(qdisc.params, 'target'))
  w.putU32(TcaFqCodel.LIMIT, qdisc.limit)
  w.putU32(TcaFqCodel.INTERVAL, us(qdisc.params, 'interval'))
  w.putU32(TcaFqCodel.ECN, qdisc.params.ecn ? 1 : 0)
  w.putU32(TcaFqCodel.QUANTUM, qdisc.quantum)
  w.putU32(TcaFqCodel.DROP_BATCH_SIZE, qdisc.dropBatch)
  w.putU32(TcaFqCodel.MEMORY_LIMIT, qdisc.memoryLimit)
  w.putU32(TcaFqCodel.FLOWS, qdisc.flowsCount)
  w.nestEnd(at)
}

/** Its own counters. @kernel struct tc_fq_codel_xstats include/uapi/linux/pkt_sched.h */
export function fqCodelXstats(qdisc: FqCodelQdisc): Uint8Array {
  const s = qdisc.flowStats
  const words = [XSTATS_QDISC, s.maxPacket, s.dropOverlimit, s.ecnMark, s.newFlowCount]
  words.push(s.newFlowsLen, s.oldFlowsLen, 0, s.memoryUsage, s.dropOvermemory)
  return new Uint8Array(Uint32Array.from(words).buffer)
}

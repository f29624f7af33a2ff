import type { Qdisc } from './qdisc.ts'

/** What `tc -s qdisc` shows of a qdisc, its children added up. @kernel struct gnet_stats_queue include/uapi/linux/gen_stats.h */
export interface QdiscStats {
  bytes: number
  packets: number
  qlen: number
  backlog: number
  drops: number
  requeues: number
  overlimits: number
}

/** The counters of a qdisc and of everything below it. @kernel mq_dump_common() net/sched/sch_mq.c */
export function qdiscStats(qdisc: Qdisc): QdiscStats {
  const { bytes, packets, qlen, backlog, drops, requeues, overlimits } = qdisc
  const sum: QdiscStats = { bytes, packets, qlen, backlog, drops, requeues, overlimits }
  for (const child of qdisc.children) {
    const one = qdiscStats(child)
    for (const key of Object.keys(sum) as (keyof QdiscStats)[]) sum[key] += one[key]
  }
  return sum
}

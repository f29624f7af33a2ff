import { devHardStartXmit, xmitLock, xmitUnlock } from '../hard-start.ts'
import { netifScheduleQdisc } from '../schedule.ts'
import type { NetDevice } from '../netdevice.ts'
import type { NetdevQueue } from '../queue.ts'
import { QueueState } from '../queue-state.ts'
import type { SkBuff } from '../skbuff.ts'
import { skbDequeue, skbQueueHead } from '../skb-queue.ts'
import { validateXmitSkb, validateXmitSkbList } from '../validate.ts'
import type { Qdisc } from './qdisc.ts'

/** Packets one run sends before it leaves the rest to the softirq. @kernel net_hotdata.dev_tx_weight net/core/hotdata.c */
const TX_WEIGHT = 64

/** Sends what waits, unless someone is at it. Softirqs are off. @kernel qdisc_run() include/net/pkt_sched.h */
export function qdiscRun(qdisc: Qdisc): void {
  if (qdisc.running || qdisc.txq === null || qdisc.deactivated) return
  qdisc.running = true
  qdiscRunLoop(qdisc, qdisc.txq)
  qdisc.running = false
}

/** Sends until the qdisc is empty, the queue stops or the weight is spent. @kernel __qdisc_run() net/sched/sch_generic.c */
export function qdiscRunLoop(qdisc: Qdisc, txq: NetdevQueue): void {
  let quota = TX_WEIGHT
  while (quota > 0) {
    const sent = qdiscRestart(qdisc, txq)
    if (sent === 0) return
    quota -= sent
  }
  if (qdisc.qlen !== 0) netifScheduleQdisc(qdisc)
}

/** Takes one burst out and sends it. @returns packets taken, 0 to stop. @kernel qdisc_restart() net/sched/sch_generic.c */
function qdiscRestart(qdisc: Qdisc, txq: NetdevQueue): number {
  if ((txq.state & QueueState.ANY_XOFF_OR_FROZEN) !== 0) return 0
  const again = skbDequeue(qdisc.requeued)
  if (again !== null) {
    qdisc.qlen--
    qdisc.backlog -= again.len
    // Checked when it was first sent.
    return schDirectXmit(again, qdisc, txq) ? 1 : 0
  }
  const first = qdisc.dequeue()
  if (first === null) return 0
  const packets = bulkDequeue(qdisc, txq, first)
  const tp = qdisc.dev.net.tpDequeue
  if (tp.enabled) tp.emit(qdisc.dev.name, txq.index, packets, qdisc.qlen)
  const list = packets === 1 ? validateXmitSkb(first, qdisc.dev) : validateXmitSkbList(first, qdisc.dev)
  if (list === null) return packets
  return schDirectXmit(list, qdisc, txq) ? packets : 0
}

/** Adds packets to a burst while the byte limit has room. @kernel try_bulk_dequeue_skb() net/sched/sch_generic.c */
function bulkDequeue(qdisc: Qdisc, txq: NetdevQueue, first: SkBuff): number {
  let room = txq.dql.avail() - first.len
  let last = first
  let packets = 1
  while (room > 0 && packets < TX_WEIGHT) {
    const skb = qdisc.dequeue()
    if (skb === null) break
    room -= skb.len
    last.next = skb
    last = skb
    packets++
  }
  return packets
}

/**
 * Hands checked packets to the driver; what it does not take goes back to the front of the qdisc.
 *
 * @returns false when something was put back
 * @kernel sch_direct_xmit() net/sched/sch_generic.c
 */
export function schDirectXmit(list: SkBuff, qdisc: Qdisc, txq: NetdevQueue): boolean {
  const dev: NetDevice<any> = txq.dev
  let rest: SkBuff | null = list
  if ((txq.state & QueueState.ANY_XOFF_OR_FROZEN) === 0) {
    xmitLock(dev, txq)
    rest = devHardStartXmit(list, dev, txq)
    xmitUnlock(txq)
  }
  if (rest === null) return true
  devRequeueSkb(rest, qdisc, txq)
  return false
}

/** Puts packets back in front, in order: they go first. @kernel dev_requeue_skb() net/sched/sch_generic.c @rule TXQ-12 */
export function devRequeueSkb(list: SkBuff, qdisc: Qdisc, txq: NetdevQueue): void {
  let skb: SkBuff | null = reversed(list)
  while (skb !== null) {
    const next: SkBuff | null = skb.next
    skb.next = null
    skbQueueHead(qdisc.requeued, skb)
    qdisc.requeues++
    qdisc.qlen++
    qdisc.backlog += skb.len
    skb = next
  }
  // Stopped: whoever wakes the queue schedules it. Otherwise the driver said BUSY and nobody will.
  if ((txq.state & QueueState.ANY_XOFF_OR_FROZEN) === 0) netifScheduleQdisc(qdisc)
}

function reversed(list: SkBuff): SkBuff {
  let done: SkBuff = list
  let skb: SkBuff | null = list.next
  list.next = null
  while (skb !== null) {
    const next: SkBuff | null = skb.next
    skb.next = done
    done = skb
    skb = next
  }
  return done
}

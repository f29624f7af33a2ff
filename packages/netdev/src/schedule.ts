import { Softirq, raiseSoftirq } from '@vnet/kernel'
import type { Net } from './net.ts'
import type { Qdisc } from './qdisc/qdisc.ts'
import type { NetdevQueue } from './queue.ts'
import { xmitRestore, xmitState } from './hard-start.ts'
import { qdiscRun } from './qdisc/run.ts'
import { QueueState } from './queue.ts'

/**
 * Has a qdisc run in the NET_TX softirq. Any context.
 *
 * @kernel __netif_schedule() net/core/dev.c
 */
export function netifScheduleQdisc(qdisc: Qdisc): void {
  if (qdisc.scheduled) return
  qdisc.scheduled = true
  const net = qdisc.dev.net
  if (net.outputQueueTail === null) net.outputQueue = qdisc
  else net.outputQueueTail.nextScheduled = qdisc
  net.outputQueueTail = qdisc
  raiseSoftirq(net.kernel, Softirq.NET_TX)
}

/** Has the qdisc of a queue run, unless the queue is stopped. @kernel netif_schedule_queue() net/core/dev.c */
export function netifScheduleQueue(txq: NetdevQueue): void {
  if ((txq.state & QueueState.ANY_XOFF) === 0 && txq.qdisc.hasQueue) netifScheduleQdisc(txq.qdisc)
}

/** The NET_TX softirq: runs every qdisc that was scheduled when it began, once. @kernel net_tx_action() net/core/dev.c */
export function netTxAction(net: Net): void {
  const last = net.outputQueueTail
  let qdisc = net.outputQueue
  while (qdisc !== null) {
    net.outputQueue = qdisc.nextScheduled
    if (net.outputQueue === null) net.outputQueueTail = null
    qdisc.nextScheduled = null
    qdisc.scheduled = false
    if (!qdisc.deactivated) runScheduled(net, qdisc)
    qdisc = qdisc === last ? null : net.outputQueue
  }
}

/** A driver that throws must not leave its queue locked, nor the others waiting. */
function runScheduled(net: Net, qdisc: Qdisc): void {
  const { txq } = qdisc
  if (txq === null) return
  const held = xmitState(txq)
  try {
    qdiscRun(qdisc)
  } catch (error) {
    xmitRestore(txq, held)
    if (net.outputQueue !== null) raiseSoftirq(net.kernel, Softirq.NET_TX)
    throw error
  }
}

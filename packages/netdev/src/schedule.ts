import { Softirq, raiseSoftirq } from '@vnet/kernel'
import type { Qdisc } from './qdisc/qdisc.ts'
import type { NetdevQueue } from './queue.ts'
import { QueueState } from './queue-state.ts'

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

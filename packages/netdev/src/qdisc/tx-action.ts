import { Softirq, raiseSoftirq } from '@vnet/kernel'
import { xmitRestore, xmitState } from '../hard-start.ts'
import type { Net } from '../net.ts'
import type { Qdisc } from './qdisc.ts'
import { qdiscRun } from './run.ts'

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

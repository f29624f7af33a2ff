import { type NetdevQueue, netifTxQueueStopped } from './queue.ts'
import { QueueState } from './queue-state.ts'
import { netifScheduleQueue } from './schedule.ts'
import { watchdogArm } from './watchdog-arm.ts'

/**
 * Reports bytes handed to the card. Call it in `ndoStartXmit`, before the doorbell.
 *
 * @kernel netdev_tx_sent_queue() include/linux/netdevice.h
 * @rule BQL-01 BQL-04
 */
export function netdevTxSentQueue(txq: NetdevQueue, bytes: number): void {
  const dql = txq.dql
  dql.queued(bytes)
  if (dql.avail() < 0) stopByLimit(txq)
}

/** Apart: what is rare must not use up the bytecode V8 inlines. */
function stopByLimit(txq: NetdevQueue): void {
  if ((txq.state & QueueState.STACK_XOFF) !== 0) return
  txq.transStart = txq.dev.kernel.clock.ktimeGetCoarse()
  txq.state |= QueueState.STACK_XOFF
  watchdogArm(txq.dev)
}

/**
 * Reports bytes handed to the card, and says whether to ring the doorbell now.
 *
 * @param xmitMore - what `netdevXmitMore` says
 * @returns true: ring it
 * @kernel __netdev_tx_sent_queue() include/linux/netdevice.h
 * @rule TXQ-18 BQL-01
 */
export function __netdevTxSentQueue(txq: NetdevQueue, bytes: number, xmitMore: boolean): boolean {
  if (xmitMore) {
    txq.dql.queued(bytes)
    return netifTxQueueStopped(txq)
  }
  netdevTxSentQueue(txq, bytes)
  return true
}

/**
 * Reports finished packets. Call it once per poll.
 *
 * @kernel netdev_tx_completed_queue() include/linux/netdevice.h
 * @rule BQL-01 BQL-02 BQL-04
 */
export function netdevTxCompletedQueue(txq: NetdevQueue, pkts: number, bytes: number): void {
  if (bytes === 0) return
  const dql = txq.dql
  if (bytes > dql.inflight) {
    const { name, kernel } = txq.dev
    kernel.warnOn(
      'BQL-01',
      `${name} queue ${txq.index}: ${bytes} bytes in ${pkts} packets completed, ${dql.inflight} in flight`,
    )
    bytes = dql.inflight
  }
  dql.completed(bytes)
  if (dql.avail() < 0) return
  if ((txq.state & QueueState.STACK_XOFF) === 0) return
  txq.state &= ~QueueState.STACK_XOFF
  netifScheduleQueue(txq)
}

/**
 * Forgets what is in flight: the ring was emptied otherwise than by completion. For stop and reset.
 *
 * @kernel netdev_tx_reset_queue() include/linux/netdevice.h
 * @rule BQL-03
 */
export function netdevTxResetQueue(txq: NetdevQueue): void {
  txq.state &= ~QueueState.STACK_XOFF
  txq.dql.reset()
}

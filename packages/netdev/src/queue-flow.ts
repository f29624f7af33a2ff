import { netdevTxCompletedQueue } from './bql.ts'
import { netifCarrierOk } from './carrier.ts'
import { netifRunning } from './running.ts'
import {
  type NetdevQueue,
  netifTxQueueStopped,
  netifTxStartQueue,
  netifTxStopQueue,
  netifTxWakeQueue,
} from './queue.ts'

/** What the stop and wake helpers ask of a driver's ring. @kernel none */
export interface TxRing {
  /** Descriptors the driver may still fill. */
  avail(): number
}

/**
 * Stops the queue when fewer than `stopThrs` descriptors are free, then looks again.
 *
 * Call it from `ndoStartXmit`, after publishing the producer index. It may still be woken
 * while the ring is full: check for room when xmit begins.
 *
 * @returns 0 stopped, 1 left running, -1 stopped and started again
 * @kernel netif_txq_maybe_stop() include/net/netdev_queues.h
 * @rule TXQ-05 TXQ-06 TXQ-07
 */
export function netifTxqMaybeStop(
  txq: NetdevQueue,
  ring: TxRing,
  stopThrs: number,
  startThrs: number,
): 0 | 1 | -1 {
  if (ring.avail() >= stopThrs) return 1
  return netifTxqTryStop(txq, ring, startThrs)
}

/**
 * Stops the queue, and starts it again if `startThrs` descriptors became free meanwhile.
 *
 * @returns 0 stopped, -1 stopped and started again
 * @kernel netif_txq_try_stop() include/net/netdev_queues.h
 * @rule TXQ-05
 */
export function netifTxqTryStop(txq: NetdevQueue, ring: TxRing, startThrs: number): 0 | -1 {
  const kernel = txq.dev.kernel
  // A completion that frees everything here still finds the queue awake: without the second look nobody would wake it.
  if (kernel.preemptHook !== null) kernel.preemptHook('xmit:before-stop')
  netifTxStopQueue(txq)
  if (kernel.preemptHook !== null) kernel.preemptHook('xmit:after-stop')
  if (ring.avail() < startThrs) return 0
  netifTxStartQueue(txq)
  return -1
}

/**
 * Reports completions to the byte limit and wakes the queue if `startThrs` descriptors are free.
 *
 * Call it once per poll, after moving the reclaim index. With the carrier off or the device going down the queue is
 * left alone; the carrier's return makes up for it.
 *
 * @returns 0 woken, 1 it was running or must not run now, -1 too few are free
 * @kernel netif_txq_completed_wake() include/net/netdev_queues.h
 * @rule TXQ-06 TXQ-07 TXQ-10 BQL-02
 */
export function netifTxqCompletedWake(
  txq: NetdevQueue,
  pkts: number,
  bytes: number,
  ring: TxRing,
  startThrs: number,
): 0 | 1 | -1 {
  const dev = txq.dev
  if (dev.kernel.preemptHook !== null) dev.kernel.preemptHook('reclaim:after-index')
  netdevTxCompletedQueue(txq, pkts, bytes)
  if (pkts === 0 || ring.avail() < startThrs) return -1
  if (!netifTxQueueStopped(txq)) return 1
  if (!netifRunning(dev)) return 1
  if (!netifCarrierOk(dev)) {
    txq.wakeOwed = true
    return 1
  }
  netifTxWakeQueue(txq)
  return 0
}

import type { NetDevice } from './netdevice.ts'
import type { Qdisc } from './qdisc/qdisc.ts'
import { waitForXmit } from './blocked.ts'
import { Dql } from './dql.ts'
import { QueueState } from './queue-state.ts'
import { netifScheduleQueue } from './schedule.ts'
import { watchdogArm } from './watchdog-arm.ts'

/**
 * One transmit queue of a device.
 *
 * @kernel struct netdev_queue include/linux/netdevice.h
 */
export class NetdevQueue {
  declare readonly dev: NetDevice<any>
  declare readonly index: number
  /** {@link QueueState} bits. Read it; the functions of this file change it. */
  declare state: number
  /** The xmit lock: true while `ndoStartXmit` runs. */
  declare xmitLocked: boolean
  /** In use now; `noop` while the device is down or has no carrier. */
  declare qdisc: Qdisc
  /** The configured one, in use once the device is up with carrier. */
  declare qdiscSleeping: Qdisc
  declare readonly dql: Dql
  /** Kernel time at which the queue was last stopped or activated: the watchdog counts from there. */
  declare transStart: number
  /** How often the watchdog fired for this queue. */
  declare txTimeouts: number
  /** How often the driver stopped it, and how often it let it go on. @rule STAT-14 */
  declare stops: number
  declare wakes: number
  /** How often `ndoStartXmit` returned NETDEV_TX_BUSY. @rule TXQ-01 */
  declare busy: number
  /** For the rule checks: the driver took a packet since the queue last went on. */
  declare tookOne: boolean
  /** A wake came while the carrier was off; it is made up for when the carrier returns. @rule TXQ-10 */
  declare wakeOwed: boolean

  constructor(dev: NetDevice<any>, index: number, qdisc: Qdisc) {
    this.dev = dev
    this.index = index
    this.state = 0
    this.xmitLocked = false
    this.qdisc = qdisc
    this.qdiscSleeping = qdisc
    this.dql = new Dql(dev.kernel.clock)
    this.transStart = 0
    this.txTimeouts = 0
    this.stops = 0
    this.wakes = 0
    this.busy = 0
    this.tookOne = false
    this.wakeOwed = false
  }
}

/** Queue `index` of a device. @kernel netdev_get_tx_queue() include/linux/netdevice.h */
export function netdevGetTxQueue(dev: NetDevice<any>, index: number): NetdevQueue {
  const txq = dev.txq[index]
  if (txq === undefined) throw new RangeError(`${dev.name} has no transmit queue ${index}`)
  return txq
}

/** True when the driver stopped the queue. @kernel netif_tx_queue_stopped() include/linux/netdevice.h */
export function netifTxQueueStopped(txq: NetdevQueue): boolean {
  return (txq.state & QueueState.DRV_XOFF) !== 0
}

/** True when the driver or the byte limit stopped the queue. @kernel netif_xmit_stopped() include/linux/netdevice.h @rule BQL-04 */
export function netifXmitStopped(txq: NetdevQueue): boolean {
  return (txq.state & QueueState.ANY_XOFF) !== 0
}

/** True when nothing may be sent on the queue now. @kernel netif_xmit_frozen_or_stopped() include/linux/netdevice.h */
export function netifXmitFrozenOrStopped(txq: NetdevQueue): boolean {
  return (txq.state & QueueState.ANY_XOFF_OR_FROZEN) !== 0
}

/** Stops a queue: no `ndoStartXmit` until it is started or woken. Any context. @kernel netif_tx_stop_queue() include/linux/netdevice.h */
export function netifTxStopQueue(txq: NetdevQueue): void {
  if ((txq.state & QueueState.DRV_XOFF) !== 0) return
  txq.state |= QueueState.DRV_XOFF
  txq.stops++
  txq.transStart = txq.dev.kernel.clock.ktimeGetCoarse()
  watchdogArm(txq.dev)
}

/**
 * Lets a queue go on, without sending what waits. For `ndoOpen` and inside `ndoStartXmit`.
 *
 * @kernel netif_tx_start_queue() include/linux/netdevice.h
 * @rule TXQ-09
 */
export function netifTxStartQueue(txq: NetdevQueue): void {
  txq.wakeOwed = false
  txq.tookOne = false
  if ((txq.state & QueueState.DRV_XOFF) === 0) return
  txq.state &= ~QueueState.DRV_XOFF
  txq.wakes++
}

/**
 * Lets a queue go on and has what waits sent soon, in the NET_TX softirq. Any context.
 *
 * @kernel netif_tx_wake_queue() net/sched/sch_generic.c
 * @rule TXQ-09
 */
export function netifTxWakeQueue(txq: NetdevQueue): void {
  const wasStopped = (txq.state & QueueState.DRV_XOFF) !== 0
  netifTxStartQueue(txq)
  if (wasStopped) netifScheduleQueue(txq)
}

/** Starts every queue. For `ndoOpen`. @kernel netif_tx_start_all_queues() include/linux/netdevice.h */
export function netifTxStartAllQueues(dev: NetDevice<any>): void {
  for (const txq of dev.txq) netifTxStartQueue(txq)
}

/** Wakes every queue. @kernel netif_tx_wake_all_queues() include/linux/netdevice.h */
export function netifTxWakeAllQueues(dev: NetDevice<any>): void {
  for (const txq of dev.txq) netifTxWakeQueue(txq)
}

/**
 * Stops every queue and does not wait: an `ndoStartXmit` may still be running. Use `netifTxDisable` before taking
 * anything away from it.
 *
 * @kernel netif_tx_stop_all_queues() include/linux/netdevice.h
 */
export function netifTxStopAllQueues(dev: NetDevice<any>): void {
  for (const txq of dev.txq) netifTxStopQueue(txq)
  if (dev.kernel.preemptHook !== null) dev.kernel.preemptHook('stop:after-queues')
}

/**
 * Stops every queue and waits for a running `ndoStartXmit` to end. Not from inside one.
 *
 * @kernel netif_tx_disable() include/linux/netdevice.h
 * @rule STOP-02
 */
export function netifTxDisable(dev: NetDevice<any>): void {
  waitForXmit(dev, 'netifTxDisable')
  netifTxStopAllQueues(dev)
}

/** Stops queue 0. @kernel netif_stop_queue() include/linux/netdevice.h */
export function netifStopQueue(dev: NetDevice<any>): void {
  netifTxStopQueue(dev.txq[0]!)
}

/** Starts queue 0. @kernel netif_start_queue() include/linux/netdevice.h */
export function netifStartQueue(dev: NetDevice<any>): void {
  netifTxStartQueue(dev.txq[0]!)
}

/** Wakes queue 0. @kernel netif_wake_queue() include/linux/netdevice.h */
export function netifWakeQueue(dev: NetDevice<any>): void {
  netifTxWakeQueue(dev.txq[0]!)
}

/** True when the driver stopped queue 0. @kernel netif_queue_stopped() include/linux/netdevice.h */
export function netifQueueStopped(dev: NetDevice<any>): boolean {
  return netifTxQueueStopped(dev.txq[0]!)
}

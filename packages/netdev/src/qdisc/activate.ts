import { IffPriv } from '../constants.ts'
import { waitForXmit } from '../blocked.ts'
import { enterControl } from '../control.ts'
import { LinkState, type NetDevice } from '../netdevice.ts'
import { type NetdevQueue, netifTxWakeQueue } from '../queue.ts'
import { netdevWatchdogDown, netdevWatchdogUp, netifTransUpdate } from '../watchdog.ts'
import { MqQdisc } from './mq.ts'
import { noqueueQdiscOps } from './noqueue.ts'
import { NoopQdisc } from './noop.ts'
import type { QdiscOps } from './qdisc.ts'
import { defaultQdisc } from './registry.ts'

/** Gives a device that has no qdisc yet the default ones. @kernel attach_default_qdiscs() net/sched/sch_generic.c */
function attachDefaultQdiscs(dev: NetDevice<any>): void {
  const ops = (dev.privFlags & IffPriv.NO_QUEUE) !== 0 ? noqueueQdiscOps : defaultQdisc(dev.kernel)
  if (dev.numTxQueues > 1 && ops !== noqueueQdiscOps) {
    dev.qdisc = new MqQdisc(dev, ops)
    return
  }
  for (const txq of dev.txq) txq.qdiscSleeping = ops.create(dev, txq)
  dev.qdisc = dev.txq[0]!.qdiscSleeping
}

/**
 * Puts the configured qdiscs to work. Without carrier it only attaches them; the carrier's return does the rest.
 *
 * @kernel dev_activate() net/sched/sch_generic.c
 * @rule LINK-01
 */
export function devActivate(dev: NetDevice<any>): void {
  if (dev.qdisc instanceof NoopQdisc) attachDefaultQdiscs(dev)
  if ((dev.state & LinkState.NOCARRIER) !== 0) return
  let watch = false
  for (const txq of dev.txq) {
    activateQueue(txq)
    if (txq.qdisc.hasQueue) watch = true
  }
  if (!watch) return
  netifTransUpdate(dev)
  netdevWatchdogUp(dev)
}

function activateQueue(txq: NetdevQueue): void {
  txq.qdiscSleeping.deactivated = false
  txq.qdisc = txq.qdiscSleeping
  if (txq.wakeOwed) netifTxWakeQueue(txq)
}

/**
 * Takes the qdiscs out of use and drops what waits in them.
 *
 * @throws ScheduleBlocked at a preemption point of a running xmit, before anything changed
 * @kernel dev_deactivate() net/sched/sch_generic.c
 * @rule LINK-01
 */
export function devDeactivate(dev: NetDevice<any>): void {
  waitForXmit(dev, 'devDeactivate')
  for (const txq of dev.txq) {
    txq.qdiscSleeping.deactivated = true
    txq.qdisc = dev.noop
  }
  netdevWatchdogDown(dev)
  for (const txq of dev.txq) txq.qdiscSleeping.reset()
}

/** Takes a device's qdiscs away for good: it is being unregistered. @kernel dev_shutdown() net/sched/sch_generic.c */
export function devShutdown(dev: NetDevice<any>): void {
  for (const txq of dev.txq) {
    txq.qdiscSleeping.deactivated = true
    txq.qdiscSleeping.reset()
    txq.qdisc = dev.noop
    txq.qdiscSleeping = dev.noop
  }
  dev.qdisc = dev.noop
  netdevWatchdogDown(dev)
}

/**
 * Replaces the root qdisc of a device: one per queue when `ops` is for queues and the device has several. rtnl is held.
 *
 * @kernel qdisc_graft() net/sched/sch_api.c
 */
export function devGraftRoot(dev: NetDevice<any>, ops: QdiscOps): void {
  enterControl(dev, 'devGraftRoot')
  const active = dev.txq.some((txq) => txq.qdisc === txq.qdiscSleeping && txq.qdisc !== dev.noop)
  if (active) devDeactivate(dev)
  for (const txq of dev.txq) txq.qdiscSleeping.reset()
  if (ops.id === 'mq' || (dev.numTxQueues > 1 && ops !== noqueueQdiscOps)) {
    dev.qdisc = new MqQdisc(dev, ops.id === 'mq' ? defaultQdisc(dev.kernel) : ops)
  } else {
    for (const txq of dev.txq) txq.qdiscSleeping = ops.create(dev, txq)
    dev.qdisc = dev.txq[0]!.qdiscSleeping
  }
  if (active) devActivate(dev)
}

/** Drops what waits in queues from `first` on: they were taken away. @kernel qdisc_reset_all_tx_gt() include/net/sch_generic.h @rule MQ-01 */
export function qdiscResetAllTxGt(dev: NetDevice<any>, first: number): void {
  for (let i = first; i < dev.txq.length; i++) dev.txq[i]!.qdiscSleeping.reset()
}

/** True when a packet waits in any queue of the device. @kernel qdisc_all_tx_empty() include/net/sch_generic.h */
export function qdiscAllTxEmpty(dev: NetDevice<any>): boolean {
  return dev.txq.every((txq: NetdevQueue) => txq.qdisc.qlen === 0)
}

import type { NetDevice } from './netdevice.ts'
import { QueueState } from './queue-state.ts'
import { netifScheduleQueue } from './schedule.ts'

/**
 * Thrown when code at a preemption point would have to wait for the code it interrupts.
 *
 * On two CPUs it would spin until the other is done. One thread cannot, so this schedule is impossible: whoever
 * chose it catches this, drops the choice, and may run the same code later. Nothing has been changed yet.
 *
 * @kernel none
 * @rule STOP-02
 */
export class ScheduleBlocked extends Error {
  /** Names the lock that is held. */
  readonly lock: string

  constructor(lock: string) {
    super(`would wait for ${lock}, which the interrupted code holds`)
    this.name = 'ScheduleBlocked'
    this.lock = lock
  }
}

/**
 * Makes sure no `ndoStartXmit` of this device is running: what takes every queue's xmit lock begins with it.
 *
 * @throws ScheduleBlocked when called at a preemption point of a running xmit
 * @kernel none
 * @rule STOP-02
 */
export function waitForXmit(dev: NetDevice<any>, what: string): void {
  for (const txq of dev.txq) {
    if (!txq.xmitLocked) continue
    const lock = `the xmit lock of ${dev.name} queue ${txq.index}`
    if (dev.kernel.preemptHook !== null) throw new ScheduleBlocked(lock)
    dev.kernel.warnOn('STOP-02', `${what} from inside ndoStartXmit waits for ${lock} for ever`)
  }
}

/** Takes every xmit lock of a device at once, so that no packet moves. @kernel netif_tx_lock() include/linux/netdevice.h */
export function netifTxLock(dev: NetDevice<any>): void {
  waitForXmit(dev, 'netifTxLock')
  for (const txq of dev.txq) txq.state |= QueueState.FROZEN
}

/** Lets packets move again, and sends what waited. @kernel netif_tx_unlock() include/linux/netdevice.h */
export function netifTxUnlock(dev: NetDevice<any>): void {
  for (const txq of dev.txq) {
    txq.state &= ~QueueState.FROZEN
    netifScheduleQueue(txq)
  }
}

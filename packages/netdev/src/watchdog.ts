import {
  jiffiesToMsecs,
  localBhDisable,
  localBhEnable,
  modTimer,
  timerDelete,
  timerSetup,
} from '@vnet/kernel'
import { netifTxLock, netifTxUnlock } from './blocked.ts'
import { netdevCrit } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import { type NetdevQueue, netifXmitStopped } from './queue.ts'
import { isWatched, watchdogArm } from './watchdog-arm.ts'

/** Seconds without progress before the alarm, unless the driver says otherwise. @kernel __netdev_watchdog_up() net/sched/sch_generic.c */
const WATCHDOG_SECONDS = 5

/**
 * Starts the transmit watchdog of a device. Only a driver with `ndoTxTimeout` has one.
 *
 * Its timer runs only while a queue is stopped: stopping one arms it.
 *
 * @kernel netdev_watchdog_up() net/sched/sch_generic.c
 * @rule WDT-01 WDT-04
 */
export function netdevWatchdogUp(dev: NetDevice<any>): void {
  if (dev.ops.ndoTxTimeout === undefined) return
  const { clock } = dev.kernel
  if (dev.watchdogTimeo <= 0) dev.watchdogTimeo = WATCHDOG_SECONDS * clock.hz
  dev.watchdogTimer ??= timerSetup(dev.kernel, () => devWatchdog(dev), `${dev.name} watchdog`)
  if (dev.txq.some(netifXmitStopped)) watchdogArm(dev)
}

/** Stops the watchdog. @kernel netdev_watchdog_down() net/sched/sch_generic.c @rule WDT-02 */
export function netdevWatchdogDown(dev: NetDevice<any>): void {
  if (dev.watchdogTimer !== null) timerDelete(dev.watchdogTimer)
}

/** Counts the time of every queue from now. @kernel netif_trans_update() include/linux/netdevice.h */
export function netifTransUpdate(dev: NetDevice<any>): void {
  const now = dev.kernel.clock.ktimeGet()
  for (const txq of dev.txq) txq.transStart = now
}

/** Looks for a stopped queue without progress. In the timer softirq. @kernel dev_watchdog() net/sched/sch_generic.c @rule WDT-01 WDT-02 */
function devWatchdog(dev: NetDevice<any>): void {
  const { clock } = dev.kernel
  // Not running, detached or without carrier: the timer ends here and is started again when that changes.
  if (!isWatched(dev)) return
  const now = clock.ktimeGet()
  const limit = dev.watchdogTimeo * clock.tickNs
  let oldest = now
  let stopped = 0
  let late: NetdevQueue | null = null
  for (const txq of dev.txq) {
    if (!netifXmitStopped(txq)) continue
    stopped++
    if (now - txq.transStart >= limit) {
      late = txq
      break
    }
    if (txq.transStart < oldest) oldest = txq.transStart
  }
  // All run: the next that is stopped arms the timer again.
  if (stopped === 0) return
  if (late !== null) txTimeout(dev, late, now)
  // Not yet late: look again the moment the oldest would be.
  const from = late === null ? Math.floor(oldest / clock.tickNs) : clock.jiffies
  if (isWatched(dev)) {
    modTimer(dev.watchdogTimer!, from + dev.watchdogTimeo)
  }
}

function txTimeout(dev: NetDevice<any>, txq: NetdevQueue, now: number): void {
  const { kernel, net } = dev
  const ms = jiffiesToMsecs(kernel, Math.floor((now - txq.transStart) / kernel.clock.tickNs))
  txq.txTimeouts++
  if (net.tpXmitTimeout.enabled) net.tpXmitTimeout.emit(dev.name, txq.index)
  netdevCrit(dev, `NETDEV WATCHDOG: CPU: 0: transmit queue ${txq.index} timed out ${ms} ms`)
  const before = kernel.currentModule
  netifTxLock(dev)
  localBhDisable(kernel)
  kernel.currentModule = dev.module
  try {
    dev.ops.ndoTxTimeout!(dev, txq.index)
  } finally {
    kernel.currentModule = before
    netifTxUnlock(dev)
    localBhEnable(kernel)
  }
}

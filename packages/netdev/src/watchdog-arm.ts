import { modTimer, timerPending } from '@vnet/kernel'
import { LinkState, type NetDevice } from './netdevice.ts'

/** True while the watchdog has anything to watch: the device runs, is there, and has a carrier. @kernel none */
export function isWatched(dev: NetDevice<any>): boolean {
  const { START, PRESENT, NOCARRIER } = LinkState
  return (dev.state & (START | PRESENT | NOCARRIER)) === (START | PRESENT)
}

/**
 * Has the watchdog look at a queue that was just stopped, once its time is over. A device none of whose queues is
 * stopped has no timer, so that idle ones cost nothing.
 *
 * @kernel none
 * @rule WDT-01 WDT-02
 */
export function watchdogArm(dev: NetDevice<any>): void {
  const timer = dev.watchdogTimer
  if (timer === null || timerPending(timer) || !isWatched(dev)) return
  modTimer(timer, dev.kernel.clock.jiffies + dev.watchdogTimeo)
}

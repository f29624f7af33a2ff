import { Errno, mightSleep } from '@vnet/kernel'
import { waitForXmit } from './blocked.ts'
import { Iff } from './constants.ts'
import { callNdo, enterControl } from './control.ts'
import { LinkState, type NetDevice } from './netdevice.ts'
import { callNetdeviceNotifiers, tellNetdeviceNotifiers } from './notifier.ts'
import { devActivate, devDeactivate } from './qdisc/activate.ts'
import { devSetRxMode } from './rx-mode.ts'
import { netifDevicePresent } from './running.ts'

/**
 * Brings a device up. Does nothing when it is up. rtnl is held.
 *
 * @throws Errno the driver's or a listener's; ENODEV when unregistered or detached
 * @kernel dev_open() net/core/dev.c
 * @rule OPEN-01 CTX-01
 */
export function devOpen(dev: NetDevice<any>): void {
  enterControl(dev, 'devOpen')
  if ((dev.flags & Iff.UP) !== 0) return
  devOpenLocked(dev)
  tellNetdeviceNotifiers('NETDEV_UP', dev)
}

/** The opening itself, without the notice at the end. @kernel __dev_open() net/core/dev.c @rule OPEN-01 ADDR-03 */
export function devOpenLocked(dev: NetDevice<any>): void {
  const { ops } = dev
  if (!netifDevicePresent(dev)) throw new Errno('ENODEV')
  callNetdeviceNotifiers('NETDEV_PRE_UP', dev)
  dev.state |= LinkState.START
  try {
    if (ops.ndoValidateAddr !== undefined) callNdo(dev, 'ndoValidateAddr', () => ops.ndoValidateAddr!(dev))
    if (ops.ndoOpen !== undefined) callNdo(dev, 'ndoOpen', () => ops.ndoOpen!(dev))
  } catch (error) {
    dev.state &= ~LinkState.START
    throw error
  }
  dev.flags |= Iff.UP
  if (dev.kernel.checks) checkLimits(dev)
  devSetRxMode(dev)
  devActivate(dev)
}

/** The ring is new, so nothing of it can be in flight. */
function checkLimits(dev: NetDevice<any>): void {
  for (const { dql, index } of dev.txq) {
    if (dql.inflight === 0) continue
    dev.kernel.warnOn(
      'BQL-03',
      `${dev.name} queue ${index}: opened with ${dql.inflight} bytes in flight, reset the limit at stop`,
    )
  }
}

/**
 * Brings a device down. Does nothing when it is down. rtnl is held.
 *
 * @throws Errno ENODEV when unregistered
 * @throws ScheduleBlocked at a preemption point of a running xmit, before anything changed
 * @kernel dev_close() net/core/dev.c
 * @rule STOP-05 CTX-01
 */
export function devClose(dev: NetDevice<any>): void {
  enterControl(dev, 'devClose')
  devCloseLocked(dev)
}

/** The closing itself. @kernel dev_close_many() net/core/dev.c @rule STOP-05 LIFE-03 */
export function devCloseLocked(dev: NetDevice<any>): void {
  if ((dev.flags & Iff.UP) === 0) return
  devStop(dev)
  tellNetdeviceNotifiers('NETDEV_DOWN', dev)
}

/** Stops queues and driver, without the notice at the end. @kernel __dev_close_many() net/core/dev.c @rule STOP-05 */
export function devStop(dev: NetDevice<any>): void {
  const { ops } = dev
  mightSleep(dev.kernel, 'devClose')
  waitForXmit(dev, 'devClose')
  tellNetdeviceNotifiers('NETDEV_GOING_DOWN', dev)
  dev.state &= ~LinkState.START
  devDeactivate(dev)
  if (ops.ndoStop !== undefined) callNdo(dev, 'ndoStop', () => ops.ndoStop!(dev))
  dev.flags &= ~Iff.UP
}

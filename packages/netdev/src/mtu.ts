import { Errno } from '@vnet/kernel'
import { callNdo, enterControl } from './control.ts'
import type { NetDevice } from './netdevice.ts'
import { callNetdeviceNotifiers, tellNetdeviceNotifiers } from './notifier.ts'
import { netifDevicePresent } from './running.ts'

/**
 * Checks an MTU against the device's limits.
 *
 * @throws Errno EINVAL with a sentence
 * @kernel dev_validate_mtu() net/core/dev.c
 * @rule MTU-02
 */
export function devValidateMtu(dev: NetDevice<any>, mtu: number): void {
  if (!Number.isInteger(mtu) || mtu < 0 || mtu < dev.minMtu)
    throw new Errno('EINVAL', 'mtu less than device minimum')
  if (dev.maxMtu > 0 && mtu > dev.maxMtu) throw new Errno('EINVAL', 'mtu greater than device maximum')
}

/**
 * Changes the MTU; the same value does nothing. rtnl is held.
 *
 * The driver's `ndoChangeMtu` makes room first; `dev.mtu` is set when it returns, if it did not set it itself.
 *
 * @throws Errno EINVAL with a sentence, ENODEV, or the driver's or a listener's
 * @kernel dev_set_mtu() net/core/dev.c
 * @rule MTU-02 MTU-03
 */
export function devSetMtu(dev: NetDevice<any>, mtu: number): void {
  enterControl(dev, 'devSetMtu')
  if (mtu === dev.mtu) return
  devValidateMtu(dev, mtu)
  if (!netifDevicePresent(dev)) throw new Errno('ENODEV')
  callNetdeviceNotifiers('NETDEV_PRECHANGEMTU', dev, mtu)
  const before = dev.mtu
  applyMtu(dev, mtu)
  try {
    callNetdeviceNotifiers('NETDEV_CHANGEMTU', dev)
  } catch (error) {
    // A listener refused: go back, and tell those who know of the new one.
    applyMtu(dev, before)
    tellNetdeviceNotifiers('NETDEV_CHANGEMTU', dev)
    throw error
  }
}

function applyMtu(dev: NetDevice<any>, mtu: number): void {
  const { ops } = dev
  if (ops.ndoChangeMtu !== undefined) callNdo(dev, 'ndoChangeMtu', () => ops.ndoChangeMtu!(dev, mtu))
  dev.mtu = mtu
}

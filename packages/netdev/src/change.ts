import { Errno } from '@vnet/kernel'
import { IFALIASZ, Iff, IffPriv } from './constants.ts'
import { callNdo, enterControl } from './control.ts'
import { netifCarrierOk } from './carrier.ts'
import { devGetValidName } from './name.ts'
import { netdevInfo } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import { callNetdeviceNotifiers, netdevStateChange, tellNetdeviceNotifiers } from './notifier.ts'
import { netifDevicePresent } from './running.ts'

/**
 * Renames a device; a pattern with `%d` takes the lowest free number. rtnl is held.
 *
 * @throws Errno EBUSY while up (unless IffPriv.LIVE_RENAME_OK), EINVAL, EEXIST, or a listener's
 * @kernel dev_change_name() net/core/dev.c
 * @rule LIFE-09
 */
export function devChangeName(dev: NetDevice<any>, want: string): void {
  enterControl(dev, 'devChangeName')
  if ((dev.flags & Iff.UP) !== 0 && (dev.privFlags & IffPriv.LIVE_RENAME_OK) === 0) throw new Errno('EBUSY')
  const before = dev.name
  if (want === before) return
  const { net } = dev
  setName(dev, devGetValidName(net, want))
  try {
    callNetdeviceNotifiers('NETDEV_CHANGENAME', dev, before)
  } catch (error) {
    setName(dev, before)
    tellNetdeviceNotifiers('NETDEV_CHANGENAME', dev, want)
    throw error
  }
  netdevInfo(dev, `renamed from ${before}`)
}

function setName(dev: NetDevice<any>, name: string): void {
  const { devByName } = dev.net
  devByName.delete(dev.name)
  dev.net.lowestFree.clear()
  dev.name = name
  devByName.set(name, dev)
}

/**
 * Sets the carrier by hand. rtnl is held.
 *
 * @throws Errno EOPNOTSUPP when it is not a software device, ENODEV
 * @kernel dev_change_carrier() net/core/dev.c
 * @rule LINK-06
 */
export function devChangeCarrier(dev: NetDevice<any>, carrier: boolean): void {
  enterControl(dev, 'devChangeCarrier')
  const { ops } = dev
  if (ops.ndoChangeCarrier === undefined) throw new Errno('EOPNOTSUPP')
  if (!netifDevicePresent(dev)) throw new Errno('ENODEV')
  if (netifCarrierOk(dev) !== carrier)
    callNdo(dev, 'ndoChangeCarrier', () => ops.ndoChangeCarrier!(dev, carrier))
}

/** A qdisc makes its rings at once, so nobody may ask for all the memory there is. */
const MAX_TX_QUEUE_LEN = 1 << 20

/** Changes the length of the transmit queue. rtnl is held. @throws Errno ERANGE; ENOMEM for a queue nobody can hold @kernel dev_change_tx_queue_len() net/core/dev.c */
export function devChangeTxQueueLen(dev: NetDevice<any>, length: number): void {
  enterControl(dev, 'devChangeTxQueueLen')
  if (!Number.isInteger(length) || length < 0 || length > 0xffffffff) throw new Errno('ERANGE')
  if (length > MAX_TX_QUEUE_LEN) throw new Errno('ENOMEM')
  if (length === dev.txQueueLen) return
  const before = dev.txQueueLen
  dev.txQueueLen = length
  try {
    callNetdeviceNotifiers('NETDEV_CHANGE_TX_QUEUE_LEN', dev)
  } catch (error) {
    dev.txQueueLen = before
    throw error
  }
  for (const txq of dev.txq) txq.qdiscSleeping.changeTxQueueLen(length)
}

/** Sets the text `ip link` shows as alias; '' takes it away. rtnl is held. @throws Errno EINVAL @kernel dev_set_alias() net/core/dev.c */
export function devSetAlias(dev: NetDevice<any>, alias: string): void {
  enterControl(dev, 'devSetAlias')
  if (alias.length >= IFALIASZ) throw new Errno('EINVAL')
  dev.ifalias = alias
  netdevStateChange(dev)
}

/** Sets the group of a device. rtnl is held. @kernel dev_set_group() include/linux/netdevice.h */
export function devSetGroup(dev: NetDevice<any>, group: number): void {
  enterControl(dev, 'devSetGroup')
  dev.group = group
}

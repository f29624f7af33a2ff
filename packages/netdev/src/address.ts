import { Errno } from '@vnet/kernel'
import { IffPriv, NetAddr } from './constants.ts'
import { callNdo, enterControl } from './control.ts'
import { ethRandomAddr, isValidEtherAddr } from './eth-addr.ts'
import type { NetDevice } from './netdevice.ts'
import { callNetdeviceNotifiers, tellNetdeviceNotifiers } from './notifier.ts'
import { netifDevicePresent, netifRunning } from './running.ts'

/**
 * Changes a device's address. rtnl is held.
 *
 * @throws Errno EOPNOTSUPP (the driver cannot), EINVAL (length), ENODEV, or the driver's: EBUSY, EADDRNOTAVAIL
 * @kernel dev_set_mac_address() net/core/dev.c
 * @rule ADDR-01 ADDR-02
 */
export function devSetMacAddress(dev: NetDevice<any>, addr: Uint8Array): void {
  enterControl(dev, 'devSetMacAddress')
  const { ops } = dev
  if (ops.ndoSetMacAddress === undefined) throw new Errno('EOPNOTSUPP')
  if (addr.length !== dev.addrLen) throw new Errno('EINVAL')
  if (!netifDevicePresent(dev)) throw new Errno('ENODEV')
  callNetdeviceNotifiers('NETDEV_PRE_CHANGEADDR', dev, addr)
  if (!sameBytes(dev.devAddr, addr)) {
    callNdo(dev, 'ndoSetMacAddress', () => ops.ndoSetMacAddress!(dev, addr))
    if (!sameBytes(dev.devAddr, addr)) ethHwAddrSet(dev, addr)
  }
  dev.addrAssignType = NetAddr.SET
  tellNetdeviceNotifiers('NETDEV_CHANGEADDR', dev)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Writes a device's address; for drivers, which never write `dev.devAddr` itself. @kernel eth_hw_addr_set() include/linux/etherdevice.h @rule ADDR-01 */
export function ethHwAddrSet(dev: NetDevice<any>, addr: Uint8Array): void {
  dev.devAddr.set(addr.subarray(0, dev.addrLen))
}

/** Gives a device a made-up address, marked random. @kernel eth_hw_addr_random() include/linux/etherdevice.h @rule ADDR-04 */
export function ethHwAddrRandom(dev: NetDevice<any>): void {
  dev.addrAssignType = NetAddr.RANDOM
  ethHwAddrSet(dev, ethRandomAddr(dev.kernel))
}

/** Ready-made `ndoValidateAddr`: opening with a bad address fails. @throws Errno EADDRNOTAVAIL @kernel eth_validate_addr() net/ethernet/eth.c @rule ADDR-03 */
export function ethValidateAddr(dev: NetDevice<any>): void {
  if (!isValidEtherAddr(dev.devAddr)) throw new Errno('EADDRNOTAVAIL')
}

/**
 * Says whether an Ethernet address may be taken now.
 *
 * @throws Errno EBUSY while up, unless IffPriv.LIVE_ADDR_CHANGE is set; EADDRNOTAVAIL for zero or multicast
 * @kernel eth_prepare_mac_addr_change() net/ethernet/eth.c
 * @rule ADDR-01 ADDR-02
 */
export function ethPrepareMacAddrChange(dev: NetDevice<any>, addr: Uint8Array): void {
  if ((dev.privFlags & IffPriv.LIVE_ADDR_CHANGE) === 0 && netifRunning(dev)) throw new Errno('EBUSY')
  if (!isValidEtherAddr(addr)) throw new Errno('EADDRNOTAVAIL')
}

/** Ready-made `ndoSetMacAddress`. @throws Errno EBUSY, EADDRNOTAVAIL @kernel eth_mac_addr() net/ethernet/eth.c @rule ADDR-02 */
export function ethMacAddr(dev: NetDevice<any>, addr: Uint8Array): void {
  ethPrepareMacAddrChange(dev, addr)
  ethHwAddrSet(dev, addr)
}

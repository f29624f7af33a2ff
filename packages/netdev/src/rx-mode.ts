import { Errno, LogLevel, localBhDisable, localBhEnable, printk } from '@vnet/kernel'
import { Iff, IffPriv } from './constants.ts'
import { enterControl } from './control.ts'
import { netdevWarn } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import { netifDevicePresent } from './running.ts'

/**
 * Has the driver program its receive filter, if the device is up. A card without unicast filters goes promiscuous
 * while there are unicast addresses to take.
 *
 * @kernel __dev_set_rx_mode() net/core/dev.c
 * @rule RX-09
 */
export function devSetRxMode(dev: NetDevice<any>): void {
  if ((dev.flags & Iff.UP) === 0 || !netifDevicePresent(dev)) return
  if ((dev.privFlags & IffPriv.UNICAST_FLT) === 0) followUnicast(dev)
  if (dev.ops.ndoSetRxMode === undefined) return
  const { kernel } = dev
  const before = kernel.currentModule
  localBhDisable(kernel)
  kernel.currentModule = dev.module
  try {
    dev.ops.ndoSetRxMode(dev)
  } finally {
    kernel.currentModule = before
    localBhEnable(kernel)
  }
}

function followUnicast(dev: NetDevice<any>): void {
  const want = dev.uc.size > 0
  if (want === dev.ucPromisc) return
  dev.ucPromisc = want
  setPromiscuity(dev, want ? 1 : -1)
}

/**
 * Counts a user of promiscuous mode in (+1) or out (−1). rtnl is held.
 *
 * @throws Errno EOVERFLOW when the count would wrap
 * @kernel dev_set_promiscuity() net/core/dev.c
 * @rule RX-09
 */
export function devSetPromiscuity(dev: NetDevice<any>, inc: number): void {
  enterControl(dev, 'devSetPromiscuity')
  if (!setPromiscuity(dev, inc)) return
  devSetRxMode(dev)
  dev.net.rtmsgIfinfo?.('flags', dev, Iff.PROMISC)
}

/** Counts a user of "all multicast" in or out. rtnl is held. @throws Errno EOVERFLOW @kernel dev_set_allmulti() net/core/dev.c @rule RX-09 */
export function devSetAllmulti(dev: NetDevice<any>, inc: number): void {
  enterControl(dev, 'devSetAllmulti')
  if (!setAllmulti(dev, inc)) return
  devSetRxMode(dev)
  dev.net.rtmsgIfinfo?.('flags', dev, Iff.ALLMULTI)
}

/** @returns true when the flag changed @kernel __dev_set_promiscuity() net/core/dev.c */
export function setPromiscuity(dev: NetDevice<any>, inc: number): boolean {
  dev.promiscuity = countUser(dev, dev.promiscuity, inc, 'promiscuity')
  if (!setFlag(dev, Iff.PROMISC, dev.promiscuity > 0)) return false
  printk(
    dev.kernel,
    LogLevel.INFO,
    `device ${dev.name} ${dev.promiscuity > 0 ? 'entered' : 'left'} promiscuous mode`,
  )
  return true
}

/** @returns true when the flag changed @kernel __dev_set_allmulti() net/core/dev.c */
export function setAllmulti(dev: NetDevice<any>, inc: number): boolean {
  dev.allmulti = countUser(dev, dev.allmulti, inc, 'allmulti')
  return setFlag(dev, Iff.ALLMULTI, dev.allmulti > 0)
}

function countUser(dev: NetDevice<any>, count: number, inc: number, what: string): number {
  const next = count + inc
  if (next >= 0 && next <= 0xffffffff) return next
  netdevWarn(dev, `${what} touches roof, set ${what} failed. ${what} feature of device might be broken.`)
  throw new Errno('EOVERFLOW')
}

function setFlag(dev: NetDevice<any>, flag: number, on: boolean): boolean {
  const before = dev.flags
  dev.flags = on ? before | flag : before & ~flag
  return dev.flags !== before
}

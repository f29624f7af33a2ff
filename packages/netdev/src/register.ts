import { Errno, timerDelete } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { flushBacklog } from './backlog.ts'
import { IffPriv, NetAddr } from './constants.ts'
import { assertRtnl, callNdo } from './control.ts'
import { registerFeatures, __netdevUpdateFeatures } from './feature-update.ts'
import { devMcFlush, devUcFlush } from './addr-list.ts'
import { linkwatchInitDev } from './linkwatch.ts'
import { devNewIndex } from './lookup.ts'
import { devGetValidName } from './name.ts'
import { callNetdeviceNotifiers, tellNetdeviceNotifiers } from './notifier.ts'
import { netOf } from './net.ts'
import { LinkState, NetDevice } from './netdevice.ts'
import type { NetDeviceOps } from './ops.ts'
import { devCloseLocked } from './open.ts'
import { devShutdown } from './qdisc/activate.ts'
import { NoopQdisc } from './qdisc/noop.ts'

/** Every flag counts as changed for a device that comes or goes. */
const ALL_BITS = 0xffffffff

/** What `allocEtherdevMqs` takes. @kernel alloc_etherdev_mqs() include/linux/etherdevice.h */
export interface AllocEtherdev<P> {
  /** A name, or a pattern with one `%d`. */
  readonly name: string
  readonly ops: NetDeviceOps<P>
  /** Makes the driver's own part; called once. */
  readonly priv: (dev: NetDevice<P>) => P
  /** Transmit and receive queues; 1 when left out. */
  readonly txqs?: number
  readonly rxqs?: number
}

/**
 * Makes an Ethernet device: 1500 bytes of MTU, broadcast and multicast, a queue of 1,000. It is not registered yet.
 *
 * @throws Errno EINVAL for a queue count below 1 or above 4,096
 * @kernel alloc_etherdev_mqs() net/ethernet/eth.c
 * @rule LIFE-11 LIFE-12
 */
export function allocEtherdevMqs<P>(kernel: Kernel, init: AllocEtherdev<P>): NetDevice<P> {
  const txqs = init.txqs ?? 1
  const rxqs = init.rxqs ?? 1
  for (const count of [txqs, rxqs])
    if (!Number.isInteger(count) || count < 1 || count > 4096) throw new Errno('EINVAL')
  const net = netOf(kernel)
  const noop = (dev: NetDevice<P>): NoopQdisc => new NoopQdisc(dev)
  const dev = new NetDevice<P>(kernel, net, { name: init.name, ops: init.ops, txqs, rxqs, noop })
  dev.privFlags |= IffPriv.TX_SKB_SHARING
  dev.priv = init.priv(dev)
  net.allocated.add(dev)
  return dev
}

/**
 * Makes a device visible; from then on any op may be called at once. Takes rtnl.
 *
 * @throws Errno with the real cause; nothing is left behind, and `freeNetdev` is the caller's
 * @kernel register_netdev() net/core/dev.c
 * @rule LIFE-01 LIFE-02
 */
export function registerNetdev(dev: NetDevice<any>): void {
  dev.kernel.rtnl.run(() => registerNetdevice(dev))
}

/** The same with rtnl held. @kernel register_netdevice() net/core/dev.c @rule LIFE-01 LIFE-02 LIFE-06 LIFE-07 */
export function registerNetdevice(dev: NetDevice<any>): void {
  const { kernel, net, ops } = dev
  assertRtnl(kernel, 'registerNetdevice')
  if (dev.regState !== 'uninitialized') {
    kernel.warnOn('LIFE-06', `${dev.name}: registered in state ${dev.regState}`)
    throw new Errno('EEXIST')
  }
  const pattern = dev.name
  dev.name = devGetValidName(net, dev.name)
  try {
    if (ops.ndoInit !== undefined) callNdo(dev, 'ndoInit', () => ops.ndoInit!(dev))
  } catch (error) {
    dev.name = pattern
    throw error
  }
  try {
    dev.ifindex = devNewIndex(dev, dev.ifindex)
    registerFeatures(dev)
    callNetdeviceNotifiers('NETDEV_POST_INIT', dev)
  } catch (error) {
    uninit(dev)
    dev.name = pattern
    dev.ifindex = 0
    throw error
  }
  makeVisible(dev)
  try {
    callNetdeviceNotifiers('NETDEV_REGISTER', dev)
  } catch (error) {
    unregisterNetdevice(dev)
    throw error
  }
  dev.net.rtmsgIfinfo?.('register', dev, ALL_BITS)
}

function makeVisible(dev: NetDevice<any>): void {
  const { net } = dev
  if (dev.addrAssignType === NetAddr.PERM) dev.permAddr.set(dev.devAddr.subarray(0, dev.addrLen))
  dev.regState = 'registered'
  __netdevUpdateFeatures(dev)
  dev.state |= LinkState.PRESENT
  linkwatchInitDev(dev)
  net.devByName.set(dev.name, dev)
  net.devByIndex.set(dev.ifindex, dev)
}

function uninit(dev: NetDevice<any>): void {
  if (dev.ops.ndoUninit !== undefined) callNdo(dev, 'ndoUninit', () => dev.ops.ndoUninit!(dev))
}

/**
 * Takes a device away: closes it if it is up, tells everyone, drops what is queued. Takes rtnl.
 *
 * While someone holds a reference the device stays in state 'unregistering'.
 *
 * @kernel unregister_netdev() net/core/dev.c
 * @rule LIFE-03 LIFE-04
 */
export function unregisterNetdev(dev: NetDevice<any>): void {
  dev.kernel.rtnl.run(() => unregisterNetdevice(dev))
}

/** The same with rtnl held; the state becomes 'unregistered' when rtnl is given back. @kernel unregister_netdevice() include/linux/netdevice.h @rule LIFE-03 LIFE-06 LIFE-08 NAPI-19 */
export function unregisterNetdevice(dev: NetDevice<any>): void {
  const { kernel, net } = dev
  assertRtnl(kernel, 'unregisterNetdevice')
  if (dev.regState !== 'registered') {
    kernel.warnOn('LIFE-06', `${dev.name}: unregistered in state ${dev.regState}`)
    return
  }
  devCloseLocked(dev)
  net.devByName.delete(dev.name)
  net.lowestFree.clear()
  net.devByIndex.delete(dev.ifindex)
  dev.regState = 'unregistering'
  flushBacklog(kernel, dev)
  devShutdown(dev)
  tellNetdeviceNotifiers('NETDEV_UNREGISTER', dev)
  tellNetdeviceNotifiers('NETDEV_PRE_UNINIT', dev)
  devUcFlush(dev)
  devMcFlush(dev)
  net.rtmsgIfinfo?.('unregister', dev, ALL_BITS)
  uninit(dev)
  deleteNapis(dev)
  net.linkwatch.pending.delete(dev)
  if (dev.watchdogTimer !== null) timerDelete(dev.watchdogTimer)
  kernel.rtnl.afterUnlock(() => netdevRunTodo(dev))
}

function deleteNapis(dev: NetDevice<any>): void {
  for (const napi of [...dev.napis]) napi.del()
  dev.napis.clear()
}

/** Ends an unregistering once nobody holds the device. @kernel netdev_run_todo() net/core/dev.c */
function netdevRunTodo(dev: NetDevice<any>): void {
  if (dev.regState !== 'unregistering') return
  if (dev.refcount > 1) {
    dev.kernel.log.emit(
      0,
      `unregister_netdevice: waiting for ${dev.name} to become free. Usage count = ${dev.refcount}`,
    )
    return
  }
  dev.regState = 'unregistered'
  if (dev.freeWhenUnused) freeNetdev(dev)
}

/** Holds a device: it is not freed until `netdevPut`. @kernel netdev_hold() include/linux/netdevice.h @rule LIFE-03 LIFE-04 */
export function netdevHold(dev: NetDevice<any>): void {
  dev.refcount++
}

/** Lets a device go. @kernel netdev_put() include/linux/netdevice.h @rule LIFE-03 */
export function netdevPut(dev: NetDevice<any>): void {
  if (dev.refcount <= 1) {
    dev.kernel.warnOn('LIFE-03', `${dev.name}: netdevPut without netdevHold`)
    return
  }
  dev.refcount--
  if (dev.refcount > 1 || dev.regState !== 'unregistering') return
  const { rtnl } = dev.kernel
  if (rtnl.held) rtnl.afterUnlock(() => netdevRunTodo(dev))
  else netdevRunTodo(dev)
}

/**
 * Frees a device that was never registered or is unregistered. One that is still held is freed when it is let go.
 *
 * @kernel free_netdev() net/core/dev.c
 * @rule LIFE-05
 */
export function freeNetdev(dev: NetDevice<any>): void {
  const { kernel } = dev
  if (dev.regState === 'registered') kernel.warnOn('LIFE-05', `${dev.name}: freed while registered`)
  if (dev.regState === 'released') kernel.warnOn('LIFE-05', `${dev.name}: freed twice`)
  if (dev.regState === 'registered' || dev.regState === 'released') return
  if (dev.regState === 'unregistering') {
    dev.freeWhenUnused = true
    return
  }
  deleteNapis(dev)
  dev.regState = 'released'
  dev.net.allocated.delete(dev)
}

import type { Kernel } from '@vnet/kernel'
import { Iff } from './constants.ts'
import { netOf } from './net.ts'
import type { NetDevice } from './netdevice.ts'

/**
 * What can happen to a device.
 *
 * @kernel enum netdev_cmd include/linux/netdevice.h
 */
export type NetdevEvent =
  | 'NETDEV_PRE_UP'
  | 'NETDEV_UP'
  | 'NETDEV_GOING_DOWN'
  | 'NETDEV_DOWN'
  | 'NETDEV_REBOOT'
  | 'NETDEV_CHANGE'
  | 'NETDEV_REGISTER'
  | 'NETDEV_UNREGISTER'
  | 'NETDEV_PRECHANGEMTU'
  | 'NETDEV_CHANGEMTU'
  | 'NETDEV_PRE_CHANGEADDR'
  | 'NETDEV_CHANGEADDR'
  | 'NETDEV_CHANGENAME'
  | 'NETDEV_FEAT_CHANGE'
  | 'NETDEV_POST_INIT'
  | 'NETDEV_PRE_UNINIT'
  | 'NETDEV_CHANGE_TX_QUEUE_LEN'
  | 'NETDEV_CHANGEINFODATA'
  | 'NETDEV_NOTIFY_PEERS'

/** Called for each event of each device of a kernel; it may refuse an event by throwing an `Errno`. @kernel notifier_fn_t include/linux/notifier.h */
export type NetdevNotifier = (event: NetdevEvent, dev: NetDevice<any>, info?: unknown) => void

/**
 * Has `fn` called for every device event, beginning with REGISTER and UP for the devices there are.
 *
 * @returns what ends it; it plays GOING_DOWN, DOWN and UNREGISTER to `fn` for the devices there are
 * @kernel register_netdevice_notifier() net/core/dev.c
 * @rule LIFE-01
 */
export function registerNetdeviceNotifier(kernel: Kernel, fn: NetdevNotifier): () => void {
  const net = netOf(kernel)
  for (const dev of net.devByIndex.values()) {
    fn('NETDEV_REGISTER', dev)
    if ((dev.flags & Iff.UP) !== 0) fn('NETDEV_UP', dev)
  }
  net.notifiers.push(fn)
  return () => unregisterNetdeviceNotifier(kernel, fn)
}

/** Ends what `registerNetdeviceNotifier` began. @kernel unregister_netdevice_notifier() net/core/dev.c */
export function unregisterNetdeviceNotifier(kernel: Kernel, fn: NetdevNotifier): void {
  const net = netOf(kernel)
  const at = net.notifiers.indexOf(fn)
  if (at < 0) return
  net.notifiers.splice(at, 1)
  for (const dev of net.devByIndex.values()) {
    if ((dev.flags & Iff.UP) !== 0) {
      fn('NETDEV_GOING_DOWN', dev)
      fn('NETDEV_DOWN', dev)
    }
    fn('NETDEV_UNREGISTER', dev)
  }
}

/**
 * Tells every listener of an event. A listener that throws refuses it; the others behind it are not told.
 *
 * @kernel call_netdevice_notifiers() net/core/dev.c
 */
export function callNetdeviceNotifiers(event: NetdevEvent, dev: NetDevice<any>, info?: unknown): void {
  for (const fn of [...dev.net.notifiers]) fn(event, dev, info)
}

/** Tells the listeners that state or flags of a device changed, if it is up. @kernel netdev_state_change() net/core/dev.c @rule LINK-03 */
export function netdevStateChange(dev: NetDevice<any>): void {
  if ((dev.flags & Iff.UP) !== 0) callNetdeviceNotifiers('NETDEV_CHANGE', dev)
}

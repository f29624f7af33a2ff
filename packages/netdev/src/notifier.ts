import { Errno } from '@vnet/kernel'
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
 * If it refuses one of those, what it was told is taken back and its error comes out.
 *
 * @returns what ends it; it plays GOING_DOWN, DOWN and UNREGISTER to `fn` for the devices there are
 * @kernel register_netdevice_notifier() net/core/dev.c
 * @rule LIFE-01
 */
export function registerNetdeviceNotifier(kernel: Kernel, fn: NetdevNotifier): () => void {
  const net = netOf(kernel)
  const told: NetDevice<any>[] = []
  try {
    for (const dev of net.devByIndex.values()) {
      fn('NETDEV_REGISTER', dev)
      told.push(dev)
      if ((dev.flags & Iff.UP) !== 0) fn('NETDEV_UP', dev)
    }
  } catch (error) {
    for (const dev of told.reverse()) playGone(fn, dev)
    throw error
  }
  net.notifiers.push(fn)
  return () => {
    unregisterNetdeviceNotifier(kernel, fn)
  }
}

/** Ends what `registerNetdeviceNotifier` began. @kernel unregister_netdevice_notifier() net/core/dev.c */
export function unregisterNetdeviceNotifier(kernel: Kernel, fn: NetdevNotifier): void {
  const net = netOf(kernel)
  const at = net.notifiers.indexOf(fn)
  if (at < 0) return
  net.notifiers.splice(at, 1)
  for (const dev of net.devByIndex.values()) playGone(fn, dev)
}

function playGone(fn: NetdevNotifier, dev: NetDevice<any>): void {
  const events: NetdevEvent[] = ['NETDEV_UNREGISTER']
  if ((dev.flags & Iff.UP) !== 0) events.unshift('NETDEV_GOING_DOWN', 'NETDEV_DOWN')
  for (const event of events) tell(fn, event, dev)
}

/** For what cannot be refused: an `Errno` is of no consequence. */
function tell(fn: NetdevNotifier, event: NetdevEvent, dev: NetDevice<any>, info?: unknown): void {
  try {
    fn(event, dev, info)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}

/**
 * Asks every listener whether something may happen. One that throws refuses it; those behind it are not asked.
 *
 * @kernel call_netdevice_notifiers() net/core/dev.c
 */
export function callNetdeviceNotifiers(event: NetdevEvent, dev: NetDevice<any>, info?: unknown): void {
  for (const fn of [...dev.net.notifiers]) fn(event, dev, info)
}

/**
 * Tells every listener of something that has happened or cannot be refused.
 *
 * @kernel call_netdevice_notifiers() net/core/dev.c
 */
export function tellNetdeviceNotifiers(event: NetdevEvent, dev: NetDevice<any>, info?: unknown): void {
  for (const fn of [...dev.net.notifiers]) tell(fn, event, dev, info)
}

/** Tells the listeners that state or flags of a device changed, if it is up. @kernel netdev_state_change() net/core/dev.c @rule LINK-03 */
export function netdevStateChange(dev: NetDevice<any>): void {
  if ((dev.flags & Iff.UP) !== 0) tellNetdeviceNotifiers('NETDEV_CHANGE', dev)
}

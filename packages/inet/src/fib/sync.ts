import { Iff, type NetDevice, netifCarrierOk, netifOperUp } from '@vnet/netdev'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { RtnhFlag, RtScope } from '../types/constants.ts'
import type { Fib4Route } from './route.ts'

/** Why routes of a device go or change. @kernel fib_sync_down_dev() net/ipv4/fib_semantics.c */
export type DownEvent = 'down' | 'unregister' | 'carrier'

/**
 * Marks the routes through a device dead or without carrier. Local addresses stay unless `force`.
 *
 * @kernel fib_sync_down_dev() net/ipv4/fib_semantics.c
 */
export function fibSyncDownDev(ipv4: Ipv4, dev: NetDevice<any>, event: DownEvent, force: boolean): void {
  forEachRoute(ipv4, (route) => {
    if (route.oif !== dev || (route.flags & RtnhFlag.DEAD) !== 0) return
    if (!force && route.nhScope === RtScope.NOWHERE) return
    route.flags |= RtnhFlag.LINKDOWN
    if (event !== 'carrier') route.flags |= RtnhFlag.DEAD
  })
}

/** An address is gone: routes that prefer it as source are dead. @returns whether there were any @kernel fib_sync_down_addr() net/ipv4/fib_semantics.c */
export function fibSyncDownAddr(ipv4: Ipv4, local: number): boolean {
  let any = false
  forEachRoute(ipv4, (route) => {
    if (route.prefsrcNr !== local) return
    route.flags |= RtnhFlag.DEAD
    any = true
  })
  return any
}

/** The carrier is back. @kernel fib_sync_up() net/ipv4/fib_semantics.c */
export function fibSyncUp(ipv4: Ipv4, dev: NetDevice<any>, flags: number): void {
  if ((dev.flags & Iff.UP) === 0) return
  let clear = flags
  if ((flags & RtnhFlag.DEAD) !== 0 && hasCarrier(dev)) clear |= RtnhFlag.LINKDOWN
  forEachRoute(ipv4, (route) => {
    if (route.oif === dev) route.flags &= ~clear
  })
}

/** True when the device could carry packets. */
export function hasCarrier(dev: NetDevice<any>): boolean {
  return netifOperUp(dev) || netifCarrierOk(dev)
}

/** Removes the dead routes. The kernel tells nobody, and neither do we. @kernel fib_flush() net/ipv4/fib_frontend.c */
export function fibFlush(ipv4: Ipv4): void {
  forEachRoute(ipv4, (route) => {
    if ((route.flags & RtnhFlag.DEAD) !== 0) ipv4.fib.get(route.table)?.remove(route)
  })
}

function forEachRoute(ipv4: Ipv4, fn: (route: Fib4Route) => void): void {
  // The states of routes change, which are not told.
  ipv4.inet.rtGenid.bump()
  for (const table of ipv4.fib.all()) for (const route of table.list()) fn(route)
}

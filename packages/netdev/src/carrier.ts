import { IfOper } from './constants.ts'
import { linkwatchFireEvent } from './linkwatch.ts'
import { LinkState, type NetDevice } from './netdevice.ts'
import { netifRunning } from './running.ts'
import { netdevWatchdogUp } from './watchdog.ts'

/** True when the cable is good, or the driver never said. @kernel netif_carrier_ok() include/linux/netdevice.h */
export function netifCarrierOk(dev: NetDevice<any>): boolean {
  return (dev.state & LinkState.NOCARRIER) === 0
}

/**
 * The link came up. Any context; repeating it does nothing.
 *
 * @kernel netif_carrier_on() net/sched/sch_generic.c
 * @rule LINK-01 LINK-03 LINK-04
 */
export function netifCarrierOn(dev: NetDevice<any>): void {
  if (netifCarrierOk(dev)) return
  dev.state &= ~LinkState.NOCARRIER
  if (dev.regState === 'uninitialized') return
  dev.carrierUpCount++
  linkwatchFireEvent(dev)
  if (netifRunning(dev)) netdevWatchdogUp(dev)
}

/**
 * The link went down. Any context; repeating it does nothing.
 *
 * @kernel netif_carrier_off() net/sched/sch_generic.c
 * @rule LINK-01 LINK-03 LINK-04
 */
export function netifCarrierOff(dev: NetDevice<any>): void {
  if (!netifCarrierOk(dev)) return
  dev.state |= LinkState.NOCARRIER
  if (dev.regState === 'uninitialized') return
  dev.carrierDownCount++
  linkwatchFireEvent(dev)
}

/** True while something above must agree before data flows. @kernel netif_dormant() include/linux/netdevice.h */
export function netifDormant(dev: NetDevice<any>): boolean {
  return (dev.state & LinkState.DORMANT) !== 0
}

/** The link is there but must not be used yet. @kernel netif_dormant_on() include/linux/netdevice.h @rule LINK-02 */
export function netifDormantOn(dev: NetDevice<any>): void {
  if (netifDormant(dev)) return
  dev.state |= LinkState.DORMANT
  linkwatchFireEvent(dev)
}

/** The link may be used. @kernel netif_dormant_off() include/linux/netdevice.h @rule LINK-02 */
export function netifDormantOff(dev: NetDevice<any>): void {
  if (!netifDormant(dev)) return
  dev.state &= ~LinkState.DORMANT
  linkwatchFireEvent(dev)
}

/** True while the device tests itself. @kernel netif_testing() include/linux/netdevice.h */
export function netifTesting(dev: NetDevice<any>): boolean {
  return (dev.state & LinkState.TESTING) !== 0
}

/** A self-test began: no data flows. @kernel netif_testing_on() include/linux/netdevice.h */
export function netifTestingOn(dev: NetDevice<any>): void {
  if (netifTesting(dev)) return
  dev.state |= LinkState.TESTING
  linkwatchFireEvent(dev)
}

/** A self-test ended. @kernel netif_testing_off() include/linux/netdevice.h */
export function netifTestingOff(dev: NetDevice<any>): void {
  if (!netifTesting(dev)) return
  dev.state &= ~LinkState.TESTING
  linkwatchFireEvent(dev)
}

/** True when user space should call it running: state up, or never told. @kernel netif_oper_up() include/linux/netdevice.h @rule LINK-08 */
export function netifOperUp(dev: NetDevice<any>): boolean {
  return dev.operstate === IfOper.UP || dev.operstate === IfOper.UNKNOWN
}

import { LinkState, type NetDevice } from './netdevice.ts'
import { netdevWatchdogUp } from './watchdog.ts'
import { netifTxStopAllQueues, netifTxWakeAllQueues } from './queue.ts'

/** True between a successful open and the start of closing. @kernel netif_running() include/linux/netdevice.h @rule STOP-05 */
export function netifRunning(dev: NetDevice<any>): boolean {
  return (dev.state & LinkState.START) !== 0
}

/** True unless the driver detached the device. @kernel netif_device_present() include/linux/netdevice.h */
export function netifDevicePresent(dev: NetDevice<any>): boolean {
  return (dev.state & LinkState.PRESENT) !== 0
}

/** The hardware is gone for a while: queues stop, calls are refused. @kernel netif_device_detach() net/core/dev.c @rule WDT-02 */
export function netifDeviceDetach(dev: NetDevice<any>): void {
  if ((dev.state & LinkState.PRESENT) === 0) return
  dev.state &= ~LinkState.PRESENT
  if (netifRunning(dev)) netifTxStopAllQueues(dev)
}

/** The hardware is back. @kernel netif_device_attach() net/core/dev.c */
export function netifDeviceAttach(dev: NetDevice<any>): void {
  if ((dev.state & LinkState.PRESENT) !== 0) return
  dev.state |= LinkState.PRESENT
  if (!netifRunning(dev)) return
  netifTxWakeAllQueues(dev)
  netdevWatchdogUp(dev)
}

import { LogLevel, printk } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'

/** How a device is named in messages; one without a name yet is said to be so. @kernel netdev_name() include/linux/netdevice.h */
export function netdevName(dev: NetDevice<any>): string {
  return dev.name === '' || dev.name.includes('%') ? '(unnamed net_device)' : dev.name
}

/** The state of a device that is not simply registered. @kernel netdev_reg_state() include/linux/netdevice.h */
function regStateText(dev: NetDevice<any>): string {
  return dev.regState === 'registered' ? '' : ` (${dev.regState})`
}

/**
 * Logs a line that starts with the device's name, and with its driver and place if it stands on a bus.
 *
 * @kernel netdev_printk() net/core/dev.c
 * @rule LOG-01
 */
export function netdevPrintk(dev: NetDevice<any>, level: number, text: string): void {
  const parent = dev.parentDev === null ? '' : `${dev.driverName} ${dev.parentDev} `
  printk(dev.kernel, level, `${parent}${netdevName(dev)}${regStateText(dev)}: ${text}`)
}

/** Logs a critical condition of a device. @kernel netdev_crit() include/net/net_debug.h @rule LOG-01 */
export function netdevCrit(dev: NetDevice<any>, text: string): void {
  netdevPrintk(dev, LogLevel.CRIT, text)
}

/** Logs an error of a device. @kernel netdev_err() include/net/net_debug.h @rule LOG-01 */
export function netdevErr(dev: NetDevice<any>, text: string): void {
  netdevPrintk(dev, LogLevel.ERR, text)
}

/** Logs a warning about a device. @kernel netdev_warn() include/net/net_debug.h @rule LOG-01 */
export function netdevWarn(dev: NetDevice<any>, text: string): void {
  netdevPrintk(dev, LogLevel.WARNING, text)
}

/** Logs something notable about a device. @kernel netdev_notice() include/net/net_debug.h @rule LOG-01 */
export function netdevNotice(dev: NetDevice<any>, text: string): void {
  netdevPrintk(dev, LogLevel.NOTICE, text)
}

/** Logs a line about a device. @kernel netdev_info() include/net/net_debug.h @rule LOG-01 */
export function netdevInfo(dev: NetDevice<any>, text: string): void {
  netdevPrintk(dev, LogLevel.INFO, text)
}

import { LogLevel } from '@vnet/kernel'
import { netdevPrintk } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'

/**
 * Message classes of a device, bits of `dev.msgEnable`, in the order `ethtool` names them.
 *
 * @kernel enum include/linux/netdevice.h
 * @rule LOG-03
 */
export const NetifMsg = {
  drv: 0x1,
  probe: 0x2,
  link: 0x4,
  timer: 0x8,
  ifdown: 0x10,
  ifup: 0x20,
  rx_err: 0x40,
  tx_err: 0x80,
  tx_queued: 0x100,
  intr: 0x200,
  tx_done: 0x400,
  rx_status: 0x800,
  pktdata: 0x1000,
  hw: 0x2000,
  wol: 0x4000,
} as const

/** Name of a message class. @kernel none */
export type NetifMsgClass = keyof typeof NetifMsg

/** True when messages of a class are wanted. @kernel netif_msg_link() include/linux/netdevice.h @rule LOG-03 */
export function netifMsg(dev: NetDevice<any>, type: NetifMsgClass): boolean {
  return (dev.msgEnable & NetifMsg[type]) !== 0
}

/**
 * The classes a `debug=` module parameter means: the lowest `debug` ones; out of range takes the default.
 *
 * @kernel netif_msg_init() include/linux/netdevice.h
 * @rule LOG-03
 */
export function netifMsgInit(debug: number, defaultBits: number): number {
  if (debug < 0 || debug >= 32) return defaultBits
  return debug === 0 ? 0 : 2 ** debug - 1
}

/** Logs an error if its class is wanted. @kernel netif_err() include/net/net_debug.h @rule LOG-01 LOG-03 */
export function netifErr(dev: NetDevice<any>, type: NetifMsgClass, text: string): void {
  if (netifMsg(dev, type)) netdevPrintk(dev, LogLevel.ERR, text)
}

/** Logs a warning if its class is wanted. @kernel netif_warn() include/net/net_debug.h @rule LOG-01 LOG-03 */
export function netifWarn(dev: NetDevice<any>, type: NetifMsgClass, text: string): void {
  if (netifMsg(dev, type)) netdevPrintk(dev, LogLevel.WARNING, text)
}

/** Logs a line if its class is wanted. @kernel netif_info() include/net/net_debug.h @rule LOG-01 LOG-03 */
export function netifInfo(dev: NetDevice<any>, type: NetifMsgClass, text: string): void {
  if (netifMsg(dev, type)) netdevPrintk(dev, LogLevel.INFO, text)
}

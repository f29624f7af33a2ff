import { Errno } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import type { SkBuff } from './skbuff.ts'

/**
 * What an rx handler did with a packet: took it, or leaves it to the protocols.
 *
 * @kernel enum rx_handler_result include/linux/netdevice.h
 */
export const RX_HANDLER_CONSUMED = 0
/** @kernel RX_HANDLER_PASS include/linux/netdevice.h */
export const RX_HANDLER_PASS = 3

/**
 * Gets every packet a device receives, after the taps and before the protocols: how bridges and the like take over a
 * device. Softirq context; data starts behind the link header.
 *
 * @kernel rx_handler_func_t include/linux/netdevice.h
 */
export type RxHandler = (
  skb: SkBuff,
  dev: NetDevice<any>,
) => typeof RX_HANDLER_CONSUMED | typeof RX_HANDLER_PASS

/**
 * Gives a device its rx handler. rtnl is held.
 *
 * @throws Errno EBUSY when it has one
 * @kernel netdev_rx_handler_register() net/core/dev.c
 */
export function netdevRxHandlerRegister(dev: NetDevice<any>, handler: RxHandler): void {
  dev.kernel.rtnl.assertHeld('netdevRxHandlerRegister')
  if (dev.rxHandler !== null) throw new Errno('EBUSY')
  dev.rxHandler = handler
}

/** Takes a device's rx handler away. rtnl is held. @kernel netdev_rx_handler_unregister() net/core/dev.c */
export function netdevRxHandlerUnregister(dev: NetDevice<any>): void {
  dev.kernel.rtnl.assertHeld('netdevRxHandlerUnregister')
  dev.rxHandler = null
}

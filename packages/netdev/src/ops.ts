import type { NetDevice } from './netdevice.ts'
import type { NetdevTx } from './constants.ts'
import type { NetdevFeatures } from './features.ts'
import type { RtnlLinkStats64 } from './stats.ts'
import type { SkBuff } from './skbuff.ts'

/**
 * What a driver can do. Only `ndoStartXmit` is required.
 *
 * Unless a line says otherwise the hook runs in process context with rtnl held (CTX-01) and refuses by throwing an `Errno`.
 *
 * @kernel struct net_device_ops include/linux/netdevice.h
 */
export interface NetDeviceOps<P = unknown> {
  /** Runs once while registering, before anyone sees the device. A throw aborts it, and `ndoUninit` is not called. @rule LIFE-07 */
  ndoInit?(dev: NetDevice<P>): void
  /** Runs while unregistering, after the device is closed. @rule LIFE-08 */
  ndoUninit?(dev: NetDevice<P>): void
  /** Brings the device up. If it throws it must have undone what it did. @rule OPEN-05 */
  ndoOpen?(dev: NetDevice<P>): void
  /** Brings the device down. It cannot refuse. */
  ndoStop?(dev: NetDevice<P>): void
  /**
   * Sends one packet. Softirqs are off and this queue's xmit lock is held; it cannot sleep.
   *
   * @returns NETDEV_TX_OK: the driver owns the skb; NETDEV_TX_BUSY: it kept nothing and stopped the queue (TXQ-02)
   * @rule CTX-02 TXQ-01
   */
  ndoStartXmit(skb: SkBuff, dev: NetDevice<P>): NetdevTx
  /** Withdraws features for one packet: returns a part of `features`, packet bits only. Runs like `ndoStartXmit`. @rule FEAT-07 */
  ndoFeaturesCheck?(skb: SkBuff, dev: NetDevice<P>, features: number): number
  /** Chooses the queue of a packet. Runs with softirqs off. */
  ndoSelectQueue?(dev: NetDevice<P>, skb: SkBuff): number
  /** Programs the receive filter from `flags`, `uc` and `mc`. Softirqs are off; it cannot sleep. @rule RX-09 */
  ndoSetRxMode?(dev: NetDevice<P>): void
  /** Takes a new address, already known to have the right length. Without it the address cannot change. @rule ADDR-02 */
  ndoSetMacAddress?(dev: NetDevice<P>, addr: Uint8Array): void
  /** Looks at `dev.devAddr` before opening. @rule ADDR-03 */
  ndoValidateAddr?(dev: NetDevice<P>): void
  /** Takes a new MTU, already checked against the limits. It sets `dev.mtu` itself. @rule MTU-02 */
  ndoChangeMtu?(dev: NetDevice<P>, mtu: number): void
  /** A stopped queue made no progress. Softirqs are off, all queues are frozen. @rule WDT-03 CTX-05 */
  ndoTxTimeout?(dev: NetDevice<P>, txqueue: number): void
  /** Adds the driver's counters to `stats`. Any context; it cannot sleep. @rule CTX-03 */
  ndoGetStats64?(dev: NetDevice<P>, stats: RtnlLinkStats64): void
  /** Returns what of `features` the device can do together. It only computes. @rule FEAT-02 */
  ndoFixFeatures?(dev: NetDevice<P>, features: NetdevFeatures): NetdevFeatures
  /** Makes the card follow `features`. Returns true if it set `dev.features` itself. */
  ndoSetFeatures?(dev: NetDevice<P>, features: NetdevFeatures): boolean | void
  /** Sets the carrier by hand; for software devices only. @rule LINK-06 */
  ndoChangeCarrier?(dev: NetDevice<P>, carrier: boolean): void
}

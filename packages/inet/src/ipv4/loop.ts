import { localBhDisable, localBhEnable, openSoftirq, raiseSoftirq, Softirq } from '@vnet/kernel'
import {
  CHECKSUM_UNNECESSARY,
  kfreeSkb,
  type NetDevice,
  PACKET_LOOPBACK,
  type SkBuff,
  SkbDropReason,
  skbDequeue,
  skbQueueTail,
} from '@vnet/netdev'
import { ipRcv } from './input.ts'
import type { Ipv4 } from './ipv4.ts'

/** As many packets as the backlog holds. @kernel net.core.netdev_max_backlog */
const MOST = 1000
/** As many in one go. @kernel dev_rx_weight net/core/dev.c */
const WEIGHT = 64
const ENOBUFS = -105

/**
 * Gives a packet back to this machine, which has no loopback device. The packet is gone.
 *
 * It arrives in the NET_RX softirq, as if through the loopback device, but no tap sees it.
 *
 * @kernel loopback_xmit() drivers/net/loopback.c
 */
export function loopBack(ipv4: Ipv4, skb: SkBuff, dev: NetDevice<any>): number {
  const { loop, kernel } = ipv4
  if (loop.qlen >= MOST) {
    kfreeSkb(skb, SkbDropReason.CPU_BACKLOG)
    return ENOBUFS
  }
  skb.dev = dev
  skb.macHeader = skb.data
  skb.pktType = PACKET_LOOPBACK
  skb.ipSummed = CHECKSUM_UNNECESSARY
  skbQueueTail(loop, skb)
  const process = kernel.ctx === 'process'
  if (process) localBhDisable(kernel)
  raiseSoftirq(kernel, Softirq.NET_RX)
  if (process) localBhEnable(kernel)
  return 0
}

/** Opens the softirq that empties the queue. @kernel none */
export function loopInit(ipv4: Ipv4): void {
  openSoftirq(ipv4.kernel, Softirq.NET_RX, () => run(ipv4))
}

function run(ipv4: Ipv4): void {
  const { loop } = ipv4
  for (let n = 0; n < WEIGHT; n++) {
    const skb = skbDequeue(loop)
    if (skb === null) return
    ipRcv(ipv4, skb, skb.dev!)
  }
  if (loop.qlen > 0) raiseSoftirq(ipv4.kernel, Softirq.NET_RX)
}

/** Drops what waits for a device that goes away. @kernel flush_backlog() net/core/dev.c */
export function loopForget(ipv4: Ipv4, dev: NetDevice<any>): void {
  const { loop } = ipv4
  for (let n = loop.qlen; n > 0; n--) {
    const skb = skbDequeue(loop)!
    if (skb.dev === dev) kfreeSkb(skb, SkbDropReason.DEV_READY)
    else skbQueueTail(loop, skb)
  }
}

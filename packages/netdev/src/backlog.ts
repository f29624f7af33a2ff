import { type Kernel, Softirq, localBhDisable, localBhEnable, openSoftirq, raiseSoftirq } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import { NET_RX_DROP, NET_RX_SUCCESS } from './constants.ts'
import { SkbDropReason } from './drop-reason.ts'
import { LinkState } from './netdevice.ts'
import { netifReceiveSkb } from './receive.ts'
import { type RxState, makeRxState, rxStateOf } from './rx-state.ts'
import { skbName } from './skb-cache.ts'
import { devKfreeSkbAny, kfreeSkb } from './skb-free.ts'
import { skbDequeue, skbQueueTail } from './skb-queue.ts'
import type { SkBuff } from './skbuff.ts'

/**
 * Queues a received packet for the NET_RX softirq. Any context; for drivers without NAPI and for software devices.
 *
 * From inside a NAPI poll it is the wrong call: the packet is queued a second time, behind a limit of 1,000.
 *
 * @returns NET_RX_SUCCESS, or NET_RX_DROP when the backlog is full or the device is down: the packet was freed
 * @kernel netif_rx() net/core/dev.c
 * @rule RX-04
 */
export function netifRx(skb: SkBuff): number {
  const { cache, dev } = skb
  const { kernel } = cache
  const rx = cache.rx === null ? makeRxState(cache) : cache.rx
  if (cache.checks && !mayQueue(skb)) return NET_RX_DROP
  if (dev === null) return dropNow(skb, SkbDropReason.DEV_READY)
  if (rx.tpRx.enabled) rx.tpRx.emit(dev.name, skb.protocol, skb.len, skb.id)
  if ((dev.state & LinkState.START) === 0) {
    dev.coreStats.rxDropped++
    return dropNow(skb, SkbDropReason.DEV_READY)
  }
  if (rx.backlog.qlen >= rx.maxBacklog) {
    rx.backlogDropped++
    dev.coreStats.rxDropped++
    return dropNow(skb, SkbDropReason.CPU_BACKLOG)
  }
  skbQueueTail(rx.backlog, skb)
  if (!rx.backlogRaised) raise(kernel, rx)
  return NET_RX_SUCCESS
}

/** Runs in the NET_RX softirq: passes up to `backlogWeight` packets on. @kernel process_backlog() net/core/dev.c */
export function runBacklog(rx: RxState): void {
  if (!rx.backlogRaised) return
  rx.backlogRaised = false
  try {
    for (let n = 0; n < rx.backlogWeight; n++) {
      const skb = skbDequeue(rx.backlog)
      if (skb === null) break
      rx.backlogProcessed++
      netifReceiveSkb(skb)
    }
  } finally {
    // Also after a rule was broken above: the rest is not lost.
    if (rx.backlog.qlen > 0 && !rx.backlogRaised) {
      rx.backlogRaised = true
      raiseSoftirq(rx.kernel, Softirq.NET_RX)
    }
  }
}

/** Drops what waits in the backlog for a device that goes away. Called by `unregisterNetdev`. @kernel flush_backlog() net/core/dev.c */
export function flushBacklog(kernel: Kernel, dev: NetDevice<any>): void {
  const { backlog } = rxStateOf(kernel)
  for (let n = backlog.qlen; n > 0; n--) {
    const skb = skbDequeue(backlog)!
    if (skb.dev === dev) {
      dev.coreStats.rxDropped++
      kfreeSkb(skb, SkbDropReason.DEV_READY)
    } else skbQueueTail(backlog, skb)
  }
}

/** What went through the backlog of a kernel. @kernel /proc/net/softnet_stat net/core/net-procfs.c */
export function backlogStats(kernel: Kernel): { processed: number; dropped: number; qlen: number } {
  const rx = rxStateOf(kernel)
  return { processed: rx.backlogProcessed, dropped: rx.backlogDropped, qlen: rx.backlog.qlen }
}

function raise(kernel: Kernel, rx: RxState): void {
  rx.backlogRaised = true
  if (!rx.backlogOpen) {
    rx.backlogOpen = true
    openSoftirq(kernel, Softirq.NET_RX, () => runBacklog(rx))
  }
  // In process context the softirq runs before we return, as when the kernel turns softirqs on again.
  const process = kernel.ctx === 'process'
  if (process) localBhDisable(kernel)
  raiseSoftirq(kernel, Softirq.NET_RX)
  if (process) localBhEnable(kernel)
}

function dropNow(skb: SkBuff, reason: number): number {
  devKfreeSkbAny(skb, reason)
  return NET_RX_DROP
}

function mayQueue(skb: SkBuff): boolean {
  const { kernel } = skb.cache
  if (skb.users <= 0) {
    kernel.warnOn('SKB-06', `netifRx of ${skbName(skb)} after it was freed`)
    return false
  }
  const { dev } = skb
  if (dev === null) {
    kernel.warnOn('RX-01', `netifRx of ${skbName(skb)} without a device: call ethTypeTrans first`)
    return true
  }
  if (kernel.ctx === 'softirq' && isPolled(dev)) {
    kernel.warnOn(
      'RX-04',
      `netifRx of ${skbName(skb)} inside a NAPI poll of ${dev.name}: use netifReceiveSkb or groReceiveSkb`,
    )
  }
  return true
}

function isPolled(dev: NetDevice<any>): boolean {
  for (const napi of dev.napis) if (napi.polling === true) return true
  return false
}

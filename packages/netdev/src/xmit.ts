import { localBhDisable, localBhEnable } from '@vnet/kernel'
import { Iff, NET_XMIT_DROP, NET_XMIT_SUCCESS } from './constants.ts'
import { SkbDropReason } from './drop-reason.ts'
import { devHardStartXmit, xmitLock, xmitUnlock } from './hard-start.ts'
import { netdevCrit } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import type { Qdisc } from './qdisc/qdisc.ts'
import { qdiscRun, qdiscRunLoop, schDirectXmit } from './qdisc/run.ts'
import { type NetdevQueue, netifXmitFrozenOrStopped } from './queue.ts'
import { netdevCorePickTx } from './select-queue.ts'
import { kfreeSkbList } from './skb-free.ts'
import type { SkBuff } from './skbuff.ts'
import { validateXmitSkb } from './validate.ts'

const ENETDOWN = -100
const XMIT_RECURSION_LIMIT = 8

/**
 * Sends a packet through `skb.dev`: chooses a queue, passes the qdisc, and hands it to the driver. The packet is gone
 * whatever the result. Any context but an interrupt handler.
 *
 * @returns NET_XMIT_SUCCESS, NET_XMIT_DROP or NET_XMIT_CN; -100 (ENETDOWN) when a device without a queue lost it
 * @kernel dev_queue_xmit() include/linux/netdevice.h
 * @rule CTX-02
 */
export function devQueueXmit(skb: SkBuff): number {
  const dev = skb.dev
  if (dev === null) throw new TypeError('devQueueXmit: skb.dev is not set')
  const kernel = dev.kernel
  localBhDisable(kernel)
  try {
    return queueXmit(skb, dev)
  } finally {
    localBhEnable(kernel)
  }
}

function queueXmit(skb: SkBuff, dev: NetDevice<any>): number {
  skb.macHeader = skb.data
  const txq = netdevCorePickTx(dev, skb)
  const net = dev.net
  if (net.tpQueue.enabled) net.tpQueue.emit(dev.name, skb.len)
  const qdisc = txq.qdisc
  return qdisc.hasQueue ? xmitSkb(skb, qdisc, txq) : xmitNoqueue(skb, dev, txq)
}

/** Passes the qdisc by when it is empty, else queues and runs it. @kernel __dev_xmit_skb() net/core/dev.c */
function xmitSkb(skb: SkBuff, qdisc: Qdisc, txq: NetdevQueue): number {
  if (qdisc.canBypass && qdisc.qlen === 0 && !qdisc.running && !qdisc.deactivated) {
    qdisc.running = true
    qdisc.packets++
    qdisc.bytes += skb.len
    try {
      const ready = validateXmitSkb(skb, txq.dev)
      if (ready !== null) schDirectXmit(ready, qdisc, txq)
      if (qdisc.qlen !== 0) qdiscRunLoop(qdisc, txq)
    } finally {
      qdisc.running = false
    }
    return NET_XMIT_SUCCESS
  }
  const rc = qdisc.enqueue(skb)
  qdiscRun(qdisc)
  return rc
}

/** No queue: the driver takes it now or it is lost. @kernel __dev_queue_xmit() net/core/dev.c */
function xmitNoqueue(skb: SkBuff, dev: NetDevice<any>, txq: NetdevQueue): number {
  const net = dev.net
  if ((dev.flags & Iff.UP) === 0) return loseNoqueue(skb, dev, SkbDropReason.DEV_READY)
  if (txq.xmitLocked || net.xmitRecursion >= XMIT_RECURSION_LIMIT) {
    netdevCrit(dev, `Dead loop on virtual device ${dev.name}, fix it urgently!`)
    return loseNoqueue(skb, dev, SkbDropReason.RECURSION_LIMIT)
  }
  const ready = validateXmitSkb(skb, dev)
  if (ready === null) return NET_XMIT_DROP
  if (netifXmitFrozenOrStopped(txq)) return loseNoqueue(ready, dev, SkbDropReason.TX_STOPPED)
  let rest: SkBuff | null
  xmitLock(dev, txq)
  net.xmitRecursion++
  try {
    rest = devHardStartXmit(ready, dev, txq)
  } finally {
    net.xmitRecursion--
    xmitUnlock(txq)
  }
  if (rest === null) return NET_XMIT_SUCCESS
  netdevCrit(dev, `Virtual device ${dev.name} asks to queue packet!`)
  return loseNoqueue(rest, dev, SkbDropReason.TX_STOPPED)
}

function loseNoqueue(list: SkBuff, dev: NetDevice<any>, reason: number): number {
  for (let skb: SkBuff | null = list; skb !== null; skb = skb.next) dev.coreStats.txDropped++
  kfreeSkbList(list, reason)
  return ENETDOWN
}

import { localBhDisable, localBhEnable } from '@vnet/kernel'
import { Iff, NET_XMIT_DROP, NET_XMIT_SUCCESS } from './constants.ts'
import { SkbDropReason } from './drop-reason.ts'
import { devHardStartXmit, xmitLock, xmitRestore, xmitState, xmitUnlock } from './hard-start.ts'
import { netdevCrit } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import type { Qdisc } from './qdisc/qdisc.ts'
import { devRequeueSkb, qdiscRun, qdiscRunLoop, schDirectXmit } from './qdisc/run.ts'
import { type NetdevQueue, netifXmitFrozenOrStopped } from './queue.ts'
import { netdevCorePickTx } from './select-queue.ts'
import { kfreeSkbList } from './skb-free.ts'
import type { SkBuff } from './skbuff.ts'
import { isPlain, validateXmitSkb, validateXmitSkbList } from './validate.ts'

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
  const { kernel } = dev
  localBhDisable(kernel)
  let rc = 0 // NET_XMIT_SUCCESS
  try {
    const txq = choose(skb, dev)
    const { qdisc } = txq
    // The packet most come as: nothing waits, nobody looks on, and it goes out as it is.
    if (isIdle(qdisc) && txq.state === 0 && !kernel.watched && isPlain(skb) && isUntapped(dev, txq)) {
      xmitPlain(skb, dev, qdisc, txq)
    } else rc = xmitAny(skb, txq.qdisc, txq)
  } catch (error) {
    localBhEnable(kernel)
    throw error
  }
  localBhEnable(kernel)
  return rc
}

/**
 * Sends several packets, linked by `next`: those that go to the same idle queue reach the driver as one burst, with
 * `netdevXmitMore` true for all but the last. The packets are gone whatever the result.
 *
 * @returns for how many `devQueueXmit` would have said NET_XMIT_SUCCESS
 * @kernel none
 * @rule CTX-02 TXQ-18
 */
export function devQueueXmitList(first: SkBuff): number {
  if (first.dev === null) throw new TypeError('devQueueXmitList: skb.dev is not set')
  const { kernel } = first.dev
  localBhDisable(kernel)
  let accepted = 0
  let skb: SkBuff | null = first
  let txq: NetdevQueue | null = null
  let held = 0
  try {
    while (skb !== null) {
      txq ??= choose(skb, skb.dev!)
      held = xmitState(txq)
      if (isIdle(txq.qdisc)) {
        const burst = cutBurst(skb, txq)
        accepted += burst.count
        sendNow(skb, txq.qdisc, txq)
        skb = burst.next
        txq = burst.nextTxq
      } else {
        const next: SkBuff | null = skb.next
        skb.next = null
        if (passQdisc(skb, txq.qdisc, txq) === NET_XMIT_SUCCESS) accepted++
        skb = next
        txq = null
      }
    }
  } catch (error) {
    if (txq !== null) xmitRestore(txq, held)
    localBhEnable(kernel)
    throw error
  }
  localBhEnable(kernel)
  return accepted
}

/** Where a burst ends and what follows it. One object per call of `cutBurst`, not per packet. */
interface Burst {
  count: number
  next: SkBuff | null
  nextTxq: NetdevQueue | null
}

/** Cuts a list behind the packets that go to the same queue and that the byte limit has room for, and counts them. */
function cutBurst(first: SkBuff, txq: NetdevQueue): Burst {
  const { qdisc, dev } = txq
  let last = first
  let bytes = first.len
  let room = burstRoom(txq) - first.len
  let count = 1
  let nextTxq: NetdevQueue | null = null
  let next = first.next
  while (next !== null && room > 0 && next.dev === dev) {
    const chosen = choose(next, dev)
    if (chosen !== txq) {
      nextTxq = chosen
      break
    }
    room -= next.len
    bytes += next.len
    last = next
    count++
    next = next.next
  }
  last.next = null
  qdisc.packets += count
  qdisc.bytes += bytes
  return { count, next, nextTxq }
}

/** Bytes a burst may have: what the byte limit leaves, if the driver uses one. */
function burstRoom(txq: NetdevQueue): number {
  const { dql } = txq
  return dql.numQueued === 0 && dql.adjLimit === 0 ? 0x3fffffff : dql.avail()
}

function choose(skb: SkBuff, dev: NetDevice<any>): NetdevQueue {
  skb.macHeader = skb.data
  if (dev.kernel.watched) traceQueue(dev, skb)
  if (dev.realNumTxQueues !== 1) return netdevCorePickTx(dev, skb)
  skb.queueMapping = 0
  return dev.txq[0]!
}

function traceQueue(dev: NetDevice<any>, skb: SkBuff): void {
  const tp = dev.net.tpQueue
  if (tp.enabled) tp.emit(dev.name, skb.len)
}

/** Nothing waits and nobody is sending. */
function isIdle(qdisc: Qdisc): boolean {
  return qdisc.canBypass && qdisc.qlen === 0 && !qdisc.running && !qdisc.deactivated
}

/** No tap sees what is sent, and no driver of this queue is below on the stack. */
function isUntapped(dev: NetDevice<any>, txq: NetdevQueue): boolean {
  return dev.net.rx.taps.length === 0 && !txq.xmitLocked
}

/** `sendNow` for one plain packet, without what only matters when somebody looks on. @kernel sch_direct_xmit() net/sched/sch_generic.c */
function xmitPlain(skb: SkBuff, dev: NetDevice<any>, qdisc: Qdisc, txq: NetdevQueue): void {
  qdisc.packets++
  qdisc.bytes += skb.len
  qdisc.running = true
  txq.xmitLocked = true
  dev.net.xmitMore = false
  try {
    const rc = dev.ops.ndoStartXmit(skb, dev)
    txq.xmitLocked = false
    // NETDEV_TX_BUSY
    if (rc === 16) refused(skb, qdisc, txq)
    if (qdisc.qlen !== 0) qdiscRunLoop(qdisc, txq)
  } finally {
    txq.xmitLocked = false
    qdisc.running = false
  }
}

/** The driver did not take it: it waits in front. */
function refused(skb: SkBuff, qdisc: Qdisc, txq: NetdevQueue): void {
  txq.busy++
  devRequeueSkb(skb, qdisc, txq)
}

/** Any packet on any queue, whoever looks on. */
function xmitAny(skb: SkBuff, qdisc: Qdisc, txq: NetdevQueue): number {
  const held = xmitState(txq)
  try {
    if (!isIdle(qdisc)) return passQdisc(skb, qdisc, txq)
    qdisc.packets++
    qdisc.bytes += skb.len
    sendNow(skb, qdisc, txq)
    return NET_XMIT_SUCCESS
  } catch (error) {
    // One catch here costs less than a finally at each lock.
    xmitRestore(txq, held)
    throw error
  }
}

/** Queues and runs the qdisc. @kernel __dev_xmit_skb() net/core/dev.c */
function passQdisc(skb: SkBuff, qdisc: Qdisc, txq: NetdevQueue): number {
  if (!qdisc.hasQueue) return xmitNoqueue(skb, txq.dev, txq)
  const rc = qdisc.enqueue(skb)
  qdiscRun(qdisc)
  return rc
}

/** Hands packets to the driver past an idle qdisc; what comes back waits in it. */
function sendNow(first: SkBuff, qdisc: Qdisc, txq: NetdevQueue): void {
  qdisc.running = true
  const ready = first.next === null ? validateXmitSkb(first, txq.dev) : validateXmitSkbList(first, txq.dev)
  if (ready !== null) schDirectXmit(ready, qdisc, txq)
  if (qdisc.qlen !== 0) qdiscRunLoop(qdisc, txq)
  qdisc.running = false
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
  xmitLock(dev, txq)
  net.xmitRecursion++
  const rest = devHardStartXmit(ready, dev, txq)
  net.xmitRecursion--
  xmitUnlock(txq)
  if (rest === null) return NET_XMIT_SUCCESS
  netdevCrit(dev, `Virtual device ${dev.name} asks to queue packet!`)
  return loseNoqueue(rest, dev, SkbDropReason.TX_STOPPED)
}

function loseNoqueue(list: SkBuff, dev: NetDevice<any>, reason: number): number {
  for (let skb: SkBuff | null = list; skb !== null; skb = skb.next) dev.coreStats.txDropped++
  kfreeSkbList(list, reason)
  return ENETDOWN
}

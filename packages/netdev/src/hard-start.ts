import { NETDEV_TX_BUSY, type NetdevTx } from './constants.ts'
import type { NetDevice } from './netdevice.ts'
import type { NetdevQueue } from './queue.ts'
import { QueueState } from './queue-state.ts'
import type { SkBuff } from './skbuff.ts'
import { devQueueXmitNit } from './packet-type.ts'
import { startXmitChecked, xmitOverlap } from './xmit-check.ts'

/** Takes the xmit lock of a queue. Two `ndoStartXmit` never overlap on one queue. @kernel HARD_TX_LOCK() include/linux/netdevice.h @rule CTX-02 */
export function xmitLock(dev: NetDevice<any>, txq: NetdevQueue): void {
  if (txq.xmitLocked) xmitOverlap(dev, txq)
  txq.xmitLocked = true
}

/** Gives the xmit lock back. @kernel HARD_TX_UNLOCK() include/linux/netdevice.h */
export function xmitUnlock(txq: NetdevQueue): void {
  txq.xmitLocked = false
}

/** What is held of a queue before a transmit begins, in one number: for {@link xmitRestore}. @kernel none */
export function xmitState(txq: NetdevQueue): number {
  return (txq.dev.net.xmitRecursion << 2) | (txq.xmitLocked ? 2 : 0) | (txq.qdisc.running ? 1 : 0)
}

/** After a driver or a rule threw: gives back what was taken since {@link xmitState}, so that the queue still works. @kernel none */
export function xmitRestore(txq: NetdevQueue, state: number): void {
  txq.dev.net.xmitRecursion = state >> 2
  txq.xmitLocked = (state & 2) !== 0
  txq.qdisc.running = (state & 1) !== 0
}

/** True when another packet follows the one in `ndoStartXmit`: the doorbell can wait. @kernel netdev_xmit_more() include/linux/netdevice.h @rule TXQ-18 */
export function netdevXmitMore(dev: NetDevice<any>): boolean {
  return dev.net.xmitMore
}

/**
 * Gives one packet to the driver. Softirqs are off, the queue's xmit lock is held.
 *
 * @kernel netdev_start_xmit() include/linux/netdevice.h
 * @rule CTX-02 TXQ-02 TXQ-13
 */
export function netdevStartXmit(skb: SkBuff, dev: NetDevice<any>, txq: NetdevQueue, more: boolean): NetdevTx {
  const net = dev.net
  net.xmitMore = more
  if (dev.kernel.checks) return startXmitChecked(skb, dev, txq)
  const rc = dev.ops.ndoStartXmit(skb, dev)
  if (rc === NETDEV_TX_BUSY) txq.busy++
  return rc
}

/**
 * Gives a list of packets to the driver, the xmit lock held.
 *
 * @returns what was not taken, or null
 * @kernel dev_hard_start_xmit() net/core/dev.c
 * @rule TXQ-13
 */
export function devHardStartXmit(list: SkBuff, dev: NetDevice<any>, txq: NetdevQueue): SkBuff | null {
  if (list.next === null) return xmitOne(list, dev, txq, false) === NETDEV_TX_BUSY ? list : null
  let skb: SkBuff | null = list
  while (skb !== null) {
    const next: SkBuff | null = skb.next
    skb.next = null
    if (xmitOne(skb, dev, txq, next !== null) === NETDEV_TX_BUSY) {
      skb.next = next
      return skb
    }
    if (next !== null && (txq.state & QueueState.DRV_XOFF) !== 0) return next
    skb = next
  }
  return null
}

function xmitOne(skb: SkBuff, dev: NetDevice<any>, txq: NetdevQueue, more: boolean): number {
  const net = dev.net
  if (net.rx.taps.length !== 0) devQueueXmitNit(skb, dev)
  if (!net.tpXmit.enabled && !net.tpStartXmit.enabled) return netdevStartXmit(skb, dev, txq, more)
  // The skb may be gone after the call.
  const len = skb.len
  if (net.tpStartXmit.enabled)
    net.tpStartXmit.emit(dev.name, txq.index, len, skb.ipSummed, String(skb.gsoSize))
  const rc = netdevStartXmit(skb, dev, txq, more)
  if (net.tpXmit.enabled) net.tpXmit.emit(dev.name, len, rc)
  return rc
}

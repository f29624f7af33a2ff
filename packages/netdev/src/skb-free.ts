import { Softirq, openSoftirq, raiseSoftirq } from '@vnet/kernel'
import { SkbDropReason, skbDropReasonName } from './drop-reason.ts'
import type { SkBuff, SkbSharedInfo } from './skbuff.ts'
import { skbCheckOffsets } from './skb-check.ts'
import { type SkbCache, putBuffer, putSpare, skbName } from './skb-cache.ts'

/**
 * Frees a packet that was dropped: shows in the drop monitor, with its reason. Process and softirq context.
 *
 * @kernel kfree_skb_reason() net/core/skbuff.c
 * @rule SKB-05 SKB-06 STAT-15 CTX-06
 */
export function kfreeSkb(skb: SkBuff, reason: number = SkbDropReason.NOT_SPECIFIED): void {
  const cache = skb.cache
  if (cache.checks && !mayFree(skb, 'kfreeSkb', true)) return
  if (--skb.users !== 0) return
  noteDrop(cache, skb, reason)
  freeLast(cache, skb)
}

/**
 * Frees a packet that reached its end in a normal way: no drop. Process and softirq context.
 *
 * @kernel consume_skb() net/core/skbuff.c
 * @rule SKB-05 SKB-06 CTX-06
 */
export function consumeSkb(skb: SkBuff): void {
  const cache = skb.cache
  if (cache.checks && !mayFree(skb, 'consumeSkb', true)) return
  if (--skb.users !== 0) return
  if (cache.tpConsume.enabled) traceConsume(cache, skb)
  freeLast(cache, skb)
}

/** Apart: what is rare must not use up the bytecode V8 inlines. */
function traceConsume(cache: SkbCache, skb: SkBuff): void {
  cache.tpConsume.emit(skb.dev?.name ?? '', skb.protocol, skb.len, skb.id)
}

/**
 * Consumes a sent packet from a NAPI poll; with budget 0 the caller may be in any context.
 *
 * @kernel napi_consume_skb() net/core/skbuff.c
 * @rule SKB-05
 */
export function napiConsumeSkb(skb: SkBuff, budget: number): void {
  if (budget === 0) devConsumeSkbAny(skb)
  else consumeSkb(skb)
}

/**
 * Consumes the packets of a transmit ring from a NAPI poll, and leaves their slots null; budget as for `napiConsumeSkb`.
 *
 * @param skbs - as long as a power of two; it is gone round
 * @param first - free-running index of the first packet
 * @kernel none
 * @rule SKB-05
 */
export function napiConsumeSkbRing(
  skbs: (SkBuff | null)[],
  first: number,
  count: number,
  budget: number,
): void {
  const mask = skbs.length - 1
  if (count === 0) return
  // All are of one kernel: asked once.
  const careful = budget === 0 || skbs[first & mask]!.cache.kernel.watched
  for (let i = 0; i < count; i++) {
    const slot = (first + i) & mask
    const skb = skbs[slot]!
    skbs[slot] = null
    if (careful || skb.users !== 1 || skb.cloned) napiConsumeSkb(skb, budget)
    else {
      skb.users = 0
      freeLast(skb.cache, skb)
    }
  }
}

/** Drops a packet from any context. @kernel dev_kfree_skb_any() net/core/dev.c @rule CTX-06 */
export function devKfreeSkbAny(skb: SkBuff, reason: number = SkbDropReason.NOT_SPECIFIED): void {
  if (skb.cache.kernel.ctx === 'hardirq') freeLater(skb, reason)
  else kfreeSkb(skb, reason)
}

/** Consumes a packet from any context. @kernel dev_consume_skb_any() net/core/dev.c @rule CTX-06 SKB-05 */
export function devConsumeSkbAny(skb: SkBuff): void {
  if (skb.cache.kernel.ctx === 'hardirq') freeLater(skb, SkbDropReason.CONSUMED)
  else consumeSkb(skb)
}

/** Drops a packet from an interrupt handler: freed in the NET_TX softirq. @kernel dev_kfree_skb_irq() net/core/dev.c @rule CTX-06 */
export function devKfreeSkbIrq(skb: SkBuff, reason: number = SkbDropReason.NOT_SPECIFIED): void {
  freeLater(skb, reason)
}

/** Consumes a packet from an interrupt handler. @kernel dev_consume_skb_irq() net/core/dev.c @rule CTX-06 SKB-05 */
export function devConsumeSkbIrq(skb: SkBuff): void {
  freeLater(skb, SkbDropReason.CONSUMED)
}

/** Drops every packet of a list linked by `next`. @kernel kfree_skb_list_reason() net/core/skbuff.c */
export function kfreeSkbList(first: SkBuff | null, reason: number = SkbDropReason.NOT_SPECIFIED): void {
  for (let skb = first; skb !== null;) {
    const next: SkBuff | null = skb.next
    skb.next = null
    kfreeSkb(skb, reason)
    skb = next
  }
}

/** Consumes every packet of a list linked by `next`. @kernel consume_skb_list() net/core/skbuff.c */
export function consumeSkbList(first: SkBuff | null): void {
  for (let skb = first; skb !== null;) {
    const next: SkBuff | null = skb.next
    skb.next = null
    consumeSkb(skb)
    skb = next
  }
}

/** Gives up one reference to a buffer; the last one frees it with its fragments. @kernel skb_release_data() net/core/skbuff.c */
export function skbPutData(cache: SkbCache, shinfo: SkbSharedInfo): void {
  if (--shinfo.dataref !== 0) return
  if (shinfo.nrFrags !== 0) putFrags(cache, shinfo)
  if (shinfo.fragList !== null) {
    const list = shinfo.fragList
    shinfo.fragList = null
    freeFragList(list)
  }
  shinfo.dataref = 1
  putBuffer(shinfo)
}

/** Gives up the references the fragments hold. @kernel skb_frag_unref() include/linux/skbuff_ref.h */
export function putFrags(cache: SkbCache, shinfo: SkbSharedInfo): void {
  const count = shinfo.nrFrags
  shinfo.nrFrags = 0
  for (let i = 0; i < count; i++) {
    const frag = shinfo.frags[i]!
    const owner = frag.owner!
    frag.owner = null
    skbPutData(cache, owner)
  }
}

/** Frees a list of sk_buffs that were part of another: neither drops nor consumptions of their own. @kernel kfree_skb_list() net/core/skbuff.c */
export function freeFragList(first: SkBuff): void {
  for (let skb: SkBuff | null = first; skb !== null;) {
    const next: SkBuff | null = skb.next
    // The list may still be part of another packet: it stays linked until the last reference goes.
    if (--skb.users === 0) {
      skb.next = null
      freeLast(skb.cache, skb)
    }
    skb = next
  }
}

/** Runs in the NET_TX softirq: frees what interrupt handlers gave up. @kernel net_tx_action() net/core/dev.c */
export function freeCompletionQueue(cache: SkbCache): void {
  let skb = cache.completionQueue
  cache.completionQueue = null
  while (skb !== null) {
    const next: SkBuff | null = skb.next
    const reason = skb.state
    skb.next = null
    skb.users = 1
    if (reason === SkbDropReason.CONSUMED) consumeSkb(skb)
    else kfreeSkb(skb, reason)
    skb = next
  }
}

function freeLater(skb: SkBuff, reason: number): void {
  const cache = skb.cache
  if (cache.checks && !mayFree(skb, 'devKfreeSkbIrq', false)) return
  if (--skb.users !== 0) return
  // Counted again while it waits, so that the leak check and a second free both see it.
  skb.users = 1
  skb.state = reason
  skb.next = cache.completionQueue
  cache.completionQueue = skb
  if (!cache.completionOpen) {
    cache.completionOpen = true
    openSoftirq(cache.kernel, Softirq.NET_TX, () => freeCompletionQueue(cache))
  }
  raiseSoftirq(cache.kernel, Softirq.NET_TX)
}

function freeLast(cache: SkbCache, skb: SkBuff): void {
  const shinfo = skb.shinfo
  skb.dev = null
  if (shinfo.dataref === 1 && shinfo.nrFrags === 0 && shinfo.fragList === null && shinfo.native === skb) {
    putBuffer(shinfo)
    return
  }
  skbPutData(cache, shinfo)
  // A clone has no buffer to rest on: keep the object apart.
  if (shinfo.native !== skb) putSpare(cache, skb)
}

function noteDrop(cache: SkbCache, skb: SkBuff, reason: number): void {
  cache.drops[reason] = cache.drops[reason]! + 1
  if (!cache.tpKfree.enabled) return
  cache.tpKfree.emit(skb.dev?.name ?? '', skb.protocol, skb.len, skb.id, skbDropReasonName(reason))
}

function mayFree(skb: SkBuff, what: string, atomic: boolean): boolean {
  const kernel = skb.cache.kernel
  if (atomic && kernel.ctx === 'hardirq') {
    kernel.warnOn(
      'CTX-06',
      `${what} of ${skbName(skb)} in an interrupt handler: use devKfreeSkbAny or devConsumeSkbAny`,
    )
  }
  if (skb.users <= 0) {
    kernel.warnOn('SKB-06', `${what}: ${skbName(skb)} was already freed`)
    return false
  }
  if (skb.next !== null && skb.users === 1) {
    kernel.warnOn('SKB-06', `${what}: ${skbName(skb)} is still on a list`)
  }
  skbCheckOffsets(skb, `somebody before ${what}`)
  return true
}

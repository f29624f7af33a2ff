import type { SkBuff } from './skbuff.ts'
import { SkbDropReason } from './drop-reason.ts'
import { skbName } from './skb-cache.ts'
import { kfreeSkb } from './skb-free.ts'

/** A list of packets, linked through the packets themselves. A packet is on one list at most. @kernel struct sk_buff_head include/linux/skbuff.h */
export class SkBuffHead {
  first: SkBuff | null = null
  last: SkBuff | null = null
  qlen = 0
}

/** Packets on the list. @kernel skb_queue_len() include/linux/skbuff.h */
export function skbQueueLen(list: SkBuffHead): number {
  return list.qlen
}

/** True when nothing is on the list. @kernel skb_queue_empty() include/linux/skbuff.h */
export function skbQueueEmpty(list: SkBuffHead): boolean {
  return list.qlen === 0
}

/** The first packet, left on the list. @kernel skb_peek() include/linux/skbuff.h */
export function skbPeek(list: SkBuffHead): SkBuff | null {
  return list.first
}

/** Puts a packet at the end. @kernel skb_queue_tail() net/core/skbuff.c @rule SKB-06 */
export function skbQueueTail(list: SkBuffHead, skb: SkBuff): void {
  if (skb.cache.checks && !mayLink(list, skb)) return
  const last = list.last
  skb.next = null
  skb.prev = last
  if (last === null) list.first = skb
  else last.next = skb
  list.last = skb
  list.qlen++
}

/** Puts a packet at the front. @kernel skb_queue_head() net/core/skbuff.c @rule SKB-06 */
export function skbQueueHead(list: SkBuffHead, skb: SkBuff): void {
  if (skb.cache.checks && !mayLink(list, skb)) return
  const first = list.first
  skb.prev = null
  skb.next = first
  if (first === null) list.last = skb
  else first.prev = skb
  list.first = skb
  list.qlen++
}

/** Takes the first packet, or null. @kernel skb_dequeue() net/core/skbuff.c */
export function skbDequeue(list: SkBuffHead): SkBuff | null {
  const skb = list.first
  if (skb === null) return null
  const next = skb.next
  list.first = next
  if (next === null) list.last = null
  else next.prev = null
  skb.next = null
  list.qlen--
  return skb
}

/** Takes the last packet, or null. @kernel skb_dequeue_tail() net/core/skbuff.c */
export function skbDequeueTail(list: SkBuffHead): SkBuff | null {
  const skb = list.last
  if (skb !== null) skbUnlink(skb, list)
  return skb
}

/** Takes a packet off the list it is on. @kernel skb_unlink() net/core/skbuff.c */
export function skbUnlink(skb: SkBuff, list: SkBuffHead): void {
  const { next, prev } = skb
  if (prev === null) list.first = next
  else prev.next = next
  if (next === null) list.last = prev
  else next.prev = prev
  skb.next = null
  skb.prev = null
  list.qlen--
}

/** Moves all of `from` to the end of `to`. @kernel skb_queue_splice_tail_init() include/linux/skbuff.h */
export function skbQueueSpliceTail(from: SkBuffHead, to: SkBuffHead): void {
  if (from.first === null) return
  from.first.prev = to.last
  if (to.last === null) to.first = from.first
  else to.last.next = from.first
  to.last = from.last
  to.qlen += from.qlen
  from.first = null
  from.last = null
  from.qlen = 0
}

/** Drops everything on the list. @kernel skb_queue_purge_reason() net/core/skbuff.c @rule STAT-15 */
export function skbQueuePurge(list: SkBuffHead, reason: number = SkbDropReason.QUEUE_PURGE): void {
  for (let skb = skbDequeue(list); skb !== null; skb = skbDequeue(list)) kfreeSkb(skb, reason)
}

function mayLink(list: SkBuffHead, skb: SkBuff): boolean {
  const { kernel } = skb.cache
  if (skb.users <= 0) {
    kernel.warnOn('SKB-06', `${skbName(skb)} was put on a list after it was freed`)
    return false
  }
  if (skb.next !== null || skb.prev !== null || list.first === skb) {
    kernel.warnOn('SKB-06', `${skbName(skb)} is already on a list`)
    return false
  }
  return true
}

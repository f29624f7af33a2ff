import { copyBytes } from '@vnet/kernel'
import { CHECKSUM_PARTIAL, SKB_MAX_ALLOC, type SkBuff } from './skbuff.ts'
import { birthStack, skbAllocFrom, skbNumber } from './skb-alloc.ts'
import { skbCopyBits } from './skb-bits.ts'
import { takeSpare } from './skb-cache.ts'
import { skbMayUse } from './skb-check.ts'

/**
 * A second sk_buff on the same data: offsets are its own, bytes are shared and must not be written.
 *
 * @returns null when there is no memory
 * @kernel skb_clone() net/core/skbuff.c
 * @rule SKB-04 TXQ-15
 */
export function skbClone(skb: SkBuff): SkBuff | null {
  const { cache, shinfo } = skb
  if (cache.checks && !skbMayUse(skb, 'skbClone')) return null
  if (cache.fail !== null && cache.fail()) return null
  const clone = takeSpare(cache, shinfo)
  shinfo.dataref++
  skb.cloned = true
  clone.users = 1
  clone.cloned = true
  clone.next = null
  clone.prev = null
  clone.head = skb.head
  clone.data = skb.data
  clone.tail = skb.tail
  clone.end = skb.end
  clone.len = skb.len
  clone.dataLen = skb.dataLen
  clone.truesize = skb.truesize
  copyMeta(skb, clone, 0)
  noteBirth(clone, skb)
  return clone
}

/**
 * A private copy with everything in the linear part.
 *
 * @returns null when there is no memory
 * @kernel skb_copy() net/core/skbuff.c
 * @rule SKB-04
 */
export function skbCopy(skb: SkBuff): SkBuff | null {
  const tailroom = skb.dataLen === 0 ? skb.end - skb.tail : 0
  return skbCopyExpand(skb, skb.data - skb.head, tailroom)
}

/**
 * A private linear copy with the headroom and tailroom asked for.
 *
 * @returns null when there is no memory
 * @kernel skb_copy_expand() net/core/skbuff.c
 */
export function skbCopyExpand(skb: SkBuff, headroom: number, tailroom: number): SkBuff | null {
  const { cache } = skb
  if (cache.checks && !skbMayUse(skb, 'skbCopy')) return null
  const need = headroom + skb.len
  // Tailroom is a wish: near the largest size it gives way.
  const copy = skbAllocFrom(cache, need > SKB_MAX_ALLOC ? need : Math.min(need + tailroom, SKB_MAX_ALLOC))
  if (copy === null) return null
  copy.data = copy.head + headroom
  copy.tail = copy.data + skb.len
  copy.len = skb.len
  skbCopyBits(skb, 0, copy.mem, copy.data, skb.len)
  // Headers that were pulled lie in the headroom: they come along, as far as there is room.
  const before = Math.min(headroom, skb.data - skb.head)
  copyBytes(copy.mem, copy.data - before, skb.mem, skb.data - before, before)
  copyMeta(skb, copy, copy.data - skb.data)
  noteBirth(copy, skb)
  return copy
}

/** Copies what the stack knows about a packet; offsets move by `delta`. @kernel __copy_skb_header() net/core/skbuff.c */
export function copyMeta(from: SkBuff, to: SkBuff, delta: number): void {
  to.dev = from.dev
  to.protocol = from.protocol
  to.pktType = from.pktType
  to.ipSummed = from.ipSummed
  to.csum = from.csum
  to.csumStart = from.ipSummed === CHECKSUM_PARTIAL ? from.csumStart + delta : from.csumStart
  to.csumOffset = from.csumOffset
  to.priority = from.priority
  to.mark = from.mark
  to.queueMapping = from.queueMapping
  to.hash = from.hash
  to.vlanPresent = from.vlanPresent
  to.vlanTci = from.vlanTci
  to.vlanProto = from.vlanProto
  to.macHeader = from.macHeader < 0 ? from.macHeader : from.macHeader + delta
  to.networkHeader = from.networkHeader < 0 ? from.networkHeader : from.networkHeader + delta
  to.transportHeader = from.transportHeader < 0 ? from.transportHeader : from.transportHeader + delta
  to.gsoSize = from.gsoSize
  to.gsoSegs = from.gsoSegs
  to.gsoType = from.gsoType
  to.cb = from.cb
  to.napiId = from.napiId
  to.state = from.state
  to.tstamp = from.tstamp
}

function noteBirth(skb: SkBuff, from: SkBuff): void {
  const { cache } = skb
  if (cache.checks) skbNumber(skb)
  skb.birthOwner = from.birthOwner
  skb.birthModule = from.birthModule
  if (cache.stacks) skb.birthStack = birthStack()
}

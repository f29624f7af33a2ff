import { copyBytes } from '@vnet/kernel'
import { restOn } from './buffer-stack.ts'
import { SkbDropReason } from './drop-reason.ts'
import { CHECKSUM_PARTIAL, type SkBuff, skbCloned } from './skbuff.ts'
import { skbCopyBits } from './skb-bits.ts'
import { adoptBuffer, putSpare, skbName, takeBuffer } from './skb-cache.ts'
import { skbMayChange } from './skb-check.ts'
import { skbMoveFrags, skbShareFrags } from './skb-frag.ts'
import { freeFragList, kfreeSkb, putFrags, skbPutData } from './skb-free.ts'
import { skbTrim } from './skb-ops.ts'

/**
 * Gives a packet a new buffer of its own, with so much more room before and after.
 *
 * Offsets kept outside the sk_buff are stale after that.
 *
 * @returns false when there is no memory: nothing changed
 * @kernel pskb_expand_head() net/core/skbuff.c
 * @rule SKB-04 TXQ-15
 */
export function pskbExpandHead(skb: SkBuff, nhead: number, ntail: number): boolean {
  const { cache } = skb
  if (cache.checks && !skbMayChange(skb, 'pskbExpandHead')) return false
  const old = skb.shinfo
  const size = skb.end - skb.head + nhead + ntail
  const fresh = takeBuffer(cache, size)
  if (fresh === null) return false
  const shinfo = fresh.shinfo
  copyBytes(shinfo.u8, shinfo.base + nhead, old.u8, skb.head, skb.tail - skb.head)
  if (old.dataref === 1) skbMoveFrags(old, shinfo)
  else skbShareFrags(old, shinfo)
  // Each buffer keeps one sk_buff resting on it: the two change places. A clone leaves the fresh one over.
  restOn(shinfo, skb)
  if (old.native === skb) {
    restOn(old, fresh)
    adoptBuffer(fresh, old)
    fresh.birthOwner = skb.birthOwner
    fresh.birthModule = skb.birthModule
  } else {
    putSpare(cache, fresh)
  }
  const delta = shinfo.base + nhead - skb.head
  adoptBuffer(skb, shinfo)
  skbPutData(cache, old)
  moveOffsets(skb, delta)
  skb.end = shinfo.base + ((size + 63) & ~63)
  skb.truesize += shinfo.size - old.size
  skb.cloned = false
  return true
}

/** Makes the data private, so that it may be written. @returns false when there is no memory @kernel skb_unclone() include/linux/skbuff.h @rule SKB-04 TXQ-15 */
export function skbUnclone(skb: SkBuff): boolean {
  return skbCloned(skb) ? pskbExpandHead(skb, 0, 0) : true
}

/** Makes the data private with at least `headroom` bytes before it. @returns false when there is no memory @kernel skb_cow() include/linux/skbuff.h */
export function skbCow(skb: SkBuff, headroom: number): boolean {
  const missing = headroom - (skb.data - skb.head)
  if (missing <= 0 && !skbCloned(skb)) return true
  return pskbExpandHead(skb, missing > 0 ? (missing + 63) & ~63 : 0, 0)
}

/**
 * Makes sure the first `len` bytes are in the linear part.
 *
 * @returns false when the packet is shorter, or there is no memory
 * @kernel pskb_may_pull() include/linux/skbuff.h
 */
export function pskbMayPull(skb: SkBuff, len: number): boolean {
  const linear = skb.tail - skb.data
  if (len <= linear) return true
  if (len > skb.len) return false
  return pskbPullTail(skb, len - linear)
}

/** Brings all data into the linear part. @returns false when there is no memory @kernel skb_linearize() include/linux/skbuff.h */
export function skbLinearize(skb: SkBuff): boolean {
  return skb.dataLen === 0 || pskbPullTail(skb, skb.dataLen)
}

/**
 * Moves the next `delta` bytes from the fragments to the linear part.
 *
 * @returns false when there is no memory, or not so many bytes
 * @kernel __pskb_pull_tail() net/core/skbuff.c
 */
export function pskbPullTail(skb: SkBuff, delta: number): boolean {
  if (delta > skb.dataLen) return false
  // Into a list of sk_buffs all or nothing: a half eaten list helps nobody.
  const want = delta > fragBytes(skb) ? skb.dataLen : delta
  const missing = skb.tail + want - skb.end
  if (missing > 0 || skbCloned(skb)) {
    if (!pskbExpandHead(skb, 0, missing > 0 ? missing : 0)) return false
  }
  skbCopyBits(skb, skb.tail - skb.data, skb.mem, skb.tail, want)
  eatFrags(skb, want)
  skb.tail += want
  skb.dataLen -= want
  return true
}

/**
 * Cuts a packet to `len` bytes, wherever they lie.
 *
 * @returns false when there is no memory
 * @kernel pskb_trim() include/linux/skbuff.h
 */
export function pskbTrim(skb: SkBuff, len: number): boolean {
  if (len >= skb.len) return true
  if (skb.dataLen === 0) {
    skbTrim(skb, len)
    return true
  }
  if (skb.cache.checks && !skbMayChange(skb, 'pskbTrim')) return false
  if (skb.shinfo.fragList !== null && !skbLinearize(skb)) return false
  if (!skbUnclone(skb)) return false
  trimFrags(skb, len)
  return true
}

/**
 * Pads a frame with zeros to `len` bytes.
 *
 * @returns false when there was no memory: the packet is freed then
 * @kernel skb_put_padto() include/linux/skbuff.h
 * @rule TXQ-17
 */
export function skbPutPadto(skb: SkBuff, len: number): boolean {
  const pad = len - skb.len
  if (pad <= 0) return true
  if (skb.cache.checks && !skbMayChange(skb, 'skbPutPadto')) return false
  if (skb.dataLen !== 0 || skbCloned(skb) || skb.end - skb.tail < pad) {
    if (!skbLinearize(skb) || !pskbExpandHead(skb, 0, pad)) {
      kfreeSkb(skb, SkbDropReason.NOMEM)
      return false
    }
  }
  const { mem, tail } = skb
  for (let i = 0; i < pad; i++) mem[tail + i] = 0
  skb.tail = tail + pad
  skb.len += pad
  return true
}

function moveOffsets(skb: SkBuff, delta: number): void {
  skb.data += delta
  skb.tail += delta
  if (skb.macHeader >= 0) skb.macHeader += delta
  if (skb.networkHeader >= 0) skb.networkHeader += delta
  if (skb.transportHeader >= 0) skb.transportHeader += delta
  if (skb.ipSummed === CHECKSUM_PARTIAL) skb.csumStart += delta
}

function fragBytes(skb: SkBuff): number {
  let bytes = 0
  for (let i = 0; i < skb.shinfo.nrFrags; i++) bytes += skb.shinfo.frags[i]!.size
  return bytes
}

function eatFrags(skb: SkBuff, bytes: number): void {
  const { shinfo } = skb
  if (bytes === skb.dataLen) {
    putFrags(skb.cache, shinfo)
    const list = shinfo.fragList
    shinfo.fragList = null
    if (list !== null) freeFragList(list)
    return
  }
  let left = bytes
  let gone = 0
  while (left > 0) {
    const frag = shinfo.frags[gone]!
    if (frag.size > left) {
      frag.offset += left
      frag.size -= left
      break
    }
    left -= frag.size
    skbPutData(skb.cache, frag.owner!)
    frag.owner = null
    gone++
  }
  // Emptied entries go to the end, to be used again.
  for (let i = 0; i < gone; i++) shinfo.frags.push(shinfo.frags.shift()!)
  shinfo.nrFrags -= gone
}

function trimFrags(skb: SkBuff, len: number): void {
  const { shinfo } = skb
  const linear = skb.tail - skb.data
  let keep = Math.max(len - linear, 0)
  let n = 0
  while (n < shinfo.nrFrags && keep > 0) {
    const frag = shinfo.frags[n]!
    if (frag.size > keep) frag.size = keep
    keep -= frag.size
    n++
  }
  for (let i = n; i < shinfo.nrFrags; i++) {
    const frag = shinfo.frags[i]!
    skbPutData(skb.cache, frag.owner!)
    frag.owner = null
  }
  shinfo.nrFrags = n
  if (len < linear) skb.tail = skb.data + len
  skb.len = len
  skb.dataLen = Math.max(len - linear, 0)
  if (skb.tail > skb.end) skb.cache.kernel.warnOn('SKB-01', `pskbTrim of ${skbName(skb)} went wrong`)
}

import type { PagePool } from './page-pool.ts'
import { pageToSkb } from './page-pool.ts'
import { MAX_SKB_FRAGS, type SkBuff, SkbFrag, type SkbSharedInfo } from './skbuff.ts'
import { skbName } from './skb-cache.ts'
import { skbMayChange } from './skb-check.ts'

/**
 * Adds a page as one more piece of a received packet; the packet owns the page from now on.
 *
 * @param offset - where the piece starts in the page
 * @param size - its bytes
 * @returns false when the packet has MAX_SKB_FRAGS already: the page is still the driver's
 * @kernel skb_add_rx_frag() net/core/skbuff.c
 * @rule SKB-06
 */
export function skbAddRxFrag(
  skb: SkBuff,
  pool: PagePool,
  page: number,
  offset: number,
  size: number,
): boolean {
  if (skb.cache.checks && !mayAdd(skb, pool, page, offset, size)) return false
  if (skb.shinfo.nrFrags >= MAX_SKB_FRAGS) return false
  if (pool.checks && !pageToSkb(pool, page)) return false
  const owner = pool.home.buffers[page]!
  owner.dataref = 1
  skbFillFrag(skb.shinfo, owner, owner.base + offset, size)
  skb.len += size
  skb.dataLen += size
  skb.truesize += pool.bufSize
  return true
}

/**
 * Notes a piece of `owner`'s buffer as the next fragment; the caller has taken a reference to `owner` for it.
 *
 * @kernel skb_fill_page_desc() include/linux/skbuff.h
 */
export function skbFillFrag(shinfo: SkbSharedInfo, owner: SkbSharedInfo, offset: number, size: number): void {
  const n = shinfo.nrFrags
  if (shinfo.frags.length === n) shinfo.frags.push(new SkbFrag(owner.u8))
  const frag = shinfo.frags[n]!
  frag.owner = owner
  frag.mem = owner.u8
  frag.region = owner.region
  frag.offset = offset
  frag.size = size
  shinfo.nrFrags = n + 1
}

/** Gives `to` the fragments of `from`, with references of their own. @kernel skb_zerocopy_clone(), skb_frag_ref() net/core/skbuff.c */
export function skbShareFrags(from: SkbSharedInfo, to: SkbSharedInfo): void {
  for (let i = 0; i < from.nrFrags; i++) {
    const frag = from.frags[i]!
    frag.owner!.dataref++
    skbFillFrag(to, frag.owner!, frag.offset, frag.size)
  }
  to.fragList = from.fragList
  for (let skb = from.fragList; skb !== null; skb = skb.next) skb.users++
}

/** Gives `to` the fragments of `from`, which has none after that. @kernel none */
export function skbMoveFrags(from: SkbSharedInfo, to: SkbSharedInfo): void {
  for (let i = 0; i < from.nrFrags; i++) {
    const frag = from.frags[i]!
    skbFillFrag(to, frag.owner!, frag.offset, frag.size)
    frag.owner = null
  }
  from.nrFrags = 0
  to.fragList = from.fragList
  from.fragList = null
}

function mayAdd(skb: SkBuff, pool: PagePool, page: number, offset: number, size: number): boolean {
  if (!skbMayChange(skb, 'skbAddRxFrag')) return false
  if (offset >= 0 && size >= 0 && offset + size <= pool.bufSize) return true
  skb.cache.kernel.warnOn(
    'SKB-02',
    `skbAddRxFrag to ${skbName(skb)}: ${offset} + ${size} bytes on page ${page} of ${pool.bufSize} of ${pool.name}`,
  )
  return false
}

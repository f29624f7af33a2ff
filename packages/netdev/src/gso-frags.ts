import type { SkBuff, SkbSharedInfo } from './skbuff.ts'
import { skbFillFrag } from './skb-frag.ts'

/**
 * Makes a range of one packet's bytes the fragments of another, without copying them.
 *
 * @returns false when it would take more than `maxFrags` pieces: then nothing was shared
 * @kernel skb_frag_ref() include/linux/skbuff_ref.h
 */
export function skbSharePayload(
  from: SkBuff,
  to: SkBuff,
  offset: number,
  size: number,
  maxFrags: number,
): boolean {
  if (countPieces(from, offset, size) > maxFrags) return false
  shareRange(from, to.shinfo, offset, size)
  to.len += size
  to.dataLen += size
  to.truesize += size
  return true
}

function countPieces(skb: SkBuff, offset: number, size: number): number {
  const { shinfo } = skb
  let pieces = 0
  let skip = offset
  let left = size
  const linear = skb.tail - skb.data
  if (skip < linear) {
    pieces++
    left -= Math.min(left, linear - skip)
    skip = 0
  } else skip -= linear
  for (let i = 0; i < shinfo.nrFrags && left > 0; i++) {
    const n = shinfo.frags[i]!.size
    if (skip < n) {
      pieces++
      left -= Math.min(left, n - skip)
      skip = 0
    } else skip -= n
  }
  for (let part = shinfo.fragList; part !== null && left > 0; part = part.next) {
    if (skip < part.len) {
      const n = Math.min(left, part.len - skip)
      pieces += countPieces(part, skip, n)
      left -= n
      skip = 0
    } else skip -= part.len
  }
  return pieces
}

function shareRange(skb: SkBuff, to: SkbSharedInfo, offset: number, size: number): void {
  const { shinfo } = skb
  let skip = offset
  let left = size
  const linear = skb.tail - skb.data
  if (skip < linear) {
    const n = Math.min(left, linear - skip)
    share(to, shinfo, skb.data + skip, n)
    // Somebody else refers to the data now.
    skb.cloned = true
    left -= n
    skip = 0
  } else skip -= linear
  for (let i = 0; i < shinfo.nrFrags && left > 0; i++) {
    const frag = shinfo.frags[i]!
    if (skip < frag.size) {
      const n = Math.min(left, frag.size - skip)
      share(to, frag.owner!, frag.offset + skip, n)
      left -= n
      skip = 0
    } else skip -= frag.size
  }
  for (let part = shinfo.fragList; part !== null && left > 0; part = part.next) {
    if (skip < part.len) {
      const n = Math.min(left, part.len - skip)
      shareRange(part, to, skip, n)
      left -= n
      skip = 0
    } else skip -= part.len
  }
}

function share(to: SkbSharedInfo, owner: SkbSharedInfo, offset: number, size: number): void {
  owner.dataref++
  skbFillFrag(to, owner, offset, size)
}

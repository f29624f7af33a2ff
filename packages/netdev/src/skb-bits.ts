import { copyBytes } from '@vnet/kernel'
import type { SkBuff } from './skbuff.ts'
import { skbTrim, skbPut } from './skb-ops.ts'

/**
 * Copies bytes out of a packet, wherever they lie.
 *
 * @param offset - from `data`; negative reaches into the headroom
 * @returns 0, or -14 (EFAULT) when the packet is shorter: nothing was copied
 * @kernel skb_copy_bits() net/core/skbuff.c
 */
export function skbCopyBits(
  skb: SkBuff,
  offset: number,
  dst: Uint8Array,
  dstOffset: number,
  len: number,
): 0 | -14 {
  if (len < 0 || offset + len > skb.len || offset < skb.head - skb.data) return -14
  const linear = skb.tail - skb.data
  let at = offset
  let to = dstOffset
  let left = len
  if (at < linear) {
    const n = left < linear - at ? left : linear - at
    copyBytes(dst, to, skb.mem, skb.data + at, n)
    if (n === left) return 0
    at += n
    to += n
    left -= n
  }
  copyFragBits(skb, at - linear, dst, to, left)
  return 0
}

/** Copies `len` bytes from `offset` in the part after the linear one; the caller has checked that they exist. */
function copyFragBits(skb: SkBuff, offset: number, dst: Uint8Array, dstOffset: number, len: number): void {
  const { shinfo } = skb
  let skip = offset
  let to = dstOffset
  let left = len
  for (let i = 0; i < shinfo.nrFrags && left > 0; i++) {
    const frag = shinfo.frags[i]!
    if (skip >= frag.size) {
      skip -= frag.size
      continue
    }
    const n = Math.min(left, frag.size - skip)
    copyBytes(dst, to, frag.mem, frag.offset + skip, n)
    to += n
    left -= n
    skip = 0
  }
  for (let part = shinfo.fragList; part !== null && left > 0; part = part.next) {
    if (skip >= part.len) {
      skip -= part.len
      continue
    }
    const n = Math.min(left, part.len - skip)
    skbCopyBits(part, skip, dst, to, n)
    to += n
    left -= n
    skip = 0
  }
}

/** A copy of the packet's bytes from `data` on. Slow path: allocates. @kernel none */
export function skbBytes(skb: SkBuff): Uint8Array {
  const bytes = new Uint8Array(skb.len)
  skbCopyBits(skb, 0, bytes, 0, skb.len)
  return bytes
}

/** Makes `bytes` the whole content of a linear packet; the headroom stays. Bytes past the room are reported as by `skbPut`. @kernel none @rule SKB-02 */
export function skbSetBytes(skb: SkBuff, bytes: Uint8Array): void {
  skbTrim(skb, 0)
  const at = skbPut(skb, bytes.length)
  if (skb.len === bytes.length) skb.mem.set(bytes, at)
}

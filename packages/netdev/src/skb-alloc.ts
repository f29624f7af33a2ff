import type { Kernel } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import type { SkBuff } from './skbuff.ts'
import { type SkbCache, skbCacheOf, takeBuffer } from './skb-cache.ts'

/**
 * Takes an empty sk_buff with room for at least `size` bytes. Any context.
 *
 * @returns null when there is no memory, or more than 68 KiB were asked for
 * @kernel alloc_skb() include/linux/skbuff.h
 */
export function allocSkb(kernel: Kernel, size: number): SkBuff | null {
  return skbAllocFrom(skbCacheOf(kernel), size)
}

/** `allocSkb` for those who keep the cache. @kernel __alloc_skb() net/core/skbuff.c */
export function skbAllocFrom(cache: SkbCache, size: number): SkBuff | null {
  return makeSkb(cache, size, 0, null)
}

/** A packet of `size` bytes of room, `headroom` of them before its data. */
function makeSkb(cache: SkbCache, size: number, headroom: number, dev: NetDevice<any> | null): SkBuff | null {
  // 512: the smallest of SKB_CLASS_SIZES. Here and not in a call, because most packets come this way.
  const { small } = cache
  const free = small.free - 1
  if (size > 512 || free < 0 || cache.watched) return makeUncommon(cache, size, headroom, dev)
  small.free = free
  const skb = small.skbs[small.stack[free]!]!
  // Its buffer's 512 bytes and SKB_OVERHEAD.
  skb.truesize = 1088
  layOut(skb, size, headroom, dev)
  return skb
}

/** A large packet, or one when small ones are used up, or rules are checked. */
function makeUncommon(
  cache: SkbCache,
  size: number,
  headroom: number,
  dev: NetDevice<any> | null,
): SkBuff | null {
  const skb = takeBuffer(cache, size)
  if (skb === null) return null
  skb.truesize = skb.shinfo.size + 576 // SKB_OVERHEAD
  layOut(skb, size, headroom, dev)
  if (cache.watched) noteBirth(skb)
  return skb
}

function layOut(skb: SkBuff, size: number, headroom: number, dev: NetDevice<any> | null): void {
  const { head } = skb
  const data = head + headroom
  skb.data = data
  skb.tail = data
  // Rounded up to a cache line, as the kernel does: small frames can be padded in place.
  skb.end = head + ((size + 63) & ~63)
  skb.len = 0
  skb.dev = dev
  skbResetFields(skb)
}

function noteBirth(skb: SkBuff): void {
  const { cache } = skb
  if (!cache.checks) return
  skbNumber(skb)
  skb.birthOwner = skb.dev === null ? '' : skb.dev.name
  skb.birthModule = cache.kernel.currentModule
  if (cache.stacks) skb.birthStack = birthStack()
}

/**
 * Takes a receive buffer for a device: room for `len` bytes after 64 bytes of headroom and 2 that align the IP header.
 *
 * @returns null when there is no memory
 * @kernel netdev_alloc_skb_ip_align() include/linux/skbuff.h
 * @rule RX-10 RX-11
 */
export function netdevAllocSkb(dev: NetDevice<any>, len: number): SkBuff | null {
  return makeSkb(dev.skbs, len + 66, 66, dev) // NET_SKB_PAD + NET_IP_ALIGN
}

/**
 * Sets what does not depend on the buffer to its first value; `dev` is left to the caller, and so are the fields that
 * mean nothing without another.
 *
 * Literals, because an imported constant costs a load: this runs for each packet.
 *
 * @kernel none
 */
export function skbResetFields(skb: SkBuff): void {
  skb.next = null
  skb.dataLen = 0
  skb.users = 1
  skb.cloned = false
  skb.protocol = 0
  skb.pktType = 0 // PACKET_HOST
  skb.ipSummed = 0 // CHECKSUM_NONE
  skb.vlanPresent = false
  skb.macHeader = -1 // SKB_OFFSET_UNSET
  skb.networkHeader = -1
  skb.transportHeader = -1
  skb.gsoSize = 0
  skb.queueMapping = 0
  skb.priority = 0
  skb.hash = 0
  skb.mark = 0
  skb.napiId = 0
  skb.stamped = false
}

/** Numbers an allocation. @kernel none @rule SKB-06 */
export function skbNumber(skb: SkBuff): void {
  const { cache } = skb
  // 30 bits, so that the number stays small.
  cache.nextId = (cache.nextId + 1) & 0x3fffffff
  skb.id = cache.nextId
}

/** Where the caller of an allocation stands, for leak reports. Slow. @kernel none */
export function birthStack(): string {
  const lines = (new Error().stack ?? '').split('\n')
  return (lines.find((line, i) => i > 2 && !/skb-(alloc|clone|copy)\.ts|page-pool\.ts/.test(line)) ?? '')
    .trim()
    .replace(/^at /, '')
}

import type { Kernel } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import {
  CHECKSUM_NONE,
  NET_IP_ALIGN,
  NET_SKB_PAD,
  PACKET_HOST,
  SKB_OFFSET_UNSET,
  SKB_OVERHEAD,
  type SkBuff,
} from './skbuff.ts'
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
  const skb = takeBuffer(cache, size)
  if (skb === null) return null
  const shinfo = skb.shinfo
  skb.head = shinfo.base
  // Rounded up to a cache line, as the kernel does: small frames can be padded in place.
  skb.end = shinfo.base + ((size + 63) & ~63)
  skb.data = shinfo.base
  skb.tail = shinfo.base
  skb.len = 0
  skb.truesize = shinfo.size + SKB_OVERHEAD
  skbResetFields(skb)
  skb.dev = null
  skb.birthOwner = ''
  skb.birthModule = cache.kernel.currentModule
  if (cache.stacks) skb.birthStack = birthStack()
  return skb
}

/**
 * Takes a receive buffer for a device: room for `len` bytes after 64 bytes of headroom and 2 that align the IP header.
 *
 * @returns null when there is no memory
 * @kernel netdev_alloc_skb_ip_align() include/linux/skbuff.h
 * @rule RX-10 RX-11
 */
export function netdevAllocSkb(dev: NetDevice<any>, len: number): SkBuff | null {
  const skb = allocSkb(dev.kernel, len + NET_SKB_PAD + NET_IP_ALIGN)
  if (skb === null) return null
  skb.data += NET_SKB_PAD + NET_IP_ALIGN
  skb.tail = skb.data
  skb.dev = dev
  skb.birthOwner = dev.name
  return skb
}

/**
 * Sets every field that does not depend on the buffer to its first value; `dev` is left to the caller.
 *
 * @kernel none
 */
export function skbResetFields(skb: SkBuff): void {
  skb.dataLen = 0
  skb.users = 1
  skb.cloned = false
  skb.next = null
  skb.prev = null
  skb.protocol = 0
  skb.pktType = PACKET_HOST
  skb.ipSummed = CHECKSUM_NONE
  skb.csumStart = 0
  skb.csumOffset = 0
  skb.priority = 0
  skb.queueMapping = 0
  skb.vlanPresent = false
  skb.vlanTci = 0
  skb.vlanProto = 0
  skb.macHeader = SKB_OFFSET_UNSET
  skb.networkHeader = SKB_OFFSET_UNSET
  skb.transportHeader = SKB_OFFSET_UNSET
  skb.gsoSize = 0
  skb.gsoSegs = 0
  skb.gsoType = 0
  skb.cb = 0
  skb.napiId = 0
  skb.state = 0
  skb.csum = 0
  skb.hash = 0
  skb.mark = 0
  skb.tstamp = 0
  if (skb.cache.checks) skbNumber(skb)
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
  return (lines.find((line, i) => i > 2 && !/skb-(alloc|clone|copy)\.ts|page-pool\.ts/.test(line)) ?? '').trim()
}

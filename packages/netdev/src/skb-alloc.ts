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
  const skb = takeBuffer(cache, size)
  if (skb === null) return null
  const { head, shinfo } = skb
  skb.data = head
  skb.tail = head
  // Rounded up to a cache line, as the kernel does: small frames can be padded in place.
  skb.end = head + ((size + 63) & ~63)
  skb.len = 0
  skb.truesize = shinfo.size + 576 // SKB_OVERHEAD
  skb.dev = null
  skbResetFields(skb)
  if (cache.checks) noteBirth(skb)
  return skb
}

function noteBirth(skb: SkBuff): void {
  const { cache } = skb
  skbNumber(skb)
  skb.birthOwner = ''
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
  const skb = skbAllocFrom(dev.net.rx.cache, len + 66) // NET_SKB_PAD + NET_IP_ALIGN
  if (skb === null) return null
  skb.data += 66
  skb.tail = skb.data
  skb.dev = dev
  if (skb.cache.checks) skb.birthOwner = dev.name
  return skb
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
  skb.cb = 0
  skb.state = 0
  skb.tstamp = 0
  skb.gsoSegs = 0
  skb.gsoType = 0
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

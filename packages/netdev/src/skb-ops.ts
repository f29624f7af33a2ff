import type { SkBuff } from './skbuff.ts'
import { skbName } from './skb-cache.ts'
import { skbMayChange } from './skb-check.ts'

/** Bytes free before the data. @kernel skb_headroom() include/linux/skbuff.h */
export function skbHeadroom(skb: SkBuff): number {
  return skb.data - skb.head
}

/** Bytes free after the data; 0 when data continues in fragments. @kernel skb_tailroom() include/linux/skbuff.h */
export function skbTailroom(skb: SkBuff): number {
  return skb.dataLen !== 0 ? 0 : skb.end - skb.tail
}

/**
 * Leaves `len` bytes of headroom in an empty buffer.
 *
 * @kernel skb_reserve() include/linux/skbuff.h
 * @rule SKB-01 SKB-03
 */
export function skbReserve(skb: SkBuff, len: number): void {
  if (skb.cache.checks && !skbMayChange(skb, 'skbReserve')) return
  if (skb.len !== 0) {
    skb.cache.kernel.warnOn(
      'SKB-03',
      `skbReserve(${len}) on ${skbName(skb)}, which holds ${skb.len} bytes already`,
    )
    return
  }
  if (len < 0 || len > skb.end - skb.tail) {
    skb.cache.kernel.warnOn(
      'SKB-01',
      `skbReserve(${len}) on ${skbName(skb)} with ${skb.end - skb.tail} bytes of tailroom`,
    )
    return
  }
  skb.data += len
  skb.tail += len
}

/**
 * Adds `len` bytes at the end; the caller writes them.
 *
 * @returns where they start in `skb.mem`; after a report nothing was added
 * @kernel skb_put() net/core/skbuff.c
 * @rule SKB-02
 */
export function skbPut(skb: SkBuff, len: number): number {
  if (skb.cache.checks && !skbMayChange(skb, 'skbPut')) return skb.tail
  const at = skb.tail
  if (len < 0 || at + len > skb.end || skb.dataLen !== 0) {
    reportPut(skb, len)
    return at
  }
  skb.tail = at + len
  skb.len += len
  return at
}

/**
 * Adds `len` bytes in front; the caller writes them.
 *
 * @returns where the data starts now; after a report nothing was added
 * @kernel skb_push() net/core/skbuff.c
 * @rule SKB-02
 */
export function skbPush(skb: SkBuff, len: number): number {
  if (skb.cache.checks && !skbMayChange(skb, 'skbPush')) return skb.data
  const at = skb.data - len
  if (len < 0 || at < skb.head) {
    skb.cache.kernel.warnOn(
      'SKB-02',
      `skbPush(${len}) on ${skbName(skb)} with ${skb.data - skb.head} bytes of headroom`,
    )
    return skb.data
  }
  skb.data = at
  skb.len += len
  return at
}

/**
 * Takes `len` bytes off the front.
 *
 * @returns where the data starts now, or null (and nothing is taken) when the linear part is shorter
 * @kernel skb_pull() net/core/skbuff.c
 * @rule SKB-02
 */
export function skbPull(skb: SkBuff, len: number): number | null {
  if (skb.cache.checks && !skbMayChange(skb, 'skbPull')) return null
  const at = skb.data + len
  if (len < 0 || at > skb.tail) return null
  skb.data = at
  skb.len -= len
  return at
}

/**
 * Cuts a linear packet to `len` bytes; one that is shorter stays as it is.
 *
 * @kernel skb_trim() net/core/skbuff.c
 * @rule SKB-01
 */
export function skbTrim(skb: SkBuff, len: number): void {
  if (skb.cache.checks && !skbMayChange(skb, 'skbTrim')) return
  if (skb.dataLen !== 0 || len < 0) {
    skb.cache.kernel.warnOn(
      'SKB-01',
      `skbTrim(${len}) on ${skbName(skb)}, which has ${skb.dataLen} bytes in fragments: use pskbTrim`,
    )
    return
  }
  if (len >= skb.len) return
  skb.len = len
  skb.tail = skb.data + len
}

/** The link header starts at `data`. @kernel skb_reset_mac_header() include/linux/skbuff.h */
export function skbResetMacHeader(skb: SkBuff): void {
  skb.macHeader = skb.data
}

/** The network header starts at `data`. @kernel skb_reset_network_header() include/linux/skbuff.h */
export function skbResetNetworkHeader(skb: SkBuff): void {
  skb.networkHeader = skb.data
}

/** The transport header starts at `data`. @kernel skb_reset_transport_header() include/linux/skbuff.h */
export function skbResetTransportHeader(skb: SkBuff): void {
  skb.transportHeader = skb.data
}

/** Takes one more reference to the object; each holder frees it once. @kernel skb_get() include/linux/skbuff.h @rule SKB-04 */
export function skbGet(skb: SkBuff): SkBuff {
  if (skb.cache.checks && skb.users <= 0) {
    skb.cache.kernel.warnOn('SKB-06', `skbGet on ${skbName(skb)} after it was freed`)
  }
  skb.users++
  return skb
}

function reportPut(skb: SkBuff, len: number): void {
  const name = skbName(skb)
  if (skb.dataLen !== 0) {
    skb.cache.kernel.warnOn(
      'SKB-01',
      `skbPut(${len}) on ${name}, which has ${skb.dataLen} bytes in fragments`,
    )
  } else {
    skb.cache.kernel.warnOn(
      'SKB-02',
      `skbPut(${len}) on ${name} with ${skb.end - skb.tail} bytes of tailroom`,
    )
  }
}

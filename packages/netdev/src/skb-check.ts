import type { SkBuff } from './skbuff.ts'
import { skbName } from './skb-cache.ts'

/**
 * Checks that an sk_buff may be changed: it is alive and nobody else holds it. Call it under `cache.checks`.
 *
 * @returns false after a report
 * @kernel none
 * @rule SKB-04 SKB-06
 */
export function skbMayChange(skb: SkBuff, what: string): boolean {
  if (!skbMayUse(skb, what)) return false
  if (skb.users !== 1) {
    skb.cache.kernel.warnOn(
      'SKB-04',
      `${what} on ${skbName(skb)}, which ${skb.users} hold: take a clone or a copy first`,
    )
    return false
  }
  return true
}

/**
 * Checks that an sk_buff is alive. Call it under `cache.checks`.
 *
 * @returns false after a report
 * @kernel none
 * @rule SKB-06
 */
export function skbMayUse(skb: SkBuff, what: string): boolean {
  if (skb.users > 0) return true
  skb.cache.kernel.warnOn('SKB-06', `${what} on ${skbName(skb)} after it was freed`)
  return false
}

/**
 * Checks the order of the offsets and the length. Call it under `cache.checks`.
 *
 * @returns false after a report
 * @kernel none
 * @rule SKB-01
 */
export function skbCheckOffsets(skb: SkBuff, what: string): boolean {
  const ordered = skb.head <= skb.data && skb.data <= skb.tail && skb.tail <= skb.end
  if (ordered && skb.tail - skb.data === skb.len - skb.dataLen) return true
  skb.cache.kernel.warnOn(
    'SKB-01',
    `${what} left ${skbName(skb)} with head ${skb.head}, data ${skb.data}, tail ${skb.tail}, end ${skb.end}, len ${skb.len} of which ${skb.dataLen} in fragments`,
  )
  return false
}

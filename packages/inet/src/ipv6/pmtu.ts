import type { Kernel } from '@vnet/kernel'
import { ipv6AddrKey } from './address.ts'

/** How long the news of a small link on the way is believed, in seconds. @kernel ip6_rt_mtu_expires net/ipv6/route.c */
const MTU_EXPIRES = 600
/** Destinations remembered; the oldest gives way. */
const MAX_ENTRIES = 1024
const MIN_MTU = 1280

/**
 * What routers said about the way to single destinations.
 *
 * @kernel struct rt6_exception include/net/ip6_fib.h
 */
export class Pmtu6 {
  readonly #kernel: Kernel
  readonly #entries = new Map<string, { mtu: number; expires: number }>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Destinations remembered. */
  get size(): number {
    return this.#entries.size
  }

  /** The most bytes a packet to `dst` may have, if a router said so lately. @kernel rt6_find_cached_rt() net/ipv6/route.c */
  get(dst: Uint8Array): number | null {
    if (this.#entries.size === 0) return null
    const key = ipv6AddrKey(dst)
    const entry = this.#entries.get(key)
    if (entry === undefined) return null
    if (entry.expires > this.#kernel.clock.jiffies) return entry.mtu
    this.#entries.delete(key)
    return null
  }

  /** A router says that more than `mtu` bytes do not reach `dst`; less than 1280 no link may say. @kernel __ip6_rt_update_pmtu() net/ipv6/route.c */
  update(dst: Uint8Array, mtu: number, present: number): void {
    const value = Math.max(mtu, MIN_MTU)
    if (value >= present) return
    const { clock } = this.#kernel
    const key = ipv6AddrKey(dst)
    this.#entries.delete(key)
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { mtu: value, expires: clock.jiffies + MTU_EXPIRES * clock.hz })
  }
}

import type { Kernel } from '@vnet/kernel'

/** How long a learned MTU holds, in seconds. @kernel ip_rt_mtu_expires net/ipv4/route.c */
const EXPIRES_S = 600
/** Less nobody needs: such a report is a trick. @kernel ip_rt_min_pmtu net/ipv4/route.c */
const MIN_PMTU = 552
const MOST = 1024

/** The MTUs routers reported, by destination; the oldest are forgotten. @kernel struct fib_nh_exception include/net/ip_fib.h */
export class PathMtu {
  readonly #kernel: Kernel
  readonly #known = new Map<number, { mtu: number; expires: number }>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** True when something was learned about a destination. */
  has(dst: number): boolean {
    return this.#known.size !== 0 && this.#known.has(dst)
  }

  /** The MTU to a destination; `mtu` is the link's. */
  get(dst: number, mtu: number): number {
    if (this.#known.size === 0) return mtu
    const entry = this.#known.get(dst)
    if (entry === undefined) return mtu
    if (entry.expires < this.#kernel.clock.jiffies) {
      this.#known.delete(dst)
      return mtu
    }
    return Math.min(entry.mtu, mtu)
  }

  /** A router could not pass a packet on in one piece. @kernel ip_rt_update_pmtu() net/ipv4/route.c */
  learn(dst: number, mtu: number): void {
    this.#known.delete(dst)
    if (this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value!)
    const { clock } = this.#kernel
    this.#known.set(dst, { mtu: Math.max(mtu, MIN_PMTU), expires: clock.jiffies + EXPIRES_S * clock.hz })
  }

  /** Forgets all. */
  flush(): void {
    this.#known.clear()
  }
}

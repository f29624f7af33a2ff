import type { Kernel, Ktime } from './kernel.ts'
import { prWarn } from './printk.ts'

/**
 * Lets `burst` messages through in every `interval` and counts the rest.
 *
 * @kernel struct ratelimit_state include/linux/ratelimit_types.h
 * @rule LOG-01
 */
export class RateLimit {
  readonly #kernel: Kernel
  readonly interval: Ktime
  readonly burst: number
  readonly name: string
  #begin: Ktime = -1
  #printed = 0
  #missed = 0

  constructor(kernel: Kernel, interval: Ktime, burst: number, name: string) {
    this.#kernel = kernel
    this.interval = interval
    this.burst = burst
    this.name = name
  }

  /** How many were refused since the last report. */
  get missed(): number {
    return this.#missed
  }

  /**
   * Says whether this message may be printed.
   *
   * The first call after an interval logs how many were refused in it. An interval of 0 lets
   * everything through.
   *
   * @kernel ___ratelimit() lib/ratelimit.c
   */
  allow(): boolean {
    if (this.interval === 0) return true
    const now = this.#kernel.clock.ktimeGet()
    if (this.#begin < 0) this.#begin = now
    if (now > this.#begin + this.interval) this.#restart(now)
    if (this.#printed < this.burst) {
      this.#printed++
      return true
    }
    this.#missed++
    return false
  }

  #restart(now: Ktime): void {
    const missed = this.#missed
    this.#begin = now
    this.#printed = 0
    this.#missed = 0
    if (missed > 0) prWarn(this.#kernel, `${this.name}: ${missed} callbacks suppressed`)
  }
}

/**
 * Makes a rate limit: 10 messages in 5 seconds, unless told otherwise. Make it once, not per message.
 *
 * `interval` is in nanoseconds; `name` stands before "N callbacks suppressed", by habit the function's name.
 *
 * @kernel DEFINE_RATELIMIT_STATE() include/linux/ratelimit_types.h
 * @rule LOG-01
 */
export function ratelimit(kernel: Kernel, interval: Ktime = 5e9, burst = 10, name = 'printk'): RateLimit {
  return new RateLimit(kernel, interval, burst, name)
}

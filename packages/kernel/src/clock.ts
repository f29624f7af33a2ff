import type { Kernel } from './kernel.ts'

/** A time or a duration in nanoseconds, an integer. */
export type Ktime = number

/** Nanoseconds in a second. @kernel NSEC_PER_SEC include/vdso/time64.h */
export const NSEC_PER_SEC = 1_000_000_000
/** Nanoseconds in a millisecond. @kernel NSEC_PER_MSEC include/vdso/time64.h */
export const NSEC_PER_MSEC = 1_000_000
/** Nanoseconds in a microsecond. @kernel NSEC_PER_USEC include/vdso/time64.h */
export const NSEC_PER_USEC = 1_000

/** As often a coarse reading may go by the last exact one: code that waits for a time in a loop must see it come. */
const COARSE_READS = 256

/**
 * The kernel's monotonic clock, 0 at boot.
 *
 * A virtual clock moves only from event to event. A real one reads the host's.
 *
 * @kernel ktime_get() kernel/time/timekeeping.c
 */
export class Clock {
  /** Ticks a second. @kernel HZ */
  readonly hz: number
  /** Nanoseconds in a tick. */
  readonly tickNs: Ktime
  /** True when the host's clock drives this kernel. */
  readonly real: boolean
  readonly #source: (() => Ktime) | null
  #now: Ktime = 0
  /** The tick `#now` lay in when last asked, and when that tick ends. */
  #tick = 0
  #tickEnd: Ktime = 0
  /** So many coarse readings need not ask the host. */
  #coarse = 0

  constructor(hz: number, source: (() => Ktime) | null) {
    if (!Number.isInteger(hz) || hz < 1 || hz > 10_000)
      throw new RangeError(`hz ${hz} is not from 1 to 10000`)
    this.hz = hz
    this.tickNs = Math.round(NSEC_PER_SEC / hz)
    this.#source = source
    this.real = source !== null
  }

  /** Nanoseconds since boot. @kernel ktime_get() kernel/time/timekeeping.c */
  ktimeGet(): Ktime {
    if (this.#source !== null) {
      const now = this.#source()
      if (now > this.#now) this.#now = now
    }
    return this.#now
  }

  /**
   * Nanoseconds since boot, as of when the present interrupt or event began; elsewhere the same as `ktimeGet()`.
   *
   * For hot code: asking the host costs as much as a small packet.
   *
   * @kernel ktime_get_coarse() include/linux/timekeeping.h
   */
  ktimeGetCoarse(): Ktime {
    if (this.#coarse === 0) return this.ktimeGet()
    this.#coarse--
    return this.#now
  }

  /** An interrupt or an event begins; whoever runs it calls `leave()` after it. @returns now */
  enter(): Ktime {
    this.#coarse = this.#source === null ? 0 : COARSE_READS
    return this.ktimeGet()
  }

  /** It is over. */
  leave(): void {
    this.#coarse = 0
  }

  /** The last time seen, without asking the host again; on a virtual clock it is simply now. */
  get lastSeen(): Ktime {
    return this.#now
  }

  /** Ticks since boot. @kernel jiffies include/linux/jiffies.h */
  get jiffies(): number {
    const now = this.ktimeGetCoarse()
    // Asked for each poll: a division only once a tick.
    if (now >= this.#tickEnd) {
      this.#tick = Math.floor(now / this.tickNs)
      this.#tickEnd = (this.#tick + 1) * this.tickNs
    }
    return this.#tick
  }

  /** Moves a virtual clock forward; the kernel calls it, nobody else. */
  advanceTo(time: Ktime): void {
    if (time > this.#now) this.#now = time
  }
}

/** Milliseconds to ticks, rounded up. @kernel msecs_to_jiffies() kernel/time/time.c */
export function msecsToJiffies(kernel: Kernel, ms: number): number {
  return Math.ceil((ms * kernel.clock.hz) / 1000)
}

/** Microseconds to ticks, rounded up. @kernel usecs_to_jiffies() kernel/time/time.c */
export function usecsToJiffies(kernel: Kernel, us: number): number {
  return Math.ceil((us * kernel.clock.hz) / 1_000_000)
}

/** Ticks to milliseconds. @kernel jiffies_to_msecs() kernel/time/time.c */
export function jiffiesToMsecs(kernel: Kernel, ticks: number): number {
  return Math.floor((ticks * 1000) / kernel.clock.hz)
}

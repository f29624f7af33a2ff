import { Errno } from '@vnet/kernel'
import type { Kernel, Ktime } from '@vnet/kernel'
import type { Backend } from './contract.ts'
import type { Direction } from './fault-options.ts'
import type { FrameStoreSize } from './frame-store.ts'
import { FULL, MISSED, Outlet } from './outlet.ts'
import type { OutletSide } from './outlet.ts'
import { Pace } from './rate.ts'
import type { Rate } from './rate.ts'
import { Wrapper } from './wrapper.ts'

/**
 * How much a rate limit lets pass.
 *
 * @kernel none
 */
export interface RateLimitOptions {
  readonly rate: Rate
  /** What may pass at once after a pause: bytes for a rate in bits, else frames. Default 15,140 bytes or 10 frames. */
  readonly burst?: number
  /** Default `both`. */
  readonly direction?: Direction
  /** Room for frames that wait, for each direction. Default 256 frames, 512 KiB. */
  readonly queue?: FrameStoreSize
}

/** A token bucket, kept as the time at which it would be full again. */
class Bucket {
  readonly outlet: Outlet
  readonly #kernel: Kernel
  readonly #pace: Pace
  readonly #burstNs: Ktime
  /** One number; in an array of doubles, because a field would be a new heap object at each change. */
  readonly #fullAt: Float64Array

  constructor(kernel: Kernel, options: RateLimitOptions, outlet: Outlet) {
    this.outlet = outlet
    this.#kernel = kernel
    this.#pace = new Pace(options.rate)
    this.#burstNs = this.#pace.burstNs(options.burst ?? ('bitsPerSecond' in options.rate ? 15_140 : 10))
    this.#fullAt = new Float64Array(1)
  }

  /** Sends a frame now if there are tokens for it, else when there are. `FULL` takes no tokens. */
  send(mem: Uint8Array, offset: number, length: number): number {
    const now = this.#kernel.clock.ktimeGet()
    const fullAt = Math.max(this.#fullAt[0]!, now) + this.#pace.cost(length)
    const due = Math.ceil(fullAt - this.#burstNs)
    this.outlet.due[0] = due <= now ? 0 : due
    const result = this.outlet.send(mem, offset, length)
    if (result !== FULL) this.#fullAt[0] = fullAt
    return result
  }
}

class RateLimiter extends Wrapper {
  readonly #tx: Bucket | null
  readonly #rx: Bucket | null
  #refused: boolean

  constructor(kernel: Kernel, lower: Backend, options: RateLimitOptions) {
    super('rate-limit', lower)
    const { direction = 'both', queue = { frames: 256, bytes: 1 << 19 } } = options
    const bucket = (side: OutletSide): Bucket =>
      new Bucket(kernel, options, new Outlet(kernel, this.name, this.counters, side, queue))
    this.#tx =
      direction === 'rx'
        ? null
        : bucket({
            retries: true,
            emit: (mem, at, length) => this.pass(mem, at, length),
            idle: () => this.#txIdle(),
          })
    this.#rx =
      direction === 'tx'
        ? null
        : bucket({ retries: false, emit: (mem, at, length) => this.offer(mem, at, length), idle: () => {} })
    this.#refused = false
  }

  override transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const tx = this.#tx
    if (tx === null) return super.transmit(mem, offset, length)
    if (tx.outlet.blocked) return this.#refuse()
    if (tx.send(mem, offset, length) === FULL) {
      if (tx.outlet.fits(length)) return this.#refuse()
      this.counters.dropped++
    }
    this.taken(length)
    return true
  }

  override receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.#rx === null || this.port === null) return super.receive(mem, offset, length)
    this.counters.upFrames++
    const result = this.#rx.send(mem, offset, length)
    if (result === FULL) this.counters.dropped++
    return result !== MISSED
  }

  override writable(): void {
    if (this.#tx === null) super.writable()
    else this.#tx.outlet.resume()
  }

  protected override opened(): void {
    this.#tx?.outlet.open()
    this.#rx?.outlet.open()
  }

  protected override closed(): void {
    this.#tx?.outlet.close()
    this.#rx?.outlet.close()
    this.#refused = false
  }

  #refuse(): boolean {
    this.#refused = true
    return false
  }

  #txIdle(): void {
    if (this.port === null) return
    this.lower.flush?.()
    if (!this.#refused || !this.#tx!.outlet.roomy) return
    this.#refused = false
    this.port.writable()
  }
}

/**
 * Makes middleware that lets only so much pass: a token bucket with a queue for each direction.
 *
 * From the card it refuses when the queue is full, so nothing is lost; to the card it drops.
 *
 * @throws Errno EINVAL for a rate or burst that makes no sense
 * @kernel tbf_enqueue() net/sched/sch_tbf.c
 */
export function rateLimit(kernel: Kernel, options: RateLimitOptions): (lower: Backend) => Backend {
  new Pace(options.rate)
  const { burst } = options
  if (burst !== undefined && !(burst > 0 && Number.isFinite(burst))) {
    throw new Errno('EINVAL', `rateLimit: burst is ${burst}, must be above 0`, 'burst')
  }
  return (lower) => new RateLimiter(kernel, lower, options)
}

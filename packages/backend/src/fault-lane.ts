import { copyBytes, hwEventCancel, hwEventSetup, hwEventStart } from '@vnet/kernel'
import type { HwEvent, Kernel, Ktime, Rng } from '@vnet/kernel'
import type { BackendCounters } from './counters.ts'
import type { FaultOptions } from './fault-options.ts'
import { FULL, MISSED, Outlet } from './outlet.ts'
import type { OutletSide } from './outlet.ts'
import { Pace } from './rate.ts'

const DEFAULT_REORDER_NS = 1e6

/**
 * What a fault injector did in one direction.
 *
 * @kernel none
 */
export class FaultCounts {
  /** Frames judged. */
  frames = 0
  dropped = 0
  corrupted = 0
  duplicated = 0
  reordered = 0
  /** Frames made late, by delay, jitter or rate. */
  delayed = 0
  /** Frames and copies lost because the store was full. */
  overflowed = 0
}

/** One direction of a fault injector, with its own stream of chance. @kernel none */
export class FaultLane {
  readonly counts: FaultCounts
  readonly #kernel: Kernel
  readonly #rng: Rng
  readonly #counters: BackendCounters
  readonly #outlet: Outlet
  readonly #event: HwEvent
  readonly #drop: number
  readonly #corrupt: number
  readonly #duplicate: number
  readonly #reorder: number
  readonly #reorderNs: Ktime
  readonly #delayNs: Ktime
  readonly #jitterNs: Ktime
  readonly #pace: Pace | null
  readonly #late: boolean
  /** When the rate lets the next frame begin; in an array of doubles, so that changing it makes no heap object. */
  readonly #rateFree: Float64Array
  #scratch: Uint8Array
  #kept: Uint8Array
  #keptLength: number
  #keptCopies: number

  constructor(
    kernel: Kernel,
    owner: string,
    options: FaultOptions,
    counters: BackendCounters,
    side: OutletSide,
    rng: Rng,
  ) {
    this.counts = new FaultCounts()
    this.#kernel = kernel
    this.#rng = rng
    this.#counters = counters
    this.#outlet = new Outlet(kernel, owner, counters, side, options.store ?? {})
    this.#event = hwEventSetup(kernel, () => this.#release(), owner)
    this.#drop = options.drop ?? 0
    this.#corrupt = options.corrupt ?? 0
    this.#duplicate = options.duplicate ?? 0
    this.#reorder = options.reorder ?? 0
    this.#reorderNs = options.reorderNs ?? DEFAULT_REORDER_NS
    this.#delayNs = options.delayNs ?? 0
    this.#jitterNs = options.jitterNs ?? 0
    this.#pace = options.rate === undefined ? null : new Pace(options.rate)
    this.#late = this.#delayNs > 0 || this.#jitterNs > 0 || this.#pace !== null
    this.#rateFree = new Float64Array(1)
    this.#scratch = new Uint8Array(2048)
    this.#kept = new Uint8Array(2048)
    this.#keptLength = -1
    this.#keptCopies = 0
  }

  /** The other side refused a frame: take no more until it calls back. Nothing is judged twice. */
  get blocked(): boolean {
    return this.#outlet.blocked
  }

  get roomy(): boolean {
    return this.#outlet.roomy
  }

  /** Judges a frame and does to it what was drawn. False: it was passed on at once and missed. */
  take(mem: Uint8Array, offset: number, length: number): boolean {
    this.counts.frames++
    if (this.#hits(this.#drop)) {
      this.counts.dropped++
      this.#counters.dropped++
      return true
    }
    let bytes = mem
    let at = offset
    if (this.#hits(this.#corrupt) && length > 0) {
      this.#corruptCopy(mem, offset, length)
      bytes = this.#scratch
      at = 0
    }
    const copies = this.#hits(this.#duplicate) ? 2 : 1
    if (copies === 2) {
      this.counts.duplicated++
      this.#counters.made++
    }
    if (this.#hits(this.#reorder) && this.#keptLength < 0) {
      this.#keep(bytes, at, length, copies)
      return true
    }
    const taken = this.#send(bytes, at, length, copies)
    this.#release()
    return taken
  }

  resume(): void {
    this.#outlet.resume()
  }

  open(): void {
    this.#outlet.open()
  }

  close(): void {
    hwEventCancel(this.#event)
    if (this.#keptLength >= 0) {
      this.#counters.held -= this.#keptCopies
      this.#counters.dropped += this.#keptCopies
      this.#keptLength = -1
    }
    this.#outlet.close()
  }

  /** An effect that is off draws nothing, so switching it on is the only thing that changes the others. */
  #hits(p: number): boolean {
    return p > 0 && this.#rng.chance(p)
  }

  #corruptCopy(mem: Uint8Array, offset: number, length: number): void {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length)
    copyBytes(this.#scratch, 0, mem, offset, length)
    const bit = this.#rng.below(length * 8)
    this.#scratch[bit >> 3]! ^= 1 << (bit & 7)
    this.counts.corrupted++
  }

  #keep(mem: Uint8Array, offset: number, length: number, copies: number): void {
    if (this.#kept.length < length) this.#kept = new Uint8Array(length)
    copyBytes(this.#kept, 0, mem, offset, length)
    this.#keptLength = length
    this.#keptCopies = copies
    this.#counters.held += copies
    this.counts.reordered++
    hwEventStart(this.#event, this.#reorderNs)
  }

  #release(): void {
    const length = this.#keptLength
    if (length < 0) return
    hwEventCancel(this.#event)
    this.#keptLength = -1
    this.#counters.held -= this.#keptCopies
    this.#send(this.#kept, 0, length, this.#keptCopies)
  }

  #send(mem: Uint8Array, offset: number, length: number, copies: number): boolean {
    if (this.#late) this.counts.delayed++
    let taken = true
    for (let i = 0; i < copies; i++) {
      if (this.#late) this.#setDue(length)
      const result = this.#outlet.send(mem, offset, length)
      if (result === MISSED) taken = false
      if (result !== FULL) continue
      this.#counters.dropped++
      this.counts.overflowed++
    }
    return taken
  }

  #setDue(length: number): void {
    let at = this.#kernel.clock.ktimeGet()
    if (this.#pace !== null) {
      at = Math.max(this.#rateFree[0]!, at) + this.#pace.cost(length)
      this.#rateFree[0] = at
    }
    at += this.#delayNs
    if (this.#jitterNs > 0) at += (this.#rng.u32() / 0x8000_0000 - 1) * this.#jitterNs
    // Not 0, which would be now, before those that wait.
    this.#outlet.due[0] = Math.ceil(Math.max(at, 1))
  }
}

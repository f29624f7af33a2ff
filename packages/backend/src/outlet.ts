import type { Kernel } from '@vnet/kernel'
import type { BackendCounters } from './counters.ts'
import { DelayLine } from './delay-line.ts'
import type { DelayTarget } from './delay-line.ts'
import type { FrameStoreSize } from './frame-store.ts'

/** Handed on at once. @kernel none */
export const SENT = 0
/** Kept; it follows when it is due. @kernel none */
export const HELD = 1
/** Handed on at once, and the card missed it. @kernel none */
export const MISSED = 2
/** No room to keep it: nothing was done. @kernel none */
export const FULL = 3
/** One of `SENT`, `HELD`, `MISSED`, `FULL`. @kernel none */
export type SendResult = typeof SENT | typeof HELD | typeof MISSED | typeof FULL

/** The side a wrapper's outlet leads to. @kernel none */
export interface OutletSide {
  /** Hands a frame on. False: refused. */
  emit(mem: Uint8Array, offset: number, length: number): boolean
  /** Frames were handed on from an event, or all were thrown away. */
  idle(): void
  /** True downwards: a refused frame is kept and offered again after `resume()`. Upwards a refused frame is gone. */
  readonly retries: boolean
}

/**
 * One direction of a wrapper that may keep frames: hands them on in order, now or when they are due.
 *
 * @kernel none
 */
export class Outlet implements DelayTarget {
  /** `due[0]` is when the next frame sent is due; 0 is now. Not an argument, see `FrameStore`. */
  readonly due: Float64Array
  readonly #side: OutletSide
  readonly #line: DelayLine

  constructor(
    kernel: Kernel,
    owner: string,
    counters: BackendCounters,
    side: OutletSide,
    size: FrameStoreSize,
  ) {
    this.#side = side
    this.#line = new DelayLine(kernel, owner, counters, this, size)
    this.due = this.#line.due
  }

  /** The lower side refused a frame and has not called back yet. */
  get blocked(): boolean {
    return this.#line.blocked
  }

  /** At most half full, and not blocked. */
  get roomy(): boolean {
    return this.#line.roomy
  }

  fits(length: number): boolean {
    return this.#line.fits(length)
  }

  /** Hands a frame on: at once when `due[0]` is 0 and none waits before it, else when it is due. */
  send(mem: Uint8Array, offset: number, length: number): SendResult {
    if (this.due[0] === 0 && this.#line.count === 0) {
      if (this.#side.emit(mem, offset, length)) return SENT
      if (!this.#side.retries) return MISSED
      if (!this.#line.push(mem, offset, length)) return FULL
      this.#line.block()
      return HELD
    }
    return this.#line.push(mem, offset, length) ? HELD : FULL
  }

  /** The lower side has room again. */
  resume(): void {
    this.#line.resume()
  }

  open(): void {
    this.#line.open()
  }

  /** Throws away what is kept. */
  close(): void {
    this.#line.close()
  }

  deliver(mem: Uint8Array, offset: number, length: number): boolean {
    return this.#side.emit(mem, offset, length) || !this.#side.retries
  }

  sliceDone(): void {
    this.#side.idle()
  }
}

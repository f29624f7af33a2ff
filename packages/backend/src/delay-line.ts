import { hwEventCancel, hwEventPending, hwEventSetup, hwEventStart } from '@vnet/kernel'
import type { HwEvent, Kernel, Ktime } from '@vnet/kernel'
import type { BackendCounters } from './counters.ts'
import { FrameStore } from './frame-store.ts'
import type { FrameStoreSize } from './frame-store.ts'

/** Frames handed on in one event; then the card's interrupt and the rest of the world get a turn. */
const SLICE = 64

/**
 * Where a delay line hands its frames.
 *
 * @kernel none
 */
export interface DelayTarget {
  /** A frame is due. False: not taken; the line keeps it and waits for `resume()`. */
  deliver(mem: Uint8Array, offset: number, length: number): boolean
  /** An event's frames have been handed on, or the line was cleared: look whether there is room again. */
  sliceDone(): void
}

/**
 * Frames on their way: each is handed on when it is due, from a hardware event of its own.
 *
 * It keeps `counters.held`, and counts in `counters.dropped` what `clear()` throws away. Nothing is allocated per frame.
 *
 * @kernel none
 */
export class DelayLine {
  /** Frames it takes at most; never more than the store has room for. */
  readonly limit: number
  /** `due[0]` is when the next frame pushed is due; 0 is at once. Not an argument, see `FrameStore`. */
  readonly due: Float64Array
  readonly #kernel: Kernel
  readonly #counters: BackendCounters
  readonly #target: DelayTarget
  readonly #store: FrameStore
  readonly #event: HwEvent
  #count: number
  #armedFor: Ktime
  #blocked: boolean
  #delivering: boolean
  #handing: boolean
  #clearing: boolean
  #closing: boolean

  constructor(
    kernel: Kernel,
    owner: string,
    counters: BackendCounters,
    target: DelayTarget,
    size: FrameStoreSize = {},
  ) {
    this.#kernel = kernel
    this.#counters = counters
    this.#target = target
    this.#store = new FrameStore(kernel, size)
    this.due = this.#store.due
    this.limit = size.frames ?? this.#store.frames
    this.#event = hwEventSetup(kernel, () => this.#run(), owner)
    this.#count = 0
    this.#armedFor = 0
    this.#blocked = false
    this.#delivering = false
    this.#handing = false
    this.#clearing = false
    this.#closing = false
  }

  /** Frames in it now. */
  get count(): number {
    return this.#count
  }

  /** True after the target refused a frame, until `resume()`. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** Says whether a frame of this length could ever be kept. */
  fits(length: number): boolean {
    return this.#store.fits(length)
  }

  /** True when it is at most half full and not blocked: time to call for more. */
  get roomy(): boolean {
    return !this.#blocked && this.#count <= this.limit >> 1
  }

  /** Takes its memory: before the first `push`. @throws Errno ENOMEM */
  open(): void {
    this.#closing = false
    this.#store.open()
  }

  /** Throws everything away and gives the memory back. */
  close(): void {
    this.clear()
    if (this.#delivering) this.#closing = true
    else this.#store.close()
  }

  /** Copies a frame in, due at `due[0]`. False: full. */
  push(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.#clearing || this.#count >= this.limit) return false
    if (!this.#store.push(mem, offset, length)) return false
    this.#count++
    this.#counters.held++
    if (!this.#delivering && !this.#blocked) this.#arm()
    return true
  }

  /** Waits for `resume()`, as after `deliver` gave false. */
  block(): void {
    this.#blocked = true
    hwEventCancel(this.#event)
  }

  /** Goes on after `block()`, or after `deliver` gave false. The frame is offered from an event, not from here. */
  resume(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#arm()
  }

  /** Throws everything away: counted as dropped, nothing is pending afterwards. */
  clear(): void {
    hwEventCancel(this.#event)
    this.#counters.dropped += this.#count
    this.#counters.held -= this.#count
    this.#count = 0
    this.#blocked = false
    // The frame being handed on still lies in the store: then the end of the slice clears it.
    if (this.#delivering) this.#clearing = true
    else this.#store.clear()
    this.#target.sliceDone()
  }

  #run(): void {
    this.#delivering = true
    try {
      this.#slice()
    } finally {
      this.#delivering = false
      this.#settle()
    }
  }

  #slice(): void {
    const store = this.#store
    let now = -1
    for (let n = 0; n < SLICE; n++) {
      const slot = store.front()
      if (slot < 0) return
      const due = store.dueOf(slot)
      if (due > 0 && now < 0) now = this.#kernel.clock.ktimeGet()
      if (due > 0 && due > now) return
      this.#count--
      this.#counters.held--
      this.#handing = true
      const taken = this.#target.deliver(store.mem, store.offset(slot), store.length(slot))
      if (this.#clearing) return
      this.#handing = false
      if (!taken) return this.#keep()
      store.shift()
    }
  }

  #keep(): void {
    this.#count++
    this.#counters.held++
    this.#blocked = true
  }

  /** Also runs when a rule broken by the card was thrown through `deliver`. */
  #settle(): void {
    if (this.#closing) this.#store.close()
    else if (this.#clearing) this.#store.clear()
    else if (this.#handing) this.#store.shift()
    this.#closing = false
    this.#clearing = false
    this.#handing = false
    if (!this.#blocked) this.#arm()
    this.#target.sliceDone()
  }

  /** Sets the event to the front frame, if it is not set to that time or earlier. */
  #arm(): void {
    const slot = this.#store.front()
    if (slot < 0) return
    const due = this.#store.dueOf(slot)
    if (hwEventPending(this.#event) && this.#armedFor <= due) return
    this.#armedFor = due
    hwEventStart(this.#event, due === 0 ? 0 : Math.max(0, due - this.#kernel.clock.ktimeGet()))
  }
}

import { Errno, hwEventCancel, hwEventSetup, hwEventStart } from '@vnet/kernel'
import type { HwEvent, Kernel, Ktime } from '@vnet/kernel'
import { CaptureError } from '@vnet/wire'
import { BaseBackend } from './base.ts'
import { END, IndexedCapture, READY, STARVED } from './capture-cursor.ts'
import type { CaptureCursor } from './capture-cursor.ts'
import { CaptureFeed } from './capture-feed.ts'
import type { Backend } from './contract.ts'

/**
 * What is replayed, and how.
 *
 * @kernel none
 */
export interface CaptureReplayOptions {
  /** A whole pcap or pcapng file, or one that comes piece by piece. */
  readonly capture: Uint8Array | CaptureFeed
  /** `original`: at the distances of the capture. `fast`: `slice` frames each `gapNs`. Default `original`. */
  readonly timing?: 'original' | 'fast'
  /** True: again and again, back to back. A number: so many times. Default once. Not for a feed. */
  readonly loop?: boolean | number
  /** Frames passed over at the start, each time. Default 0. Not for a feed. */
  readonly from?: number
  /** Most frames in one event. Default 32. */
  readonly slice?: number
  /** From one slice to the next, so that the card can empty its ring. Default 1,000 ns. */
  readonly gapNs?: Ktime
  /** With `fast`: everything in one event. A small ring will miss frames, which is the point. */
  readonly pauseless?: boolean
  /** Called with the replay's progress each time about `progressEvery` more frames have been offered, and at the end. */
  readonly onProgress?: (progress: ReplayProgress) => void
  /** Default 1,000. */
  readonly progressEvery?: number
  /** After the last frame, from its event; with the error that stopped a feed, else null. */
  readonly onDone?: (error: CaptureError | null) => void
}

/**
 * How far a replay is: one object, kept up to date.
 *
 * @kernel none
 */
export class ReplayProgress {
  /** Frames offered to the card, over all passes. */
  frames = 0
  /** Their bytes. */
  bytes = 0
  /** Passes through the whole capture. */
  passes = 0
  /** Frames in one pass; null for a feed. */
  totalFrames: number | null = null
}

/**
 * A backend that replays a capture.
 *
 * @kernel none
 */
export interface CaptureReplay extends Backend {
  readonly progress: ReplayProgress
  /** All was offered, or an error ended it. */
  readonly done: boolean
  /** What is wrong with the capture, once a feed has come to it. */
  readonly error: CaptureError | null
}

class ReplayBackend extends BaseBackend implements CaptureReplay {
  readonly progress: ReplayProgress
  error: CaptureError | null
  done: boolean
  readonly #kernel: Kernel
  readonly #options: CaptureReplayOptions
  readonly #cursor: CaptureCursor
  readonly #original: boolean
  readonly #slice: number
  readonly #gapNs: Ktime
  readonly #passes: number
  readonly #event: HwEvent
  #ready: boolean
  #starved: boolean
  /** Kernel time that stands for the capture's start in this pass; NaN until its first frame. */
  #base: Ktime
  #pausedAt: Ktime
  #passStart: number
  #reported: number

  constructor(kernel: Kernel, options: CaptureReplayOptions) {
    super('replay')
    const { capture, loop = 1 } = options
    this.progress = new ReplayProgress()
    this.error = null
    this.done = false
    this.#kernel = kernel
    this.#options = options
    this.#cursor =
      capture instanceof CaptureFeed
        ? capture.connect(() => this.#wake())
        : new IndexedCapture(capture, options.from ?? 0)
    this.progress.totalFrames = this.#cursor.total
    this.#original = options.timing !== 'fast'
    this.#slice = options.pauseless === true ? Infinity : (options.slice ?? 32)
    this.#gapNs = options.gapNs ?? 1000
    this.#passes = loop === true ? Infinity : loop === false ? 1 : loop
    this.#event = hwEventSetup(kernel, () => this.#run(), this.name)
    this.#ready = false
    this.#starved = false
    this.#base = NaN
    this.#pausedAt = 0
    this.#passStart = 0
    this.#reported = 0
  }

  transmit(_mem: Uint8Array, _offset: number, length: number): boolean {
    this.taken(length)
    this.counters.downFrames++
    return true
  }

  protected override started(): void {
    // Time stood still for the capture while nothing was plugged in.
    this.#base += this.#kernel.clock.ktimeGet() - this.#pausedAt
    if (!this.done) hwEventStart(this.#event, 0)
  }

  protected override stopped(): void {
    this.#pausedAt = this.#kernel.clock.ktimeGet()
    hwEventCancel(this.#event)
  }

  /** A feed has more. */
  #wake(): void {
    if (this.#starved && this.port !== null) hwEventStart(this.#event, 0)
  }

  #run(): void {
    const ended = this.done
    try {
      this.#burst(this.#kernel.clock.ktimeGet())
    } finally {
      // A rule broken by the card may be thrown through here; the replay goes on.
      if (this.port !== null && !this.done && !this.#starved) this.#rearm()
    }
    this.#report()
    if (this.done && !ended) this.#options.onDone?.(this.error)
  }

  #burst(now: Ktime): void {
    const { progress } = this
    const cursor = this.#cursor
    for (let n = 0; n < this.#slice;) {
      if (!this.#ready && !this.#advance(now)) return
      if (!this.#ready) continue
      if (this.#original && this.#base + cursor.atNs > now) return
      this.#ready = false
      n++
      progress.frames++
      progress.bytes += cursor.length
      this.counters.made++
      this.offer(cursor.mem, cursor.offset, cursor.length)
      if (this.port === null) return
    }
    // Looks whether that was the last one, so that the end is not an event late.
    if (!this.#ready) while (this.#advance(now) && !this.#ready);
  }

  /** Goes to the next frame, or to the next pass. False: there is nothing to be had now. */
  #advance(now: Ktime): boolean {
    const state = this.#next()
    this.#starved = state === STARVED
    if (state === READY) {
      this.#ready = true
      if (Number.isNaN(this.#base)) this.#base = now - this.#cursor.atNs
      return true
    }
    if (state === STARVED) return false
    if (this.error !== null) return this.#finish()
    const { progress } = this
    progress.passes++
    if (progress.passes >= this.#passes || progress.frames === this.#passStart) return this.#finish()
    this.#passStart = progress.frames
    this.#cursor.rewind()
    // Back to back: the next pass begins now, with the last frame of this one.
    this.#base = NaN
    return true
  }

  #next(): typeof READY | typeof STARVED | typeof END {
    try {
      return this.#cursor.next()
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error
      this.error = error
      return END
    }
  }

  #finish(): false {
    this.done = true
    return false
  }

  #rearm(): void {
    const due = this.#original && this.#ready ? this.#base + this.#cursor.atNs : 0
    const ahead = due - this.#kernel.clock.ktimeGet()
    hwEventStart(this.#event, ahead > 0 ? ahead : this.#gapNs)
  }

  #report(): void {
    const { onProgress, progressEvery = 1000 } = this.#options
    if (onProgress === undefined) return
    if (!this.done && this.progress.frames - this.#reported < progressEvery) return
    this.#reported = this.progress.frames
    onProgress(this.progress)
  }
}

/**
 * Makes a backend that plays a capture to the card while one is plugged in, every frame of it, whatever its length.
 *
 * Unplugging pauses it. Frames from the card are taken and counted.
 *
 * @throws CaptureError for a whole file that is damaged, cut short, or not of Ethernet; Errno EINVAL for options that
 * make no sense
 * @kernel none
 */
export function captureReplay(kernel: Kernel, options: CaptureReplayOptions): CaptureReplay {
  const { capture, loop, from, slice, gapNs, pauseless, timing } = options
  check(
    timing === undefined || timing === 'original' || timing === 'fast',
    'timing',
    timing,
    'original or fast',
  )
  check(typeof loop !== 'number' || (Number.isInteger(loop) && loop >= 1), 'loop', loop, '1 or more')
  check(from === undefined || (Number.isInteger(from) && from >= 0), 'from', from, '0 or more')
  check(slice === undefined || slice >= 1, 'slice', slice, '1 or more')
  check(gapNs === undefined || (gapNs >= 0 && gapNs < Infinity), 'gapNs', gapNs, '0 or more')
  check(
    pauseless !== true || (timing === 'fast' && loop !== true),
    'pauseless',
    pauseless,
    'used with fast, and an end',
  )
  if (capture instanceof CaptureFeed) {
    check(
      loop === undefined || loop === false || loop === 1,
      'loop',
      loop,
      'once: a feed cannot be played again',
    )
    check(from === undefined || from === 0, 'from', from, '0 for a feed')
  }
  return new ReplayBackend(kernel, options)
}

function check(good: boolean, what: string, value: unknown, must: string): void {
  if (!good) throw new Errno('EINVAL', `captureReplay: ${what} is ${String(value)}, must be ${must}`, what)
}

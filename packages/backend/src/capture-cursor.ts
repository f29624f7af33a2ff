import type { Ktime } from '@vnet/kernel'
import { CaptureError, LINKTYPE_ETHERNET, readCapture } from '@vnet/wire'
import type { CaptureFrame } from '@vnet/wire'

/** A frame is ready. @kernel none */
export const READY = 0
/** More bytes of the capture must come first. @kernel none */
export const STARVED = 1
/** All frames were given. @kernel none */
export const END = 2
/** One of `READY`, `STARVED`, `END`. @kernel none */
export type CursorState = typeof READY | typeof STARVED | typeof END

/** Goes through a capture frame by frame. @kernel none */
export interface CaptureCursor {
  /** The frame, after `next()` gave `READY`. */
  readonly mem: Uint8Array
  readonly offset: number
  readonly length: number
  /** When it was captured, in nanoseconds after the first frame; may go back where the capture does. */
  readonly atNs: Ktime
  /** Frames altogether, if known. */
  readonly total: number | null
  /** @throws CaptureError when the file cannot be read on */
  next(): CursorState
  /** Back to the first frame. */
  rewind(): void
}

/** A frame's time, after that of the first one seen: short enough for one number for 104 days. @kernel none */
export class RelativeTime {
  #sec = -1
  #nsec = 0

  of(frame: CaptureFrame): Ktime {
    if (this.#sec < 0) {
      this.#sec = frame.tsSec
      this.#nsec = frame.tsNsec
    }
    return (frame.tsSec - this.#sec) * 1e9 + (frame.tsNsec - this.#nsec)
  }
}

/** Refuses frames that are not Ethernet: a card could only take them for something else. @kernel none */
export function needEthernet(frame: CaptureFrame, number: number): void {
  if (frame.linkType === LINKTYPE_ETHERNET) return
  const sentence = `frame ${number} was captured on a link of type ${frame.linkType}; only Ethernet (type 1) can be replayed`
  throw new CaptureError('unsupported', frame.offset, sentence)
}

/**
 * A whole capture in memory, with a list of where its frames are. Making it reads the file to its end, so a damaged one
 * is refused before the first frame goes out. Frames are not copied.
 *
 * @kernel none
 */
export class IndexedCapture implements CaptureCursor {
  readonly mem: Uint8Array
  readonly total: number
  offset: number
  length: number
  atNs: Ktime
  readonly #from: number
  #at: number
  #offsets: Float64Array
  #lengths: Float64Array
  #times: Float64Array

  /**
   * @param from - frames passed over at the start
   * @throws CaptureError
   */
  constructor(bytes: Uint8Array, from: number) {
    this.mem = bytes
    this.offset = 0
    this.length = 0
    this.atNs = 0
    this.#from = from
    this.#at = from
    this.#offsets = new Float64Array(1024)
    this.#lengths = new Float64Array(1024)
    this.#times = new Float64Array(1024)
    this.total = Math.max(0, this.#index(bytes) - from)
  }

  next(): CursorState {
    const at = this.#at
    if (at >= this.#from + this.total) return END
    this.offset = this.#offsets[at]!
    this.length = this.#lengths[at]!
    this.atNs = this.#times[at]!
    this.#at = at + 1
    return READY
  }

  rewind(): void {
    this.#at = this.#from
  }

  #index(bytes: Uint8Array): number {
    const time = new RelativeTime()
    let count = 0
    for (const frame of readCapture(bytes)) {
      needEthernet(frame, count + 1)
      if (count === this.#offsets.length) this.#grow()
      this.#offsets[count] = frame.offset
      this.#lengths[count] = frame.length
      this.#times[count] = time.of(frame)
      count++
    }
    return count
  }

  #grow(): void {
    this.#offsets = twice(this.#offsets)
    this.#lengths = twice(this.#lengths)
    this.#times = twice(this.#times)
  }
}

function twice(list: Float64Array): Float64Array {
  const bigger = new Float64Array(list.length * 2)
  bigger.set(list)
  return bigger
}

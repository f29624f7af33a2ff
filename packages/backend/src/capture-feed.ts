import { Errno } from '@vnet/kernel'
import type { Ktime } from '@vnet/kernel'
import { CaptureReader } from '@vnet/wire'
import { END, needEthernet, READY, RelativeTime, STARVED } from './capture-cursor.ts'
import type { CaptureCursor, CursorState } from './capture-cursor.ts'

const HIGH_WATER = 1 << 20
const NO_BYTES = new Uint8Array(0)

/**
 * A capture that comes piece by piece, for `captureReplay`: push bytes as they arrive, then `end()`.
 *
 * Frames go out as they are read. A damaged file shows when the damage is reached: the frames before it have gone out.
 *
 * @kernel none
 */
export class CaptureFeed {
  /** Set it to learn that `push` gave false and more is wanted now. */
  onWanted: (() => void) | null = null
  readonly #chunks: Uint8Array[] = []
  #waiting = 0
  #ended = false
  #tellMore = false
  #reader: (() => void) | null = null

  /** Bytes pushed and not read yet. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Adds bytes of the file, as many as you like at a time. They are not copied: leave them as they are.
   *
   * @returns false: enough for now, wait for `onWanted`. The bytes were taken.
   * @throws Errno EPIPE after `end()`
   */
  push(chunk: Uint8Array): boolean {
    if (this.#ended) throw new Errno('EPIPE', 'bytes were pushed after the end of the capture')
    this.#chunks.push(chunk)
    this.#waiting += chunk.length
    this.#tellMore = this.#waiting >= HIGH_WATER
    this.#reader?.()
    return !this.#tellMore
  }

  /** No more bytes come. */
  end(): void {
    this.#ended = true
    this.#reader?.()
  }

  /** Connects the one who reads; `wake` is called when there is more. The replay calls it. */
  connect(wake: () => void): CaptureCursor {
    if (this.#reader !== null) throw new Errno('EBUSY', 'this feed is being replayed already', 'capture')
    this.#reader = wake
    return new FeedCursor(() => this.#take())
  }

  /** The next bytes; null at the end, undefined when they have not come yet. */
  #take(): Uint8Array | null | undefined {
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return this.#ended ? null : undefined
    this.#waiting -= chunk.length
    if (this.#tellMore && this.#waiting < HIGH_WATER / 2) {
      this.#tellMore = false
      this.onWanted?.()
    }
    return chunk
  }
}

class FeedCursor implements CaptureCursor {
  readonly total: null
  mem: Uint8Array
  offset: number
  length: number
  atNs: Ktime
  readonly #reader: CaptureReader
  readonly #time: RelativeTime
  readonly #take: () => Uint8Array | null | undefined
  #ended: boolean

  constructor(take: () => Uint8Array | null | undefined) {
    this.total = null
    this.mem = NO_BYTES
    this.offset = 0
    this.length = 0
    this.atNs = 0
    this.#reader = new CaptureReader()
    this.#time = new RelativeTime()
    this.#take = take
    this.#ended = false
  }

  /** Bytes are given to the reader only when it has no frame left: a push would invalidate the one in use. */
  next(): CursorState {
    for (;;) {
      const frame = this.#reader.next()
      if (frame !== null) {
        needEthernet(frame, this.#reader.frames)
        this.mem = frame.data
        this.offset = frame.offset
        this.length = frame.length
        this.atNs = this.#time.of(frame)
        return READY
      }
      if (this.#ended) return END
      const chunk = this.#take()
      if (chunk === undefined) return STARVED
      this.#ended = chunk === null
      if (chunk === null) this.#reader.end()
      else this.#reader.push(chunk)
    }
  }

  rewind(): void {
    throw new Errno('ESPIPE', 'a feed cannot be replayed again', 'loop')
  }
}

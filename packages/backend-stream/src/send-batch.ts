import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, putFrame } from './frame-codec.ts'

const BATCH_BYTES = 65_536 + MAX_FRAME_BYTES

/** Where full batches go. `written` is called once for each, also when it was lost. */
export type BatchWriter = (bytes: Uint8Array, written: () => void) => void

/**
 * Collects frames into batches, each of which is one write. There is a fixed number of batches: when all are on their
 * way, no frame is taken.
 */
export class SendBatches {
  /** Frames in the batch that is not written yet. */
  waiting = 0
  readonly #writer: BatchWriter
  readonly #drained: () => void
  readonly #free: Uint8Array[]
  #current: Uint8Array
  #used: number

  /** @param drained - a batch came back */
  constructor(batches: number, writer: BatchWriter, drained: () => void) {
    this.#writer = writer
    this.#drained = drained
    this.#free = Array.from({ length: batches - 1 }, () => new Uint8Array(BATCH_BYTES))
    this.#current = new Uint8Array(BATCH_BYTES)
    this.#used = 0
  }

  /** Says whether a frame of this length is taken now. */
  accepts(length: number): boolean {
    return this.#used + FRAME_HEADER_BYTES + length <= BATCH_BYTES || this.#free.length > 0
  }

  /** Takes a frame; ask `accepts()` first. Returns how many frames were written to make room for it. */
  add(mem: Uint8Array, offset: number, length: number): number {
    const written = this.#used + FRAME_HEADER_BYTES + length <= BATCH_BYTES ? 0 : this.submit()
    this.#used += putFrame(this.#current, this.#used, mem, offset, length)
    this.waiting++
    return written
  }

  /** Writes what was collected, if there is a batch to go on with. Returns how many frames that were. */
  submit(): number {
    const frames = this.waiting
    if (frames === 0 || this.#free.length === 0) return 0
    const batch = this.#current
    const bytes = batch.subarray(0, this.#used)
    this.#current = this.#free.pop()!
    this.#used = 0
    this.waiting = 0
    this.#writer(bytes, () => {
      this.#free.push(batch)
      this.#drained()
    })
    return frames
  }

  /** Throws away what was not written. Returns how many frames that were. */
  discard(): number {
    const frames = this.waiting
    this.waiting = 0
    this.#used = 0
    return frames
  }
}

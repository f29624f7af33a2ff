/** Bytes before each frame on a stream: its length, big-endian. @kernel none */
export const FRAME_HEADER_BYTES = 4
/** The longest frame QEMU takes: 64 KiB and its headers. @kernel none */
export const MAX_FRAME_BYTES = 69_632

/** Where a decoder brings what it finds. Valid during the call. */
export type FrameSink = (mem: Uint8Array, offset: number, length: number) => void

/**
 * Writes a frame with its length before it.
 *
 * @returns bytes written: `FRAME_HEADER_BYTES` more than the frame has
 * @kernel none
 */
export function putFrame(
  to: Uint8Array,
  at: number,
  mem: Uint8Array,
  offset: number,
  length: number,
): number {
  to[at] = length >>> 24
  to[at + 1] = length >>> 16
  to[at + 2] = length >>> 8
  to[at + 3] = length
  if (to === mem) to.copyWithin(at + FRAME_HEADER_BYTES, offset, offset + length)
  else to.set(mem.subarray(offset, offset + length), at + FRAME_HEADER_BYTES)
  return length + FRAME_HEADER_BYTES
}

/**
 * Finds frames in a stream of bytes that comes in pieces of any size.
 *
 * It works in memory it is given, so that a frame lies in one piece in memory a card knows.
 *
 * @kernel none
 */
export class FrameDecoder {
  readonly #mem: Uint8Array
  readonly #base: number
  readonly #size: number
  #start: number
  #end: number

  /** @param size - of the memory, at least twice `MAX_FRAME_BYTES` to be of use */
  constructor(mem: Uint8Array, base: number, size: number) {
    this.#mem = mem
    this.#base = base
    this.#size = size
    this.#start = 0
    this.#end = 0
  }

  /** Bytes of a frame that has begun and not ended. */
  get partial(): number {
    return this.#end - this.#start
  }

  /** Forgets what has begun: the next byte begins a frame. */
  reset(): void {
    this.#start = 0
    this.#end = 0
  }

  /** The most `push()` takes now. */
  get room(): number {
    return this.#size - (this.#end - this.#start)
  }

  /** Takes bytes `from` to `to` of a piece, at most `room` of them. */
  push(piece: Uint8Array, from: number, to: number): void {
    const mem = this.#mem
    const base = this.#base
    if (this.#end + (to - from) > this.#size) {
      mem.copyWithin(base, base + this.#start, base + this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    mem.set(piece.subarray(from, to), base + this.#end)
    this.#end += to - from
  }

  /**
   * Brings the frames that are whole, at most `budget`.
   *
   * @returns how many; or -1 when the next length is longer than any frame: this is not such a stream, or it is damaged
   */
  take(budget: number, sink: FrameSink): number {
    const mem = this.#mem
    const base = this.#base
    for (let n = 0; n < budget; n++) {
      const have = this.#end - this.#start
      if (have < FRAME_HEADER_BYTES) return n
      const at = base + this.#start
      const length = ((mem[at]! << 24) | (mem[at + 1]! << 16) | (mem[at + 2]! << 8) | mem[at + 3]!) >>> 0
      if (length > MAX_FRAME_BYTES) return -1
      if (have < FRAME_HEADER_BYTES + length) return n
      this.#start += FRAME_HEADER_BYTES + length
      sink(mem, at + FRAME_HEADER_BYTES, length)
    }
    return budget
  }
}

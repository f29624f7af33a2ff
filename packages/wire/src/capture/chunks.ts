/**
 * The bytes pushed and not yet read, as one run.
 *
 * A chunk is used where it lies as long as nothing is left over from the one before; what is left over is copied,
 * so a caller may use its buffer again once the reader has asked for more.
 */
export class Chunks {
  /** The run lies in here: in the caller's chunk, or in `own`. */
  bytes: Uint8Array
  start: number
  end: number
  /** The place of `start` in the file. */
  position: number
  /** Bytes still to pass over before `start`. */
  toSkip: number
  private own: Uint8Array

  constructor() {
    this.own = new Uint8Array(0)
    this.bytes = this.own
    this.start = 0
    this.end = 0
    this.position = 0
    this.toSkip = 0
  }

  get available(): number {
    return this.end - this.start
  }

  push(chunk: Uint8Array): void {
    if (this.start === this.end) {
      this.bytes = chunk
      this.start = 0
      this.end = chunk.length
    } else {
      this.makeOwn(this.available + chunk.length)
      this.bytes.set(chunk, this.end)
      this.end += chunk.length
    }
    this.passOver()
  }

  /** Takes bytes off the front. */
  consume(count: number): void {
    this.start += count
    this.position += count
  }

  /** Takes bytes off the front that may not have come yet. */
  skip(count: number): void {
    this.toSkip += count
    this.passOver()
  }

  /** Copies what is left over out of a chunk that belongs to the caller. */
  keep(): void {
    if (this.start !== this.end) this.makeOwn(this.available)
  }

  /** A copy of bytes of the run. */
  slice(at: number, length: number): Uint8Array {
    return this.bytes.slice(this.start + at, this.start + at + length)
  }

  u8(at: number): number {
    return this.bytes[this.start + at]!
  }

  u16(at: number, little: boolean): number {
    const a = this.bytes[this.start + at]!
    const b = this.bytes[this.start + at + 1]!
    return little ? (b << 8) | a : (a << 8) | b
  }

  u32(at: number, little: boolean): number {
    const low = this.u16(little ? at : at + 2, little)
    const high = this.u16(little ? at + 2 : at, little)
    return high * 0x10000 + low
  }

  private passOver(): void {
    const count = Math.min(this.toSkip, this.available)
    this.toSkip -= count
    this.consume(count)
  }

  /** Makes the run lie in our own buffer, with room for `size` bytes from its start. */
  private makeOwn(size: number): void {
    if (this.bytes === this.own && this.start + size <= this.own.length) return
    const run = this.bytes.subarray(this.start, this.end)
    if (size > this.own.length) this.own = new Uint8Array(Math.max(size * 2, 4096))
    this.own.set(run)
    this.bytes = this.own
    this.end -= this.start
    this.start = 0
  }
}

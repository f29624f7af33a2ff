/**
 * The free stretches of one region, sorted; neighbours are always one stretch. First fit.
 *
 * @kernel none
 */
export class FreeList {
  readonly #starts: number[]
  readonly #ends: number[]

  constructor(bytes: number) {
    this.#starts = [0]
    this.#ends = [bytes]
  }

  /** How many stretches there are. */
  get length(): number {
    return this.#starts.length
  }

  /** Free bytes in all stretches together. */
  get bytes(): number {
    let sum = 0
    for (let i = 0; i < this.#starts.length; i++) sum += this.#ends[i]! - this.#starts[i]!
    return sum
  }

  /** Takes `bytes` at a multiple of `align`; the offset, or -1 when no stretch is large enough. */
  take(bytes: number, align: number): number {
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i]!
      const offset = Math.ceil(start / align) * align
      if (offset + bytes <= this.#ends[i]!) {
        this.#cut(i, offset, offset + bytes)
        return offset
      }
    }
    return -1
  }

  /** Gives back what `take()` gave. */
  give(offset: number, bytes: number): void {
    const end = offset + bytes
    let i = this.#after(offset)
    if (i > 0 && this.#ends[i - 1] === offset) {
      i--
      this.#ends[i] = end
    } else {
      this.#starts.splice(i, 0, offset)
      this.#ends.splice(i, 0, end)
    }
    if (this.#starts[i + 1] === end) {
      this.#ends[i] = this.#ends[i + 1]!
      this.#starts.splice(i + 1, 1)
      this.#ends.splice(i + 1, 1)
    }
  }

  /** Index of the first stretch that starts after `offset`. */
  #after(offset: number): number {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Removes a part of stretch `i`, which leaves none, one or two. */
  #cut(i: number, from: number, to: number): void {
    const start = this.#starts[i]!
    const end = this.#ends[i]!
    const left = from > start
    const right = to < end
    if (left && right) {
      this.#ends[i] = from
      this.#starts.splice(i + 1, 0, to)
      this.#ends.splice(i + 1, 0, end)
    } else if (left) this.#ends[i] = from
    else if (right) this.#starts[i] = to
    else {
      this.#starts.splice(i, 1)
      this.#ends.splice(i, 1)
    }
  }
}

import { badMove, checkLayout, CONS_WORD, type DescRingLayout, PROD_WORD } from './layout.ts'

/**
 * A queue of fixed-size records of 32-bit words, written and read in place, for one thread.
 *
 * Writer: `reserve(n)`, fill the words, `commit(n)`. Reader: `readable()`, read the words, `release(n)`. A reservation
 * is all or nothing, and nothing is seen before it is committed. All slots are used.
 *
 * ```ts
 * const at = ring.reserve(1)
 * if (at >= 0) {
 *   ring.words[ring.at(at)] = 42
 *   ring.commit(1)
 * }
 * ```
 *
 * @kernel none
 * @rule RING-01 RING-04
 */
export class SpscRing {
  // `declare`: see DescRing.
  /** The records' 32-bit words; the record of index `i` starts at `at(i)`. */
  declare readonly words: Int32Array
  declare readonly size: number
  declare readonly mask: number
  declare readonly recordWords: number
  /** How often `reserve` was refused because the ring was too full. */
  declare refused: number
  declare private readonly index: Int32Array

  constructor(layout: DescRingLayout) {
    checkLayout(layout)
    this.words = new Int32Array(layout.memory, layout.descOffset, layout.size * layout.descWords)
    this.size = layout.size
    this.mask = layout.size - 1
    this.recordWords = layout.descWords
    this.refused = 0
    this.index = new Int32Array(layout.memory, layout.indexOffset, CONS_WORD + 1)
  }

  /** The next index to be written, as u32. */
  get prod(): number {
    return this.index[PROD_WORD]! >>> 0
  }

  /** The next index to be read, as u32: the oldest record is at `at(cons)`. */
  get cons(): number {
    return this.index[CONS_WORD]! >>> 0
  }

  /** Returns where in `words` the record of an index starts. */
  at(index: number): number {
    return Math.imul(index & this.mask, this.recordWords)
  }

  /** Writer: how many records can be reserved. */
  writable(): number {
    const index = this.index
    return (this.size - index[PROD_WORD]! + index[CONS_WORD]!) | 0
  }

  /**
   * Writer: looks for room for `n` records and gives the index of the first; the k-th is at `at(index + k)`.
   *
   * @returns the index (0 … size-1), or -1 when fewer than `n` are free: then nothing is reserved
   */
  reserve(n: number): number {
    if (n <= this.writable()) return this.index[PROD_WORD]! & this.mask
    this.refused++
    return -1
  }

  /** Writer: publishes the `n` oldest reserved records; `commit(0)` publishes nothing. */
  commit(n: number): void {
    const room = this.writable()
    if (n >>> 0 > room) badMove('commit', n, room)
    this.index[PROD_WORD]! += n
  }

  /** Reader: how many records wait. */
  readable(): number {
    const index = this.index
    return (index[PROD_WORD]! - index[CONS_WORD]!) | 0
  }

  /** Reader: gives the `n` oldest records' slots back. */
  release(n: number): void {
    const waiting = this.readable()
    if (n >>> 0 > waiting) badMove('release', n, waiting)
    this.index[CONS_WORD]! += n
  }

  /** Empties the ring: both indexes become `start`. */
  reset(start = 0): void {
    this.index[PROD_WORD] = start | 0
    this.index[CONS_WORD] = start | 0
  }
}

import { badMove, checkLayout, CONS_WORD, type DescRingLayout, PARKED_WORD, PROD_WORD } from './layout.ts'

/**
 * A queue of fixed-size records between two threads: one writes, one reads, each with its own object over the memory.
 *
 * The calls are those of SpscRing. Commit or release in batches: each is one `Atomics.store`, about 20 ns. The other
 * side's index is read again only when the cached one does not suffice. An object is used for one side only; which
 * one is settled by the first `commit` or `release`, and the other then throws a TypeError.
 *
 * @kernel none
 * @rule RING-04 RING-05 RING-06 RING-07
 */
export class SharedSpscRing {
  // `declare`: see DescRing.
  /** The records' 32-bit words; the record of index `i` starts at `at(i)`. */
  declare readonly words: Int32Array
  declare readonly size: number
  declare readonly mask: number
  declare readonly recordWords: number
  /** How often `reserve` was refused because the ring was too full. */
  declare refused: number
  declare private readonly index: Int32Array
  /** Own index is exact; the peer's is the last value seen. */
  declare private prodIndex: number
  declare private consIndex: number
  declare private side: '' | 'writer' | 'reader'

  constructor(layout: DescRingLayout) {
    checkLayout(layout)
    this.words = new Int32Array(layout.memory, layout.descOffset, layout.size * layout.descWords)
    this.size = layout.size
    this.mask = layout.size - 1
    this.recordWords = layout.descWords
    this.refused = 0
    this.index = new Int32Array(layout.memory, layout.indexOffset, CONS_WORD + 1)
    this.prodIndex = Atomics.load(this.index, PROD_WORD)
    this.consIndex = Atomics.load(this.index, CONS_WORD)
    this.side = ''
  }

  /** The next index to be written, as u32; from the reader's side, as last seen. */
  get prod(): number {
    return this.prodIndex >>> 0
  }

  /** The next index to be read, as u32: the oldest record is at `at(cons)`. */
  get cons(): number {
    return this.consIndex >>> 0
  }

  /** Returns where in `words` the record of an index starts. */
  at(index: number): number {
    return Math.imul(index & this.mask, this.recordWords)
  }

  /** Writer: how many records can be reserved; at least this many. */
  writable(): number {
    if (this.side !== 'reader') this.consIndex = Atomics.load(this.index, CONS_WORD)
    return (this.size - this.prodIndex + this.consIndex) | 0
  }

  /**
   * Writer: looks for room for `n` records and gives the index of the first; the k-th is at `at(index + k)`.
   *
   * @returns the index (0 … size-1), or -1 when fewer than `n` are free: then nothing is reserved
   */
  reserve(n: number): number {
    if (n <= ((this.size - this.prodIndex + this.consIndex) | 0) || n <= this.writable())
      return this.prodIndex & this.mask
    this.refused++
    return -1
  }

  /** Writer: publishes the `n` oldest reserved records with one store, and wakes a reader that waits. */
  commit(n: number): void {
    if (this.side !== 'writer') this.settle('writer', 'commit')
    const room = (this.size - this.prodIndex + this.consIndex) | 0
    if (n >>> 0 > room) badMove('commit', n, room)
    this.prodIndex = (this.prodIndex + n) | 0
    const index = this.index
    Atomics.store(index, PROD_WORD, this.prodIndex)
    // Pairs with wait(): it raises the flag, then looks at the index again.
    if (Atomics.load(index, PARKED_WORD) !== 0) Atomics.notify(index, PROD_WORD)
  }

  /** Reader: how many records wait; at least this many. */
  readable(): number {
    if (this.prodIndex === this.consIndex && this.side !== 'writer')
      this.prodIndex = Atomics.load(this.index, PROD_WORD)
    return (this.prodIndex - this.consIndex) | 0
  }

  /** Reader: gives the `n` oldest records' slots back with one store. */
  release(n: number): void {
    if (this.side !== 'reader') this.settle('reader', 'release')
    const waiting = (this.prodIndex - this.consIndex) | 0
    if (n >>> 0 > waiting) badMove('release', n, waiting)
    this.consIndex = (this.consIndex + n) | 0
    Atomics.store(this.index, CONS_WORD, this.consIndex)
  }

  /**
   * Reader: blocks this thread until a record waits or `timeoutMs` is over.
   *
   * Waking costs some 65 µs; where speed counts, poll `readable()` for a while first. A browser's main thread may
   * not block: there it throws a TypeError, as `Atomics.wait` does. Needs a SharedArrayBuffer. A wake-up that turns
   * out to be for nothing starts the time anew.
   *
   * @returns true when a record waits
   */
  wait(timeoutMs = Infinity): boolean {
    if (this.readable() > 0) return true
    const index = this.index
    Atomics.store(index, PARKED_WORD, 1)
    // Returns at once when a commit came in between: the index is no longer what was seen. Looks again after each
    // wake-up, because it may have been meant for a record that was read before this wait began.
    while (
      this.readable() === 0 &&
      Atomics.wait(index, PROD_WORD, this.prodIndex, timeoutMs) !== 'timed-out'
    );
    Atomics.store(index, PARKED_WORD, 0)
    return this.readable() > 0
  }

  private settle(side: 'writer' | 'reader', call: string): void {
    if (this.side !== '') throw new TypeError(`RING-05: ${call} is not for the ${this.side}'s end of a ring`)
    this.side = side
  }
}

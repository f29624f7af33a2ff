import { badMove, checkLayout, CONS_WORD, type DescRingLayout, PROD_WORD } from './layout.ts'

/** What the driver may do with a descriptor ring: fill, post, and reclaim what the device completed. */
export interface DescRingDriverSide {
  readonly words: Int32Array
  readonly size: number
  readonly mask: number
  readonly descWords: number
  readonly prod: number
  readonly clean: number
  at(index: number): number
  used(): number
  avail(): number
  completed(): number
  post(n: number): number
  reclaim(n: number): void
}

/** What the device may do with a descriptor ring: read what is pending, write back, and complete in order. */
export interface DescRingDeviceSide {
  readonly words: Int32Array
  readonly size: number
  readonly mask: number
  readonly descWords: number
  readonly cons: number
  at(index: number): number
  pending(): number
  complete(n: number): void
}

/**
 * A descriptor ring for one thread: the driver posts, the device completes in order, the driver reclaims.
 *
 * Three indexes run free as u32 and are masked only to find a descriptor, so all slots are used:
 * `clean ≤ cons ≤ prod ≤ clean + size`. `prod` and `cons` live in the memory, so a driver and a card may each have
 * their own object over it; `clean` is the driver's alone and starts at `cons`. A move past these bounds throws a
 * RangeError and changes nothing. Nothing here is atomic: between threads use SharedDescRing.
 *
 * @kernel none
 * @rule RING-01 RING-02 RING-03 RING-05
 */
export class DescRing implements DescRingDriverSide, DescRingDeviceSide {
  // `declare`: a field that is defined first and set after is not known as a number or constant to V8, and costs twice.
  /** Where it lies: what the other end's object is made from. */
  declare readonly layout: DescRingLayout
  /** The descriptors' 32-bit words; the descriptor of index `i` starts at `at(i)`. */
  declare readonly words: Int32Array
  declare readonly size: number
  declare readonly mask: number
  declare readonly descWords: number
  declare private readonly index: Int32Array
  declare private cleanIndex: number

  constructor(layout: DescRingLayout) {
    checkLayout(layout)
    this.layout = layout
    this.words = new Int32Array(layout.memory, layout.descOffset, layout.size * layout.descWords)
    this.size = layout.size
    this.mask = layout.size - 1
    this.descWords = layout.descWords
    this.index = new Int32Array(layout.memory, layout.indexOffset, CONS_WORD + 1)
    this.cleanIndex = this.index[CONS_WORD]! | 0
  }

  // Literals for PROD_WORD and CONS_WORD below: an imported constant costs a load and a check at each use.

  /** The next index the driver posts. */
  get prod(): number {
    return this.index[0]! >>> 0
  }

  /** The next index the device completes. */
  get cons(): number {
    return this.index[32]! >>> 0
  }

  /** The next index the driver reclaims. */
  get clean(): number {
    return this.cleanIndex >>> 0
  }

  /** Returns where in `words` the descriptor of a free-running index starts. */
  at(index: number): number {
    return Math.imul(index & this.mask, this.descWords)
  }

  /** Descriptors posted and not yet reclaimed. */
  used(): number {
    return (this.index[0]! - this.cleanIndex) | 0
  }

  /** Descriptors the driver may still post. */
  avail(): number {
    return (this.size - this.index[0]! + this.cleanIndex) | 0
  }

  /** Device side: descriptors posted and not yet completed. */
  pending(): number {
    const index = this.index
    return (index[0]! - index[32]!) | 0
  }

  /** Driver side: descriptors completed and not yet reclaimed. */
  completed(): number {
    return (this.index[32]! - this.cleanIndex) | 0
  }

  /** Driver: publishes `n` filled descriptors. @returns how many may still be posted */
  post(n: number): number {
    const { index } = this
    const prod = index[0]!
    const left = (this.size - prod + this.cleanIndex - n) | 0
    // Also when `n` is no count at all.
    if (left < 0 || n < 0) badMove('post', n, (left + n) | 0)
    index[0] = prod + n
    return left
  }

  /** Device: completes the `n` oldest pending descriptors. */
  complete(n: number): void {
    const { index } = this
    const cons = index[32]!
    const left = (index[0]! - cons - n) | 0
    if (left < 0 || n < 0) badMove('complete', n, (left + n) | 0)
    index[32] = cons + n
  }

  /** Driver: takes back the `n` oldest completed descriptors. */
  reclaim(n: number): void {
    // A device that writes its own index may claim more than was posted: never believe it past `used`.
    const most = Math.min(this.completed(), this.used())
    if (n >>> 0 > most) badMove('reclaim', n, most)
    this.cleanIndex = (this.cleanIndex + n) | 0
  }

  /** Empties the ring: all three indexes become `start`. The descriptors keep their bytes. */
  reset(start = 0): void {
    this.index[PROD_WORD] = start | 0
    this.index[CONS_WORD] = start | 0
    this.cleanIndex = start | 0
  }
}

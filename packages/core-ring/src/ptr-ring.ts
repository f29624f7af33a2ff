const ENOSPC = 28
const MAX_SIZE = 1 << 24

/**
 * A first-in, first-out ring of references, with a fixed number of slots.
 *
 * An empty slot holds `undefined`, so the producer sees a full ring in its own slot and the consumer an empty ring in
 * its own: neither reads the other's index. That is why `undefined` cannot be an entry; `null` can. All slots are
 * used, and any size from 1 up will do, because nothing is masked.
 *
 * @kernel struct ptr_ring include/linux/ptr_ring.h
 * @rule RING-02 RING-04 RING-09 RING-10 RING-11
 */
export class PtrRing<T> {
  // `declare`: see DescRing.
  declare private slots: (T | undefined)[]
  declare private slotCount: number
  declare private producer: number
  declare private consumer: number

  /** @param size - slots, 1 … 2^24; anything else throws a RangeError */
  constructor(size: number) {
    this.slots = emptySlots<T>(size)
    this.slotCount = size
    this.producer = 0
    this.consumer = 0
  }

  /** How many entries fit. */
  get size(): number {
    return this.slotCount
  }

  get empty(): boolean {
    return this.slots[this.consumer] === undefined
  }

  get full(): boolean {
    return this.slots[this.producer] !== undefined
  }

  /** How many entries wait. */
  get length(): number {
    if (this.full) return this.slotCount
    const n = this.producer - this.consumer
    return n < 0 ? n + this.slotCount : n
  }

  /**
   * Puts an entry in at the end.
   *
   * @returns 0, or -28 (ENOSPC) when the ring is full: nothing was taken
   * @kernel ptr_ring_produce() include/linux/ptr_ring.h
   */
  produce(entry: T): 0 | -28 {
    const at = this.producer
    if (this.slots[at] !== undefined) return -ENOSPC as -28
    if (entry === undefined)
      throw new TypeError('PtrRing: undefined marks an empty slot and cannot be an entry')
    this.slots[at] = entry
    this.producer = at + 1 === this.slotCount ? 0 : at + 1
    return 0
  }

  /**
   * Takes the oldest entry out, or gives `undefined` when there is none. The slot keeps no reference.
   *
   * @kernel ptr_ring_consume() include/linux/ptr_ring.h
   */
  consume(): T | undefined {
    const at = this.consumer
    const entry = this.slots[at]
    if (entry === undefined) return undefined
    this.slots[at] = undefined
    this.consumer = at + 1 === this.slotCount ? 0 : at + 1
    return entry
  }

  /** Shows the oldest entry and leaves it in. */
  peek(): T | undefined {
    return this.slots[this.consumer]
  }

  /**
   * Gives the ring another size: the oldest entries that fit stay, in order; the others are handed to `destroy`.
   *
   * A size that is not 1 … 2^24 throws a RangeError and changes nothing. `destroy` sees the ring in its new shape.
   *
   * @kernel ptr_ring_resize() include/linux/ptr_ring.h
   * @rule RING-09
   */
  resize(size: number, destroy: (entry: T) => void): void {
    const slots = emptySlots<T>(size)
    const rest: T[] = []
    let kept = 0
    for (let entry = this.consume(); entry !== undefined; entry = this.consume()) {
      if (kept < size) slots[kept++] = entry
      else rest.push(entry)
    }
    this.slots = slots
    this.slotCount = size
    this.consumer = 0
    this.producer = kept === size ? 0 : kept
    for (const entry of rest) destroy(entry)
  }
}

function emptySlots<T>(size: number): (T | undefined)[] {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new RangeError(`PtrRing: size must be a whole number from 1 to ${MAX_SIZE}, not ${size}`)
  }
  return new Array<T | undefined>(size).fill(undefined)
}

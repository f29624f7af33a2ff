import type { CircShape, DescRingShape, FifoShape, RingsUnderTest } from '../rings.ts'

/** The plainest descriptor ring: indexes run free as u32, all slots are used. @kernel none */
export class RefDescRing implements DescRingShape {
  readonly size: number
  prod = 0
  cons = 0
  clean = 0

  constructor(size: number) {
    this.size = size
    this.checkSize()
  }

  checkSize(): void {
    const { size } = this
    if (!Number.isInteger(size) || size < 2 || (size & (size - 1)) !== 0)
      throw new RangeError(`ring of ${size}`)
  }

  used(): number {
    return (this.prod - this.clean) >>> 0
  }

  avail(): number {
    return this.size - this.used()
  }

  completed(): number {
    return (this.cons - this.clean) >>> 0
  }

  pending(): number {
    return (this.prod - this.cons) >>> 0
  }

  post(n: number): void {
    if (n > this.avail()) throw new RangeError(`cannot post ${n}`)
    this.prod = (this.prod + n) >>> 0
  }

  complete(n: number): void {
    if (n > this.pending()) throw new RangeError(`cannot complete ${n}`)
    this.cons = (this.cons + n) >>> 0
  }

  reclaim(n: number): void {
    if (n > this.completed()) throw new RangeError(`cannot reclaim ${n}`)
    this.clean = (this.clean + n) >>> 0
  }

  reset(start = 0): void {
    this.prod = this.cons = this.clean = start >>> 0
  }
}

/** The plainest ring of references. @kernel none */
export class RefFifo<T> implements FifoShape<T> {
  size: number
  slots: (T | undefined)[]
  at = 0
  length = 0

  constructor(size: number) {
    this.size = size
    this.slots = new Array<T | undefined>(size).fill(undefined)
  }

  get full(): boolean {
    return this.length === this.size
  }

  get empty(): boolean {
    return this.length === 0
  }

  produce(entry: T): number {
    if (this.full) return -28
    this.slots[(this.at + this.length++) % this.size] = entry
    return 0
  }

  consume(): T | undefined {
    const entry = this.peek()
    if (this.empty) return undefined
    this.slots[this.at] = undefined
    this.at = (this.at + 1) % this.size
    this.length--
    return entry
  }

  peek(): T | undefined {
    return this.empty ? undefined : this.slots[this.at]
  }

  resize(size: number, destroy: (entry: T) => void): void {
    const all: T[] = []
    while (!this.empty) all.push(this.consume()!)
    this.size = size
    this.slots = new Array<T | undefined>(size).fill(undefined)
    this.at = 0
    for (const entry of all) if (this.produce(entry) !== 0) destroy(entry)
  }
}

/** Ring arithmetic as circ_buf.h states it. @kernel include/linux/circ_buf.h */
export const refCirc: CircShape = {
  cnt: (head, tail, size) => (head - tail) & (size - 1),
  space: (head, tail, size) => size - 1 - refCirc.cnt(head, tail, size),
  cntToEnd: (head, tail, size) => Math.min(refCirc.cnt(head, tail, size), size - (tail & (size - 1))),
  spaceToEnd: (head, tail, size) => Math.min(refCirc.space(head, tail, size), size - (head & (size - 1))),
}

/** The reference driver's rings. @kernel none */
export const refRings: RingsUnderTest = {
  desc: (size) => new RefDescRing(size),
  fifo: <T>(size: number) => new RefFifo<T>(size),
  circ: refCirc,
}

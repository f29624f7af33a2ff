/**
 * The rings a driver is built on, by their shape: `DescRing` and `PtrRing` of `@vnet/core-ring` have these shapes.
 *
 * @kernel none
 */

/** A descriptor ring with three free-running u32 indexes: the driver posts and reclaims, the card completes. @kernel none */
export interface DescRingShape {
  readonly size: number
  readonly prod: number
  readonly cons: number
  readonly clean: number
  /** Driver side: posted and not reclaimed; may still be posted; completed and not reclaimed. */
  used(): number
  avail(): number
  completed(): number
  /** Card side: posted and not completed. */
  pending(): number
  /** Each throws, and changes nothing, past what is possible. */
  post(n: number): void
  complete(n: number): void
  reclaim(n: number): void
  reset(start?: number): void
}

/** A first-in, first-out ring of references. `produce` returns a negative number when the ring is full. @kernel none */
export interface FifoShape<T> {
  readonly size: number
  readonly length: number
  readonly full: boolean
  readonly empty: boolean
  produce(entry: T): number
  consume(): T | undefined
  peek(): T | undefined
  resize(size: number, destroy: (entry: T) => void): void
}

/** The arithmetic of a ring with a head, a tail, and one slot that stays empty. @kernel include/linux/circ_buf.h */
export interface CircShape {
  cnt(head: number, tail: number, size: number): number
  space(head: number, tail: number, size: number): number
  cntToEnd(head: number, tail: number, size: number): number
  spaceToEnd(head: number, tail: number, size: number): number
}

/** How to make the rings a driver uses; those it does not use are left out. @kernel none */
export interface RingsUnderTest {
  desc?(size: number): DescRingShape
  fifo?<T>(size: number): FifoShape<T>
  readonly circ?: CircShape
}

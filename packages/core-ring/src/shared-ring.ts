import type { DescRingDeviceSide, DescRingDriverSide } from './desc-ring.ts'
import { badMove, checkLayout, CONS_WORD, type DescRingLayout, PROD_WORD } from './layout.ts'

/** Whose end of a shared ring this is: the driver's ('producer') or the card's ('device'). */
export type DescRingRole = 'producer' | 'device'

/** How an end of a shared ring behaves. */
export interface SharedDescRingOptions {
  /** Producer: `post` only counts, and `publish` shows the other thread what was posted: one store for a burst. */
  readonly deferred?: boolean
}

/**
 * One end of a descriptor ring whose other end is in another thread (or in another program, over a mapping).
 *
 * The memory and its bytes are those of DescRing. Each end writes its own index only, with one `Atomics.store` a
 * batch, and keeps the other's in a cache that is read again when it shows nothing to do: so `completed()` and
 * `pending()` are lower bounds, and `avail()` reads no shared memory at all. The store publishes the descriptors
 * filled before it; the load makes them readable after it. The wrong role's calls throw a TypeError.
 *
 * Make both ends before the first post, or `clean` starts at whatever `cons` is then.
 *
 * @kernel none
 * @rule RING-05 RING-06 RING-07
 */
export class SharedDescRing implements DescRingDriverSide, DescRingDeviceSide {
  // `declare`: see DescRing.
  /** Where it lies: what the other end's object is made from. */
  declare readonly layout: DescRingLayout
  /** The descriptors' 32-bit words; the descriptor of index `i` starts at `at(i)`. */
  declare readonly words: Int32Array
  declare readonly size: number
  declare readonly mask: number
  declare readonly descWords: number
  declare readonly role: DescRingRole
  declare readonly deferred: boolean
  declare private readonly index: Int32Array
  /** Own index is exact; the peer's is the last value seen. */
  declare private prodIndex: number
  declare private consIndex: number
  declare private cleanIndex: number

  constructor(layout: DescRingLayout, role: DescRingRole, options: SharedDescRingOptions = {}) {
    checkLayout(layout)
    this.layout = layout
    this.words = new Int32Array(layout.memory, layout.descOffset, layout.size * layout.descWords)
    this.size = layout.size
    this.mask = layout.size - 1
    this.descWords = layout.descWords
    this.role = role
    this.deferred = options.deferred === true
    this.index = new Int32Array(layout.memory, layout.indexOffset, CONS_WORD + 1)
    this.prodIndex = Atomics.load(this.index, PROD_WORD)
    this.consIndex = Atomics.load(this.index, CONS_WORD)
    this.cleanIndex = this.consIndex
  }

  /** The next index the driver posts; from the device's end, what it had posted when last looked at. */
  get prod(): number {
    return this.prodIndex >>> 0
  }

  /** The next index the device completes; from the driver's end, what it had completed when last looked at. */
  get cons(): number {
    return this.consIndex >>> 0
  }

  /** The next index the driver reclaims. The device cannot know it: there it is `cons`. */
  get clean(): number {
    return (this.role === 'producer' ? this.cleanIndex : this.consIndex) >>> 0
  }

  /** Returns where in `words` the descriptor of a free-running index starts. */
  at(index: number): number {
    return Math.imul(index & this.mask, this.descWords)
  }

  /** Descriptors posted and not yet reclaimed. */
  used(): number {
    return (this.prodIndex - this.clean) | 0
  }

  /** Descriptors the driver may still post. */
  avail(): number {
    return (this.size - this.prodIndex + this.clean) | 0
  }

  /** Device side: descriptors posted and not yet completed; at least this many. */
  pending(): number {
    if (this.prodIndex === this.consIndex && this.role === 'device')
      this.prodIndex = Atomics.load(this.index, PROD_WORD)
    return (this.prodIndex - this.consIndex) | 0
  }

  /** Driver side: descriptors completed and not yet reclaimed; at least this many. */
  completed(): number {
    if (this.consIndex === this.cleanIndex && this.role === 'producer') {
      this.consIndex = Atomics.load(this.index, CONS_WORD)
    }
    return (this.consIndex - this.clean) | 0
  }

  /** Driver: publishes `n` filled descriptors with one store, if it is not deferred. @returns how many may still be posted */
  post(n: number): number {
    if (this.role !== 'producer') wrongRole('post', this.role)
    const avail = this.avail()
    if (n >>> 0 > avail) badMove('post', n, avail)
    this.prodIndex = (this.prodIndex + n) | 0
    if (!this.deferred) Atomics.store(this.index, PROD_WORD, this.prodIndex)
    return avail - n
  }

  /** Driver: shows the other thread all that was posted; what a doorbell does. Only a deferred ring needs it. */
  publish(): void {
    if (this.role !== 'producer') wrongRole('publish', this.role)
    Atomics.store(this.index, PROD_WORD, this.prodIndex)
  }

  /** Device: completes the `n` oldest pending descriptors with one store. */
  complete(n: number): void {
    if (this.role !== 'device') wrongRole('complete', this.role)
    const pending = (this.prodIndex - this.consIndex) | 0
    if (n >>> 0 > pending) badMove('complete', n, pending)
    this.consIndex = (this.consIndex + n) | 0
    Atomics.store(this.index, CONS_WORD, this.consIndex)
  }

  /** Driver: takes back the `n` oldest completed descriptors; no other thread sees this. */
  reclaim(n: number): void {
    if (this.role !== 'producer') wrongRole('reclaim', this.role)
    const most = Math.min((this.consIndex - this.cleanIndex) | 0, this.used())
    if (n >>> 0 > most) badMove('reclaim', n, most)
    this.cleanIndex = (this.cleanIndex + n) | 0
  }

  /** Empties the ring: all indexes become `start`. Only while the other end is at rest; it must reset as well. */
  reset(start = 0): void {
    this.prodIndex = start | 0
    this.consIndex = start | 0
    this.cleanIndex = start | 0
    Atomics.store(this.index, PROD_WORD, start | 0)
    Atomics.store(this.index, CONS_WORD, start | 0)
  }
}

function wrongRole(call: string, role: DescRingRole): never {
  throw new TypeError(`RING-05: ${call} is not for the ${role}'s end of a ring`)
}

import { Errno, copyBytes } from '@vnet/kernel'
import type { Kernel, MemoryBlock } from '@vnet/kernel'

const NO_MEMORY = new Uint8Array(0)

/** Regions start at multiples of this, so that copies start aligned and an empty frame has a place of its own. */
const ALIGN = 8

/**
 * How large a frame store is.
 *
 * @kernel none
 */
export interface FrameStoreSize {
  /** Frames it holds at most; rounded up to a power of two. Default 1,024. */
  readonly frames?: number
  /** Bytes it holds at most. Default 1 MiB. */
  readonly bytes?: number
}

/**
 * Frames kept for later, in order of the time they are due, then of arrival.
 *
 * The bytes are in the kernel's memory, taken by `open()` and given back by `close()`: copying from a card's buffer
 * stays within one view. A frame lies in one piece, so it may be passed on where it lies. Nothing is allocated per frame.
 * Space is given back in order of arrival, so a frame kept long keeps the space of those that came after it.
 *
 * @kernel none
 */
export class FrameStore {
  readonly frames: number
  readonly bytes: number
  /**
   * `due[0]` is when the next frame pushed is due. Not an argument of `push`: a double passed through a call may become
   * a new heap object for every frame.
   */
  readonly due: Float64Array
  readonly #kernel: Kernel
  #block: MemoryBlock | null
  #mem: Uint8Array
  #base: number
  readonly #mask: number
  readonly #offsets: Int32Array
  readonly #lengths: Int32Array
  readonly #dues: Float64Array
  readonly #live: Uint8Array
  readonly #order: Int32Array
  #slotHead: number
  #slotTail: number
  #orderHead: number
  #orderTail: number
  #byteHead: number

  constructor(kernel: Kernel, size: FrameStoreSize = {}) {
    this.frames = powerOfTwo(atMost('frames', size.frames ?? 1024, 1 << 20))
    this.bytes = (atMost('bytes', size.bytes ?? 1 << 20, 1 << 30) + ALIGN - 1) & -ALIGN
    this.due = new Float64Array(1)
    this.#kernel = kernel
    this.#block = null
    this.#mem = NO_MEMORY
    this.#base = 0
    this.#mask = this.frames - 1
    this.#offsets = new Int32Array(this.frames)
    this.#lengths = new Int32Array(this.frames)
    this.#dues = new Float64Array(this.frames)
    this.#live = new Uint8Array(this.frames)
    this.#order = new Int32Array(this.frames)
    this.#slotHead = 0
    this.#slotTail = 0
    this.#orderHead = 0
    this.#orderTail = 0
    this.#byteHead = 0
  }

  /** Frames in it now. */
  get count(): number {
    return (this.#orderHead - this.#orderTail) >>> 0
  }

  /** The memory the frames lie in; not theirs alone. */
  get mem(): Uint8Array {
    return this.#mem
  }

  /** Takes its memory. @throws Errno ENOMEM */
  open(): void {
    if (this.#block !== null) return
    this.#block = this.#kernel.mem.alloc(this.bytes, 64)
    this.#mem = this.#block.region.u8
    this.#base = this.#block.offset
  }

  /** Removes all frames and gives the memory back. */
  close(): void {
    this.clear()
    if (this.#block !== null) this.#kernel.mem.free(this.#block)
    this.#block = null
    this.#mem = NO_MEMORY
  }

  /** Says whether a frame of this length could ever be kept. */
  fits(length: number): boolean {
    return length <= this.bytes
  }

  /** Copies a frame in, due at `due[0]`. False: full, or not open. */
  push(mem: Uint8Array, offset: number, length: number): boolean {
    const slots = (this.#slotHead - this.#slotTail) >>> 0
    if (slots >= this.frames || this.#block === null) return false
    const start = this.#reserve(slots, length)
    if (start < 0) return false
    copyBytes(this.#mem, this.#base + start, mem, offset, length)
    const slot = this.#slotHead & this.#mask
    this.#slotHead = (this.#slotHead + 1) >>> 0
    this.#offsets[slot] = start
    this.#lengths[slot] = length
    this.#dues[slot] = this.due[0]!
    this.#live[slot] = 1
    this.#insert(slot)
    return true
  }

  /** The slot of the next frame due, or -1. */
  front(): number {
    return this.#orderHead === this.#orderTail ? -1 : this.#order[this.#orderTail & this.#mask]!
  }

  /** Where a frame starts in `mem`. */
  offset(slot: number): number {
    return this.#base + this.#offsets[slot]!
  }

  length(slot: number): number {
    return this.#lengths[slot]!
  }

  dueOf(slot: number): number {
    return this.#dues[slot]!
  }

  /** Removes the front frame. Its bytes may be overwritten from now on. */
  shift(): void {
    const slot = this.front()
    if (slot < 0) return
    this.#orderTail = (this.#orderTail + 1) >>> 0
    this.#live[slot] = 0
    while (this.#slotTail !== this.#slotHead && this.#live[this.#slotTail & this.#mask] === 0) {
      this.#slotTail = (this.#slotTail + 1) >>> 0
    }
  }

  /** Removes all frames. */
  clear(): void {
    this.#live.fill(0)
    this.#slotTail = this.#slotHead
    this.#orderTail = this.#orderHead
    this.#byteHead = 0
  }

  /** The oldest frame's offset is where free space ends. When both ends meet, the store is full: empty is asked first. */
  #reserve(slots: number, length: number): number {
    const need = Math.max(ALIGN, (length + ALIGN - 1) & -ALIGN)
    if (slots === 0) this.#byteHead = 0
    const head = this.#byteHead
    const tail = slots === 0 ? 0 : this.#offsets[this.#slotTail & this.#mask]!
    const wrapped = slots > 0 && head <= tail
    if (wrapped ? need <= tail - head : need <= this.bytes - head) {
      this.#byteHead = head + need
      return head
    }
    if (wrapped || need > tail) return -1
    this.#byteHead = need
    return 0
  }

  /** Insertion from the back: one comparison when frames come in the order they are due. */
  #insert(slot: number): void {
    const due = this.#dues[slot]!
    let at = this.#orderHead
    while (at !== this.#orderTail) {
      const before = this.#order[(at - 1) & this.#mask]!
      if (this.#dues[before]! <= due) break
      this.#order[at & this.#mask] = before
      at = (at - 1) >>> 0
    }
    this.#order[at & this.#mask] = slot
    this.#orderHead = (this.#orderHead + 1) >>> 0
  }
}

function powerOfTwo(n: number): number {
  let size = 1
  while (size < n) size *= 2
  return size
}

function atMost(what: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new Errno('EINVAL', `frame store: ${what} is ${value}, must be from 1 to ${most}`, what)
}

import type { Ktime } from './clock.ts'

/** Slot of an event that is not waiting at all. @kernel none */
export const IDLE = -1
/** Slot of an event that is due and waits until the CPU may run it. @kernel none */
export const DEFERRED = -2

/**
 * The heap's part of a timer, hrtimer, hardware event, work or thread; made once with its owner.
 *
 * All kinds share this one class, so the heap meets one object shape only.
 *
 * @kernel struct timerqueue_node include/linux/timerqueue_types.h
 */
export class KernelEvent {
  /** When it is due. */
  expires: Ktime = 0
  /** Order among those due at the same time. */
  seq = 0
  /** Index in the heap, or `IDLE`, or `DEFERRED`. */
  slot = IDLE
  /** One of `EventKind`. */
  readonly kind: number
  /** What the event belongs to. */
  readonly target: object

  constructor(kind: number, target: object) {
    this.kind = kind
    this.target = target
  }
}

function before(a: KernelEvent, b: KernelEvent): boolean {
  return a.expires < b.expires || (a.expires === b.expires && a.seq < b.seq)
}

/**
 * An intrusive binary heap of events, earliest first; the same time keeps the order of arming.
 *
 * Arming, moving and removing cost O(log n) and allocate nothing once the array has grown.
 *
 * @kernel none
 */
export class EventHeap {
  readonly #items: KernelEvent[] = []
  #seq = 0

  /** How many events wait. */
  get size(): number {
    return this.#items.length
  }

  /** The earliest event, or null. */
  peek(): KernelEvent | null {
    return this.#items.length === 0 ? null : this.#items[0]!
  }

  /** Arms an event, or moves it if it is armed; it goes behind all others of that time. */
  put(event: KernelEvent, expires: Ktime): void {
    event.seq = this.#seq++
    const slot = event.slot
    if (slot >= 0) {
      const later = expires >= event.expires
      event.expires = expires
      if (later) this.#down(event, slot)
      else this.#up(event, slot)
      return
    }
    event.expires = expires
    this.#items.push(event)
    this.#up(event, this.#items.length - 1)
  }

  /** Removes and returns the earliest event, or null. */
  pop(): KernelEvent | null {
    if (this.#items.length === 0) return null
    const first = this.#items[0]!
    this.remove(first)
    return first
  }

  /** Removes an event; false when it was not in the heap. */
  remove(event: KernelEvent): boolean {
    const slot = event.slot
    if (slot < 0) return false
    event.slot = IDLE
    const last = this.#items.pop()!
    if (last === event) return true
    if (before(last, event)) this.#up(last, slot)
    else this.#down(last, slot)
    return true
  }

  /** All waiting events in no useful order, for the census. */
  snapshot(): KernelEvent[] {
    return this.#items.slice()
  }

  #up(event: KernelEvent, from: number): void {
    const items = this.#items
    let slot = from
    while (slot > 0) {
      const parentSlot = (slot - 1) >> 1
      const parent = items[parentSlot]!
      if (!before(event, parent)) break
      items[slot] = parent
      parent.slot = slot
      slot = parentSlot
    }
    items[slot] = event
    event.slot = slot
  }

  #down(event: KernelEvent, from: number): void {
    const items = this.#items
    const size = items.length
    let slot = from
    for (;;) {
      let childSlot = 2 * slot + 1
      if (childSlot >= size) break
      let child = items[childSlot]!
      if (childSlot + 1 < size && before(items[childSlot + 1]!, child)) {
        childSlot++
        child = items[childSlot]!
      }
      if (!before(child, event)) break
      items[slot] = child
      child.slot = slot
      slot = childSlot
    }
    items[slot] = event
    event.slot = slot
  }
}

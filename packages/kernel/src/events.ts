import { irqsDeliverable, maySleep } from './context.ts'
import { EventKind } from './event-kind.ts'
import { DEFERRED, EventHeap, IDLE } from './heap.ts'
import { hrtimerDue } from './hrtimer.ts'
import { timerDue } from './timer.ts'
import { runTask } from './work.ts'
import type { Callback } from './callback.ts'
import type { CensusItem } from './census.ts'
import type { Ktime } from './clock.ts'
import type { KernelEvent } from './heap.ts'
import type { Hrtimer } from './hrtimer.ts'
import type { HwEvent } from './hwevent.ts'
import type { Kernel } from './kernel.ts'
import type { Softirqs } from './softirq.ts'
import type { TimerList } from './timer.ts'
import type { Tracepoint } from './trace.ts'

/** In the order of `EventKind`. */
const POINTS = [
  'timer:timer_expire_entry',
  'timer:hrtimer_expire_entry',
  'hw:event',
  'workqueue:workqueue_execute_start',
  'sched:sched_switch',
]

/** Whoever must know that the next event became an earlier one: the driver of a real clock. */
export interface EventWatcher {
  changed(): void
}

/**
 * What will happen in a kernel, and the code that lets the next of it happen.
 *
 * @kernel none
 */
export class EventLoop {
  readonly #kernel: Kernel
  readonly #heap = new EventHeap()
  /** Works and threads that came due while the CPU was in the middle of something that must not be left. */
  readonly #runQueue: KernelEvent[] = []
  #watcher: EventWatcher | null = null
  /** By `EventKind`: hit when the function of an event is about to be called. */
  readonly points: readonly Tracepoint[]

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.points = POINTS.map((name) => kernel.trace.point(name, []))
    kernel.census.add('timer', () => this.#pending(EventKind.TIMER))
    kernel.census.add('hrtimer', () => this.#pending(EventKind.HRTIMER))
    kernel.census.add('hwevent', () => this.#pending(EventKind.HW))
    kernel.census.add('work', () => this.#pending(EventKind.WORK))
  }

  /** Sets who is told when the next event becomes an earlier one. */
  watch(watcher: EventWatcher | null): void {
    this.#watcher = watcher
  }

  /** Arms or moves an event. */
  start(event: KernelEvent, expires: Ktime): void {
    // Also refuses NaN; an event at the end of time would take the clock there.
    if (!(expires < Infinity)) throw new RangeError(`an event at ${expires} ns`)
    if (event.slot === DEFERRED) this.#undefer(event)
    this.#heap.put(event, expires)
    if (event.slot === 0) this.poke()
  }

  /** Arms or moves an event to `delta` nanoseconds from now; less than 0 counts as 0. */
  startIn(event: KernelEvent, delta: Ktime): void {
    if (delta <= 0) this.startNow(event)
    else this.start(event, this.#kernel.clock.ktimeGet() + Math.floor(delta))
  }

  /** Arms an event for now. */
  startNow(event: KernelEvent): void {
    this.start(event, this.#kernel.clock.ktimeGetCoarse())
  }

  /** Tells the driver of a real clock to look again. */
  poke(): void {
    if (this.#watcher !== null) this.#watcher.changed()
  }

  /** Disarms an event; true when it was armed. */
  cancel(event: KernelEvent): boolean {
    if (event.slot === IDLE) return false
    if (event.slot === DEFERRED) this.#undefer(event)
    else this.#heap.remove(event)
    return true
  }

  /** When the next event is due, or null. */
  next(): Ktime | null {
    const first = this.#heap.peek()
    const kernel = this.#kernel
    if (this.#runnable() !== null || (kernel.irq.waiting && irqsDeliverable(kernel)))
      return kernel.clock.lastSeen
    return first === null ? null : first.expires
  }

  /** True when the next event is ksoftirqd: this slice has had its share. */
  get yields(): boolean {
    const first = this.#heap.peek()
    return first !== null && first.kind === EventKind.KSOFTIRQD
  }

  /**
   * Lets the next event happen if it is due by `limit`, moving a virtual clock to its time.
   *
   * Works and threads wait while the CPU may not sleep, for instance when this is called from a preemption point.
   *
   * @returns false when nothing happened
   */
  runOne(limit: Ktime): boolean {
    const kernel = this.#kernel
    if (kernel.irq.waiting && kernel.irq.deliver()) return true // after an exception
    const waiter = this.#runnable()
    if (waiter !== null) {
      this.#undefer(waiter)
      this.#fire(waiter)
      return true
    }
    for (let event = this.#heap.peek(); event !== null && event.expires <= limit; event = this.#heap.peek()) {
      this.#heap.pop()
      kernel.clock.advanceTo(event.expires)
      if (event.kind < EventKind.WORK || this.#canRun(event)) {
        this.#fire(event)
        return true
      }
      event.slot = DEFERRED
      this.#runQueue.push(event)
    }
    return false
  }

  /** The first work or thread that waited for the CPU and can have it now. */
  #runnable(): KernelEvent | null {
    for (let i = 0; i < this.#runQueue.length; i++) {
      const event = this.#runQueue[i]!
      if (this.#canRun(event)) return event
    }
    return null
  }

  /** A work or thread needs plain process context, and does not run twice at once: one that sleeps is still running. */
  #canRun(event: KernelEvent): boolean {
    if (!maySleep(this.#kernel)) return false
    return event.kind === EventKind.KSOFTIRQD || !(event.target as Callback<never>).running
  }

  #fire(event: KernelEvent): void {
    event.slot = IDLE
    switch (event.kind) {
      case EventKind.HW:
        return (event.target as HwEvent).invoke()
      case EventKind.HRTIMER:
        return hrtimerDue(event.target as Hrtimer)
      case EventKind.TIMER:
        return timerDue(event.target as TimerList)
      case EventKind.KSOFTIRQD:
        return (event.target as Softirqs).runIfPending()
      default:
        return runTask(event.target as Callback<never>)
    }
  }

  #undefer(event: KernelEvent): void {
    this.#runQueue.splice(this.#runQueue.indexOf(event), 1)
    event.slot = IDLE
  }

  #pending(kind: number): CensusItem[] {
    const waiting = [...this.#heap.snapshot(), ...this.#runQueue].filter((event) => event.kind === kind)
    waiting.sort((a, b) => a.expires - b.expires || a.seq - b.seq)
    return waiting.map((event) => {
      const { owner, module } = event.target as Callback<never>
      return { name: owner, module }
    })
  }
}

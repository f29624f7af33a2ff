import { IDLE, KernelEvent } from './heap.ts'
import { EventKind } from './event-kind.ts'
import { IN_PROCESS, IN_SOFTIRQ, softirqsRunnable, unwind } from './context.ts'
import { NSEC_PER_MSEC } from './clock.ts'
import type { TimerList } from './timer.ts'
import type { Kernel } from './kernel.ts'
import type { Tracepoint } from './trace.ts'

/** The softirqs by name; the lower number runs first. @kernel enum include/linux/interrupt.h */
export const Softirq = {
  HI: 0,
  TIMER: 1,
  NET_TX: 2,
  NET_RX: 3,
  BLOCK: 4,
  IRQ_POLL: 5,
  TASKLET: 6,
  SCHED: 7,
  HRTIMER: 8,
  RCU: 9,
} as const

/** One of `Softirq`. */
export type SoftirqNr = (typeof Softirq)[keyof typeof Softirq]

const NAMES = Object.keys(Softirq)
const COUNT = NAMES.length

/** How often one run starts over before it hands the rest to ksoftirqd. @kernel MAX_SOFTIRQ_RESTART kernel/softirq.c */
export const MAX_SOFTIRQ_RESTART = 10
/** How long one run goes on before it hands the rest to ksoftirqd, in ns. @kernel MAX_SOFTIRQ_TIME kernel/softirq.c */
export const MAX_SOFTIRQ_TIME = 2 * NSEC_PER_MSEC

type Action = () => void

/**
 * The softirqs of a kernel: what is pending, what runs them, and how often they ran.
 *
 * @kernel kernel/softirq.c
 */
export class Softirqs {
  /** How often each ran since boot, by number. */
  readonly counts = new Uint32Array(COUNT)
  /** How often a run gave up and left the rest to ksoftirqd. */
  ksoftirqdWakes = 0
  /** Timers that are due and wait for the TIMER softirq. */
  readonly expired: TimerList[] = []
  readonly #kernel: Kernel
  readonly #actions: Action[][] = NAMES.map(() => [])
  readonly #ksoftirqd: KernelEvent
  readonly #raise: Tracepoint
  readonly #entry: Tracepoint
  readonly #exit: Tracepoint
  #pending = 0

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#ksoftirqd = new KernelEvent(EventKind.KSOFTIRQD, this)
    this.#raise = kernel.trace.point('irq:softirq_raise', ['vec'])
    this.#entry = kernel.trace.point('irq:softirq_entry', ['vec'])
    this.#exit = kernel.trace.point('irq:softirq_exit', ['vec'])
  }

  /** Bit mask of the softirqs that wait to run. @kernel local_softirq_pending() include/linux/interrupt.h */
  get pending(): number {
    return this.#pending
  }

  /** Adds an action to a softirq. Use `openSoftirq()`. */
  open(nr: SoftirqNr, action: Action): void {
    const actions = this.#actions[nr]
    if (actions === undefined) throw new RangeError(`no softirq ${nr}`)
    // A new array: a run in progress keeps the one it walks.
    this.#actions[nr] = [...actions, action]
  }

  /** Marks a softirq pending. Use `raiseSoftirq()`. */
  raise(nr: SoftirqNr): void {
    this.#pending |= 1 << nr
    if (this.#raise.enabled) this.#raise.emit(NAMES[nr]!, nr)
    const kernel = this.#kernel
    // In an interrupt, in a softirq, with them off: whoever is below runs it. Nobody is below plain process context.
    if (kernel.cpu.level === IN_PROCESS && kernel.cpu.bhDepth === 0 && kernel.cpu.hwDepth === 0) this.wake()
  }

  /** Goes over to what is pending on another CPU, and returns what was on this one. */
  swapPending(pending: number): number {
    const before = this.#pending
    this.#pending = pending
    return before
  }

  /** Runs what is pending if this is a moment to do so. */
  runIfPending(): void {
    if (this.#pending !== 0 && softirqsRunnable(this.#kernel)) this.#run()
  }

  /** Has ksoftirqd run what is pending, as an event of its own. @kernel wakeup_softirqd() kernel/softirq.c */
  wake(): void {
    if (this.#ksoftirqd.slot !== IDLE) return
    this.ksoftirqdWakes++
    this.#kernel.events.startNow(this.#ksoftirqd)
  }

  #run(): void {
    const kernel = this.#kernel
    const { clock } = kernel
    const { rcuDepth } = kernel.cpu
    const held = kernel.lockdep.heldCount
    const end = clock.ktimeGetCoarse() + MAX_SOFTIRQ_TIME
    let restarts = MAX_SOFTIRQ_RESTART
    let done = false
    kernel.cpu.level = IN_SOFTIRQ
    try {
      do {
        this.#pass()
      } while (this.#pending !== 0 && --restarts > 0 && clock.ktimeGet() < end)
      done = true
    } finally {
      kernel.cpu.level = IN_PROCESS
      if (!done) unwind(kernel, 0, rcuDepth, held)
      if (this.#pending !== 0) this.wake()
    }
  }

  /** One pass over what is pending now; what is raised meanwhile waits for the next. */
  #pass(): void {
    let pending = this.#pending
    this.#pending = 0
    try {
      while (pending !== 0) {
        const nr = 31 - Math.clz32(pending & -pending)
        pending &= pending - 1
        this.#vector(nr)
      }
    } finally {
      // Only after an exception is anything left: it is not lost.
      this.#pending |= pending
    }
  }

  #vector(nr: number): void {
    this.counts[nr]!++
    if (this.#entry.enabled) this.#entry.emit(NAMES[nr]!, nr)
    const actions = this.#actions[nr]!
    for (let i = 0; i < actions.length; i++) actions[i]!()
    if (this.#kernel.cpu.bhDepth !== 0) this.#reportUnbalanced(nr)
    if (this.#exit.enabled) this.#exit.emit(NAMES[nr]!, nr)
  }

  #reportUnbalanced(nr: number): void {
    this.#kernel.cpu.bhDepth = 0
    this.#kernel.warnOn('CTX-07', `softirq ${NAMES[nr]} ended with softirqs turned off and not on again`)
  }
}

/** The kernel's name of a softirq, as in /proc/softirqs. @kernel softirq_to_name[] kernel/softirq.c */
export function softirqName(nr: SoftirqNr): string {
  return NAMES[nr]!
}

/**
 * Adds an action to a softirq; when several subsystems share a number, all run, in the order of opening.
 *
 * @kernel open_softirq() kernel/softirq.c
 */
export function openSoftirq(kernel: Kernel, nr: SoftirqNr, action: () => void): void {
  kernel.softirq.open(nr, action)
}

/**
 * Marks a softirq pending. Any context.
 *
 * It runs when the interrupt handler returns, when softirqs are turned on again, or in the next pass of a softirq;
 * raised from plain process context it is left to ksoftirqd.
 *
 * @kernel raise_softirq() kernel/softirq.c
 */
export function raiseSoftirq(kernel: Kernel, nr: SoftirqNr): void {
  kernel.softirq.raise(nr)
}

/**
 * Turns softirqs off on this CPU until the matching localBhEnable(). Calls nest.
 *
 * @kernel local_bh_disable() include/linux/bottom_half.h
 * @rule CTX-07
 */
export function localBhDisable(kernel: Kernel): void {
  const { cpu } = kernel
  // IN_HARDIRQ
  if (cpu.level === 2) kernel.warnOn('CTX-06', 'localBhDisable in an interrupt handler')
  cpu.bhDepth++
}

/**
 * Turns softirqs on again; the outermost call in process context runs those that wait.
 *
 * @kernel local_bh_enable() include/linux/bottom_half.h
 * @rule CTX-07
 */
export function localBhEnable(kernel: Kernel): void {
  const { cpu, softirq } = kernel
  const depth = cpu.bhDepth - 1
  if (depth < 0) return reportUnpaired(kernel)
  cpu.bhDepth = depth
  if (depth === 0 && softirq.pending !== 0) softirq.runIfPending()
}

function reportUnpaired(kernel: Kernel): void {
  kernel.warnOn('CTX-07', 'localBhEnable without localBhDisable')
}

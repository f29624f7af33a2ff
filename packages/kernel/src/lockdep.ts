import { localBhDisable, localBhEnable } from './softirq.ts'
import type { Kernel } from './kernel.ts'

/** Anything with a name that can be held: core-ring's `SpinLock`, for instance. */
export interface LockLike {
  readonly name: string
}

/** The locks one CPU holds, in the order taken. @kernel held_lock include/linux/lockdep.h */
export class HeldLocks {
  readonly locks: LockLike[] = []
  /** For each, whether softirqs are off because of it. */
  readonly bh: boolean[] = []
}

const IN_HARDIRQ = 1
const IN_SOFTIRQ = 2
const WITH_IRQS_ON = 4
const WITH_SOFTIRQS_ON = 8
const REPORTED = 16

/**
 * Watches spinlocks: which are held, and whether each is used in a way that could deadlock.
 *
 * It fits core-ring's `LockObserver`: give it to `new SpinLock({ name, observer: kernel.lockdep })`. A lock taken
 * with `bh` has softirqs off until it is released.
 *
 * @kernel kernel/locking/lockdep.c
 * @rule CTX-07
 */
export class Lockdep {
  readonly #kernel: Kernel
  readonly #usage = new WeakMap<LockLike, number>()
  #held = new HeldLocks()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** How many locks are held now. @rule CTX-08 */
  get heldCount(): number {
    return this.#held.locks.length
  }

  /** The names of the locks held now, in the order they were taken. */
  heldNames(): string[] {
    return this.#held.locks.map((lock) => lock.name)
  }

  /** True while this lock is held. @kernel lockdep_is_held() include/linux/lockdep.h */
  isHeld(lock: LockLike): boolean {
    return this.#held.locks.includes(lock)
  }

  /** A lock was taken; `bh` when softirqs shall be off while it is held. */
  acquired(lock: LockLike, bh: boolean): void {
    const kernel = this.#kernel
    if (bh) localBhDisable(kernel)
    this.#held.locks.push(lock)
    this.#held.bh.push(bh)
    if (kernel.checks) this.#check(lock)
  }

  /** A lock was given back. */
  released(lock: LockLike): void {
    const { locks, bh } = this.#held
    // Nearly always the last one taken.
    let at = locks.length - 1
    while (at >= 0 && locks[at] !== lock) at--
    if (at < 0) {
      this.#kernel.warnOn('CTX-07', `lock ${lock.name} released but not held`)
      return
    }
    const enable = bh[at]!
    if (at === locks.length - 1) {
      locks.pop()
      bh.pop()
    } else {
      locks.splice(at, 1)
      bh.splice(at, 1)
    }
    if (enable) localBhEnable(this.#kernel)
  }

  /** Forgets all but the first `count` locks: an exception passed by those who would release them. */
  forget(count: number): void {
    this.#held.locks.length = count
    this.#held.bh.length = count
  }

  /** Goes over to the locks of another CPU, and returns those of this one. */
  swap(held: HeldLocks): HeldLocks {
    const before = this.#held
    this.#held = held
    return before
  }

  #check(lock: LockLike): void {
    const { ctx, cpu } = this.#kernel
    // A card's own lock: hardware is not interrupted.
    if (cpu.hwDepth > 0) return
    let use = 0
    if (ctx === 'hardirq') use = IN_HARDIRQ
    else {
      if (ctx === 'softirq') use = IN_SOFTIRQ
      else if (cpu.bhDepth === 0 && cpu.irqOffDepth === 0) use = WITH_SOFTIRQS_ON
      if (cpu.irqOffDepth === 0) use |= WITH_IRQS_ON
    }
    const seen = this.#usage.get(lock) ?? 0
    const all = seen | use
    if (all === seen) return
    this.#usage.set(lock, all)
    if ((all & REPORTED) === 0) this.#report(lock, all)
  }

  #report(lock: LockLike, use: number): void {
    let why: string
    if ((use & IN_HARDIRQ) !== 0 && (use & WITH_IRQS_ON) !== 0) {
      why = 'taken in an interrupt handler, and elsewhere with interrupts on'
    } else if ((use & IN_SOFTIRQ) !== 0 && (use & WITH_SOFTIRQS_ON) !== 0) {
      why = 'taken in a softirq, and in process context with softirqs on'
    } else return
    this.#usage.set(lock, use | REPORTED)
    this.#kernel.warnOn('CTX-07', `lock ${lock.name} can deadlock: ${why}`)
  }
}

import { Census } from './census.ts'
import { Clock, NSEC_PER_USEC } from './clock.ts'
import { CONTEXTS, CpuState, mightSleep } from './context.ts'
import { DynamicDebug } from './dyndbg.ts'
import { EventLoop } from './events.ts'
import { IrqController } from './irq.ts'
import { Kthreads } from './kthread.ts'
import { Lockdep } from './lockdep.ts'
import { PhysMemory } from './mem.ts'
import { ModuleLoader } from './module.ts'
import { KernelLog, prWarn } from './printk.ts'
import { hostClock, RealTime } from './realtime.ts'
import { Rng } from './rng.ts'
import { Rtnl } from './rtnl.ts'
import { RuleViolation } from './rules.ts'
import { Softirq, Softirqs } from './softirq.ts'
import { runExpiredTimers } from './timer.ts'
import { Tracing } from './trace.ts'
import type { Ktime } from './clock.ts'
import type { Context } from './context.ts'
import type { Kthread } from './kthread.ts'
import type { LogRecord } from './printk.ts'
import type { Tracepoint } from './trace.ts'

export type { Context } from './context.ts'
export type { Ktime } from './clock.ts'

/** What `createKernel()` takes; everything has a default. */
export interface KernelOptions {
  /** A broken rule throws. Default true. */
  readonly strict?: boolean
  /** Check rules that cost something for each packet. Default: as `strict`. */
  readonly checks?: boolean
  /** Who moves time: the events themselves, or the host. Default `'virtual'`. */
  readonly clock?: 'virtual' | 'real'
  /** Where chance starts, 32 bits. Default 1. */
  readonly seed?: number
  /** Ticks a second. Default 250. */
  readonly hz?: number
  /** Gets each line of the log as it is written. */
  readonly console?: (record: LogRecord) => void
  /** The most memory `kernel.mem` grows to. Default 256 MiB. */
  readonly memoryBytes?: number
  /** The least memory it grows by. Default 8 MiB; less suits many kernels that live a moment, as in tests. */
  readonly regionBytes?: number
  /** Its memory can be seen by other threads, as a card in a worker needs it. Default false. */
  readonly sharedMemory?: boolean
}

/** Violations kept; a broken loop must not eat the memory. */
const MAX_VIOLATIONS = 1000
/** Events at one moment of virtual time after which time is taken to stand still. */
const MAX_EVENTS_AT_ONCE = 1_000_000

/**
 * One kernel: its clock, interrupts, softirqs, locks, log, modules, memory and rules. Any number can live side by side.
 *
 * @kernel none
 */
export class Kernel {
  /** A broken rule throws. */
  readonly strict: boolean
  /** Rules that cost something for each packet are checked. */
  readonly checks: boolean
  /** Rules are checked, or somebody listens to a tracepoint: hot code must take its long way. `Tracing` writes it. */
  watched: boolean
  /** The module on whose behalf code runs now; what is made is tagged with it. */
  currentModule: string | null
  /** Set by tests: called at named points where another CPU or the card could act. Use as `if (hook !== null) hook(point)`. */
  preemptHook: ((point: string) => void) | null
  /** What the CPU may do now. */
  readonly cpu: CpuState
  readonly clock: Clock
  readonly rng: Rng
  readonly trace: Tracing
  readonly log: KernelLog
  readonly census: Census
  readonly events: EventLoop
  readonly irq: IrqController
  readonly softirq: Softirqs
  readonly threads: Kthreads
  readonly rtnl: Rtnl
  readonly lockdep: Lockdep
  readonly mem: PhysMemory
  readonly dyndbg: DynamicDebug
  readonly modules: ModuleLoader
  readonly #violations: RuleViolation[] = []
  readonly #subsystems = new Map<string, object>()
  readonly #realTime: RealTime | null
  readonly #violationPoint: Tracepoint

  constructor(options: KernelOptions = {}) {
    this.strict = options.strict ?? true
    this.checks = options.checks ?? this.strict
    this.watched = this.checks
    this.currentModule = null
    this.preemptHook = null
    this.cpu = new CpuState()
    this.clock = new Clock(options.hz ?? 250, options.clock === 'real' ? hostClock() : null)
    this.rng = new Rng(options.seed ?? 1)
    this.trace = new Tracing(this)
    this.log = new KernelLog(this)
    this.census = new Census()
    this.lockdep = new Lockdep(this)
    this.events = new EventLoop(this)
    this.irq = new IrqController(this)
    this.softirq = new Softirqs(this)
    this.threads = new Kthreads(this)
    this.rtnl = new Rtnl(this)
    this.mem = new PhysMemory(this, options.memoryBytes, options.regionBytes, options.sharedMemory)
    this.dyndbg = new DynamicDebug(this)
    this.modules = new ModuleLoader(this)
    this.#realTime = this.clock.real ? new RealTime(this, this.events) : null
    this.#violationPoint = this.trace.point('kernel:rule_violation', ['message'])
    this.softirq.open(Softirq.TIMER, () => runExpiredTimers(this))
    if (options.console !== undefined) this.log.subscribe(options.console)
  }

  /** Where the CPU is. */
  get ctx(): Context {
    return CONTEXTS[this.cpu.level]!
  }

  /** The living kernel threads, oldest first. */
  get kthreads(): readonly Kthread[] {
    return this.threads.list
  }

  /** The broken rules so far, oldest first, at most 1,000. */
  get violations(): readonly RuleViolation[] {
    return this.#violations
  }

  /**
   * Reports a broken driver rule: recorded and logged always, thrown in strict mode.
   *
   * @kernel WARN() include/asm-generic/bug.h
   */
  warnOn(rule: string, message: string): void {
    const violation = new RuleViolation(rule, message, this.clock.ktimeGet(), this.ctx, this.currentModule)
    if (this.#violations.length < MAX_VIOLATIONS) this.#violations.push(violation)
    prWarn(this, `WARNING: ${rule}: ${message}`)
    if (this.#violationPoint.enabled) {
      this.#violationPoint.emit(rule, undefined, undefined, undefined, message)
    }
    if (this.strict) throw violation
  }

  /** The state a subsystem keeps in this kernel, made at the first call. */
  subsys<T extends object>(key: string, create: (kernel: Kernel) => T): T {
    const known = this.#subsystems.get(key)
    if (known !== undefined) return known as T
    // Whoever asks first, what a subsystem keeps belongs to the kernel, not to the module that runs now.
    const module = this.currentModule
    this.currentModule = null
    try {
      const made = create(this)
      this.#subsystems.set(key, made)
      return made
    } finally {
      this.currentModule = module
    }
  }

  /**
   * Lets the next event happen, whenever it is; on a real clock, only one that is due.
   *
   * It may be called from a preemption point: works and threads then wait until the CPU is free.
   *
   * @returns false when there was none
   */
  step(): boolean {
    return this.events.runOne(this.clock.real ? this.clock.ktimeGet() : Infinity)
  }

  /** Lets everything happen that is due in the next `ns` nanoseconds. Afterwards exactly that much time has passed. */
  runFor(ns: Ktime): void {
    this.#run(null, Math.round(ns))
  }

  /** Lets things happen until `done()` is true, or `limitNs` nanoseconds have passed; returns what `done()` said last. */
  runUntil(done: () => boolean, limitNs: Ktime): boolean {
    // A clock has whole nanoseconds.
    return this.#run(done, Math.round(limitNs))
  }

  /**
   * Something outside the CPU happens now: runs `fn`, then delivers what it raised, interrupts first, softirqs after.
   *
   * For tests and for what kernel code causes; what the host's loop reports comes by `hostInterrupt()`.
   */
  hardware(fn: () => void): void {
    this.cpu.hwDepth++
    try {
      fn()
    } finally {
      this.cpu.hwDepth--
    }
    this.irq.deliver()
  }

  /**
   * `hardware()` for whoever is called by the host's loop, as a file descriptor or a worker is.
   *
   * What is due afterwards happens at once instead of at the loop's next turn, for a millisecond at most.
   */
  hostInterrupt(fn: () => void): void {
    if (this.#realTime === null) this.hardware(fn)
    else this.#realTime.slice(fn)
  }

  /** Keeps the process alive while the real clock runs, until `release()`. Calls nest. */
  hold(): void {
    this.#realTime?.hold()
  }

  /** Takes back one `hold()`. */
  release(): void {
    this.#realTime?.release()
  }

  /** Stops the real clock; nothing happens by itself any more. */
  shutdown(): void {
    this.#realTime?.stop()
  }

  #run(done: (() => boolean) | null, ns: Ktime): boolean {
    if (!(ns >= 0)) throw new RangeError(`cannot run for ${ns} ns`)
    mightSleep(this, done === null ? 'runFor' : 'runUntil')
    const clock = this.clock
    const end = clock.ktimeGet() + ns
    let at = clock.lastSeen
    let count = 0
    for (;;) {
      if (done !== null && done()) return true
      const now = clock.ktimeGet()
      if (!this.events.runOne(clock.real && now < end ? now : end)) {
        if (!clock.real || now >= end) break
      } else if (clock.lastSeen !== at) {
        at = clock.lastSeen
        count = 0
      } else if (++count > MAX_EVENTS_AT_ONCE) {
        throw new Error(`time stands still at ${at} ns: ${count} events without an end`)
      }
    }
    clock.advanceTo(end)
    return done === null ? false : done()
  }
}

/** Makes a kernel. @kernel start_kernel() init/main.c */
export function createKernel(options: KernelOptions = {}): Kernel {
  return new Kernel(options)
}

/**
 * Sleeps: everything else goes on for `ms` milliseconds. Process context.
 *
 * @kernel msleep() kernel/time/sleep_timeout.c
 * @rule CTX-02 CTX-06
 */
export function msleep(kernel: Kernel, ms: number): void {
  kernel.runFor(Math.round(ms * 1000) * NSEC_PER_USEC)
}

/**
 * Keeps the CPU busy for `us` microseconds: time passes and nothing else happens. Any context.
 *
 * On a virtual clock it models what code costs.
 *
 * @kernel udelay() include/asm-generic/delay.h
 */
export function udelay(kernel: Kernel, us: number): void {
  const clock = kernel.clock
  const end = clock.ktimeGet() + Math.round(us * NSEC_PER_USEC)
  if (!clock.real) clock.advanceTo(end)
  else while (clock.ktimeGet() < end);
}

import { Callback } from './callback.ts'
import { mightSleep } from './context.ts'
import { EventKind } from './event-kind.ts'
import { IDLE } from './heap.ts'
import { reportEndlessWait } from './other-cpu.ts'
import type { Kernel } from './kernel.ts'

/**
 * A kernel thread: it sleeps until woken, does one wake-up's work, and sleeps again.
 *
 * @kernel struct kthread kernel/kthread.c
 */
export class Kthread extends Callback<Kthread> {
  /** Unique in its kernel, never used twice. */
  readonly pid: number
  /** True once it was told to stop. @kernel kthread_should_stop() kernel/kthread.c */
  stopped = false
  /** How often it was run. */
  wakeups = 0

  constructor(kernel: Kernel, fn: (thread: Kthread) => void, name: string, pid: number) {
    super(kernel, EventKind.KTHREAD, fn, name)
    this.pid = pid
  }

  /** As `ps` shows it: `'napi/vnet0-1'`. */
  get name(): string {
    return this.owner
  }

  /** Does one wake-up's work; only the kernel calls it. */
  override invoke(): void {
    this.wakeups++
    super.invoke()
  }
}

/** The threads of a kernel. @kernel kthread_create_list kernel/kthread.c */
export class Kthreads {
  readonly #kernel: Kernel
  readonly #list: Kthread[] = []
  // 1 is init and 2 is kthreadd.
  #nextPid = 3

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    kernel.census.add('kthread', () => this.#list.map((t) => ({ name: t.name, module: t.module })))
  }

  /** The living threads, oldest first. */
  get list(): readonly Kthread[] {
    return this.#list
  }

  /** Starts one. Use `kthreadRun()`. */
  add(fn: (thread: Kthread) => void, name: string): Kthread {
    const thread = new Kthread(this.#kernel, fn, name, this.#nextPid++)
    this.#list.push(thread)
    return thread
  }

  /** Forgets one. */
  remove(thread: Kthread): void {
    const at = this.#list.indexOf(thread)
    if (at >= 0) this.#list.splice(at, 1)
  }
}

/**
 * Makes a kernel thread, asleep. `fn` is the work of one wake-up, in process context.
 *
 * Unlike the kernel's, it does not run until wakeUpProcess() is called.
 *
 * @kernel kthread_run() include/linux/kthread.h
 */
export function kthreadRun(kernel: Kernel, fn: (thread: Kthread) => void, name: string): Kthread {
  mightSleep(kernel, 'kthreadRun')
  return kernel.threads.add(fn, name)
}

/**
 * Wakes a thread: its function runs soon, once for all wake-ups before that. Any context.
 *
 * Woken while it runs, it runs once more.
 *
 * @returns false when it was awake already, or has been stopped
 * @kernel wake_up_process() kernel/sched/core.c
 */
export function wakeUpProcess(thread: Kthread): boolean {
  if (thread.stopped || thread.event.slot !== IDLE) return false
  thread.kernel.events.startNow(thread.event)
  return true
}

/**
 * Ends a thread; when it returns, its function does not run and will not again. Process context.
 *
 * @kernel kthread_stop() kernel/kthread.c
 * @rule STOP-01
 */
export function kthreadStop(thread: Kthread): void {
  const { kernel } = thread
  mightSleep(kernel, 'kthreadStop')
  if (thread.running)
    reportEndlessWait(kernel, 'STOP-01', `kthreadStop(${thread.name}) waits for the thread it is called from`)
  thread.stopped = true
  kernel.events.cancel(thread.event)
  kernel.threads.remove(thread)
}

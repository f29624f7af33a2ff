import { mightSleep } from './context.ts'
import { reportEndlessWait } from './other-cpu.ts'
import type { Kernel } from './kernel.ts'

/**
 * The lock around network configuration. There is one a kernel, and it does not nest.
 *
 * @kernel rtnl_mutex net/core/rtnetlink.c
 */
export class Rtnl {
  readonly #kernel: Kernel
  #depth = 0
  #todo: (() => void)[] = []

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** True while somebody holds it. @kernel rtnl_is_locked() net/core/rtnetlink.c */
  get held(): boolean {
    return this.#depth > 0
  }

  /** Takes it. Process context; taking it twice would wait for ever, and is reported. @kernel rtnl_lock() net/core/rtnetlink.c @rule CTX-01 */
  lock(): void {
    mightSleep(this.#kernel, 'rtnl.lock')
    if (this.#depth > 0)
      reportEndlessWait(this.#kernel, 'CTX-01', 'rtnl.lock: rtnl is held already, this would wait for ever')
    this.#depth++
  }

  /** Takes it if nobody holds it; true when taken. For work that may run while its owner holds rtnl. @kernel rtnl_trylock() net/core/rtnetlink.c */
  trylock(): boolean {
    if (this.#depth > 0) return false
    this.#depth++
    return true
  }

  /** Gives it back, and then does what `afterUnlock` collected. @kernel rtnl_unlock() net/core/rtnetlink.c @rule CTX-01 */
  unlock(): void {
    if (this.#depth === 0) {
      this.#kernel.warnOn('CTX-01', 'rtnl.unlock: rtnl is not held')
      return
    }
    this.#depth--
    if (this.#depth === 0 && this.#todo.length > 0) this.#runTodo()
  }

  /** Runs `fn` with the lock held, and gives it back however `fn` ends. */
  run<T>(fn: () => T): T {
    this.lock()
    try {
      return fn()
    } finally {
      this.unlock()
    }
  }

  /** Reports unless it is held; `what` names the function that needs it. @kernel ASSERT_RTNL() include/linux/rtnetlink.h @rule CTX-01 */
  assertHeld(what: string): void {
    if (this.#depth === 0) this.#kernel.warnOn('CTX-01', `${what} needs rtnl`)
  }

  /** Has `fn` run once, right after the lock is given back. @kernel netdev_run_todo() net/core/dev.c */
  afterUnlock(fn: () => void): void {
    this.#todo.push(fn)
  }

  #runTodo(): void {
    const todo = this.#todo
    this.#todo = []
    for (const fn of todo) fn()
  }
}

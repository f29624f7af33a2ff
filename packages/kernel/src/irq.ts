import { IN_HARDIRQ, irqsDeliverable, unwind } from './context.ts'
import { Errno } from './errno.ts'
import { IRQ_HANDLED, IRQ_NONE, IrqLine } from './irq-line.ts'
import { prErr } from './printk.ts'
import type { Hrtimer } from './hrtimer.ts'
import type { IrqAction, IrqInfo, IrqReturn } from './irq-line.ts'
import type { Kernel } from './kernel.ts'
import type { Tracepoint } from './trace.ts'

/** Rounds in a row, with nothing else in between, after which a line is taken for stuck. @kernel note_interrupt() kernel/irq/spurious.c */
export const IRQ_STORM_ROUNDS = 1000

/**
 * The interrupt lines of a kernel. Cards use `allocLine`, `setLevel` and `pulse`; drivers `requestIrq()` and the like.
 *
 * An asserted and enabled line is delivered at once, unless an interrupt handler runs, interrupts are off, or a
 * hardware event is still going on; then as soon as that ends.
 *
 * @kernel irq_desc[] kernel/irq/irqdesc.c
 */
export class IrqController {
  readonly #kernel: Kernel
  readonly #lines: (IrqLine | undefined)[] = []
  readonly #expired: Hrtimer[] = []
  readonly #entry: Tracepoint
  readonly #exit: Tracepoint
  /** Below it all numbers are taken. */
  #lowest = 1
  #head: IrqLine | null = null
  #tail: IrqLine | null = null

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#entry = kernel.trace.point('irq:irq_handler_entry', ['irq', 'name'])
    this.#exit = kernel.trace.point('irq:irq_handler_exit', ['irq', 'ret'])
    kernel.census.add('irq', () =>
      this.#all().flatMap((line) =>
        line.actions.map((action) => ({ name: `${line.nr} ${action.name}`, module: action.module })),
      ),
    )
  }

  /** True when a line or an hrtimer waits to be delivered. */
  get waiting(): boolean {
    return this.#head !== null || this.#expired.length > 0
  }

  /** Makes a new line, deasserted and without a handler; returns its number, 1 or more. @kernel irq_alloc_desc() include/linux/irq.h */
  allocLine(name: string): number {
    let nr = this.#lowest
    while (this.#lines[nr] !== undefined) nr++
    this.#lines[nr] = new IrqLine(nr, name)
    this.#lowest = nr + 1
    return nr
  }

  /** Removes a line. One that still has a handler is reported and stays. @kernel irq_free_desc() include/linux/irq.h @rule IRQ-03 */
  freeLine(irq: number): void {
    const line = this.#line(irq)
    if (line.actions.length > 0) {
      const names = line.info().name
      this.#kernel.warnOn('IRQ-03', `IRQ ${irq} (${line.name}) removed while ${names} handles it`)
      return
    }
    this.#lines[irq] = undefined
    if (irq < this.#lowest) this.#lowest = irq
  }

  /** Asserts or deasserts a level-triggered line; the card calls it. */
  setLevel(irq: number, asserted: boolean): void {
    const line = this.#line(irq)
    if (line.level === asserted) return
    line.level = asserted
    if (asserted && line.wants) this.#queue(line)
  }

  /**
   * Sends one message-signalled interrupt.
   *
   * Sent while the handler runs, it makes it run once more; sent to a disabled line it is kept; sent to nobody it is lost.
   */
  pulse(irq: number): void {
    const line = this.#line(irq)
    if (line.actions.length === 0) return
    line.latched = true
    if (line.wants) this.#queue(line)
  }

  /** All lines, by number. */
  list(): IrqInfo[] {
    return this.#all().map((line) => line.info())
  }

  /** Runs every handler that waits, if interrupts can be taken now, and then the softirqs; false when they cannot. The kernel calls it. */
  deliver(): boolean {
    if (!irqsDeliverable(this.#kernel)) return false
    if (this.waiting) this.#interrupt()
    this.#kernel.softirq.runIfPending()
    return true
  }

  /** Has an hrtimer that is due run in hardirq context. The kernel calls it. */
  expireHrtimer(timer: Hrtimer): void {
    this.#expired.push(timer)
    this.deliver()
  }

  /** Forgets an hrtimer that is due but could not run yet. */
  dropHrtimer(timer: Hrtimer): void {
    const at = this.#expired.indexOf(timer)
    if (at >= 0) this.#expired.splice(at, 1)
  }

  /** Adds a handler. Use `requestIrq()`. */
  request(irq: number, action: IrqAction): void {
    const line = this.#line(irq)
    const first = line.actions[0]
    if (first !== undefined && !(first.shared && action.shared)) {
      prErr(this.#kernel, `genirq: Flags mismatch irq ${irq}. ${action.name} vs. ${first.name}`)
      throw new Errno('EBUSY', `IRQ ${irq} is in use by ${first.name}`)
    }
    line.actions = [...line.actions, action]
    line.rounds = 0
    if (line.wants) this.#queue(line)
  }

  /** Removes a handler; false when there is no such one. Use `freeIrq()`. */
  free(irq: number, devId: object): boolean {
    const line = this.#lines[irq]
    const action = line?.actions.find((a) => a.devId === devId)
    if (line === undefined || action === undefined) return false
    action.freed = true
    line.actions = line.actions.filter((a) => a !== action)
    if (line.actions.length === 0) {
      // The next owner starts with an enabled line and none of our messages.
      line.latched = false
      line.depth = 0
    }
    return true
  }

  /** True while a handler of this line runs. */
  isRunning(irq: number): boolean {
    const line = this.#lines[irq]
    return line !== undefined && line.running
  }

  /** Masks a line. Use `disableIrq()`. */
  disable(irq: number): void {
    this.#line(irq).depth++
  }

  /** Unmasks a line; false when it was not masked. Use `enableIrq()`. */
  enable(irq: number): boolean {
    const line = this.#line(irq)
    if (line.depth === 0) return false
    line.depth--
    line.rounds = 0
    if (line.wants) this.#queue(line)
    return true
  }

  #all(): IrqLine[] {
    return this.#lines.filter((line) => line !== undefined)
  }

  #line(irq: number): IrqLine {
    const line = this.#lines[irq]
    if (line === undefined) throw new Errno('EINVAL', `no interrupt line ${irq}`)
    return line
  }

  #queue(line: IrqLine): void {
    if (!line.queued) {
      line.queued = true
      if (this.#tail === null) this.#head = line
      else this.#tail.next = line
      this.#tail = line
    }
    this.deliver()
  }

  #take(): IrqLine | null {
    const line = this.#head
    if (line === null) return null
    this.#head = line.next
    if (this.#head === null) this.#tail = null
    line.next = null
    line.queued = false
    return line
  }

  #interrupt(): void {
    const kernel = this.#kernel
    const { cpu } = kernel
    const { bhDepth, rcuDepth, level } = cpu
    const held = kernel.lockdep.heldCount
    let done = false
    cpu.level = IN_HARDIRQ
    try {
      while (this.#expired.length > 0) this.#expired.shift()!.invoke()
      for (let line = this.#take(); line !== null; line = this.#take()) this.#handle(line)
      done = true
    } finally {
      cpu.level = level
      if (!done) {
        unwind(kernel, bhDepth, rcuDepth, held)
        kernel.events.poke()
      }
    }
  }

  #handle(line: IrqLine): void {
    // It may have been deasserted, disabled or freed while it waited, or runs on another CPU, which looks again.
    if (!line.wants || line.running) return
    const kernel = this.#kernel
    const module = kernel.currentModule
    const actions = line.actions
    let handled = false
    line.latched = false
    line.running = true
    line.count++
    try {
      for (let i = 0; i < actions.length; i++) {
        if (this.#act(line, actions[i]!) === IRQ_HANDLED) handled = true
      }
    } finally {
      line.running = false
      kernel.currentModule = module
      // Behind the others, so that one line cannot starve the rest.
      if (line.wants) this.#queue(line)
    }
    if (!handled) line.unhandled++
    if (line.wants) this.#checkStorm(line, handled)
    else line.rounds = 0
  }

  #act(line: IrqLine, action: IrqAction): IrqReturn {
    if (action.freed) return IRQ_NONE
    if (this.#entry.enabled) this.#entry.emit(action.name, line.nr, undefined, undefined, action.name)
    this.#kernel.currentModule = action.module
    const ret = action.handler(line.nr, action.devId)
    if (this.#exit.enabled) this.#exit.emit(action.name, line.nr, ret)
    return ret
  }

  #checkStorm(line: IrqLine, handled: boolean): void {
    if (++line.rounds < IRQ_STORM_ROUNDS) return
    line.rounds = 0
    line.depth++
    prErr(this.#kernel, `irq ${line.nr}: nobody cared`)
    prErr(this.#kernel, `Disabling IRQ #${line.nr}`)
    const why = handled ? 'does not acknowledge the cause' : 'did not take the interrupt for its own'
    this.#kernel.warnOn(
      'IRQ-02',
      `IRQ ${line.nr} still asserted after ${IRQ_STORM_ROUNDS} rounds: ${line.info().name} ${why}; line disabled`,
    )
  }
}

/** The handler's answer: the interrupt was not its device's. @kernel IRQ_NONE include/linux/irqreturn.h */
export const IRQ_NONE = 0
/** The handler's answer: its device interrupted, and it was dealt with. @kernel IRQ_HANDLED include/linux/irqreturn.h */
export const IRQ_HANDLED = 1
/** What an interrupt handler answers. @kernel irqreturn_t include/linux/irqreturn.h */
export type IrqReturn = typeof IRQ_NONE | typeof IRQ_HANDLED

/** Called in hardirq context with the line's number and the `devId` given to requestIrq(). @kernel irq_handler_t include/linux/interrupt.h */
export type IrqHandler = (irq: number, devId: object) => IrqReturn

/** One handler on a line. @kernel struct irqaction include/linux/interrupt.h */
export interface IrqAction {
  readonly handler: IrqHandler
  readonly name: string
  readonly devId: object
  readonly shared: boolean
  readonly module: string | null
  /** Set by freeIrq(): it is not called any more, whoever still has it on a list. */
  freed: boolean
}

/** One interrupt line. Only the controller touches it. @kernel struct irq_desc include/linux/irqdesc.h */
export class IrqLine {
  readonly nr: number
  readonly name: string
  /** Replaced, never changed: a round in progress keeps the list it walks. */
  actions: readonly IrqAction[] = []
  /** The card holds the line. */
  level = false
  /** A message (MSI) came and was not yet handled. */
  latched = false
  /** How many disableIrq() are open. */
  depth = 0
  running = false
  queued = false
  next: IrqLine | null = null
  count = 0
  unhandled = 0
  /** Rounds in a row after which it was still asserted. */
  rounds = 0

  constructor(nr: number, name: string) {
    this.nr = nr
    this.name = name
  }

  /** True when its handlers should run. */
  get wants(): boolean {
    return (this.level || this.latched) && this.depth === 0 && this.actions.length > 0
  }

  /** What others may know about it. */
  info(): IrqInfo {
    const names = this.actions.map((action) => action.name)
    return {
      irq: this.nr,
      line: this.name,
      name: names.join(', '),
      names,
      count: this.count,
      unhandled: this.unhandled,
      asserted: this.level,
      enabled: this.depth === 0,
    }
  }
}

/** What `kernel.irq.list()` says about a line. @kernel show_interrupts() kernel/irq/proc.c */
export interface IrqInfo {
  readonly irq: number
  /** The line's own name. */
  readonly line: string
  /** The names given to requestIrq(), with a comma between. */
  readonly name: string
  readonly names: readonly string[]
  /** How often its handlers were called. */
  readonly count: number
  /** How often none of them took the interrupt for its own. */
  readonly unhandled: number
  readonly asserted: boolean
  /** Not disabled. */
  readonly enabled: boolean
}

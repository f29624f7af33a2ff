import type { Ktime } from './clock.ts'
import type { Context } from './context.ts'

/**
 * A broken driver rule: thrown in strict mode, and kept in `kernel.violations` in any mode.
 *
 * Its `name` holds the rule's id too, so that a stack trace and a failing test show it.
 *
 * @kernel none
 */
export class RuleViolation extends Error {
  /** The id from docs/driver-rules.md, for instance `'TXQ-01'`. */
  readonly rule: string
  /** When, in nanoseconds since boot. */
  readonly time: Ktime
  /** Where the CPU was. */
  readonly ctx: Context
  /** The module that was running, if known. */
  readonly module: string | null

  constructor(rule: string, message: string, time: Ktime, ctx: Context, module: string | null) {
    super(message)
    this.name = `RuleViolation ${rule}`
    this.rule = rule
    this.time = time
    this.ctx = ctx
    this.module = module
  }
}

import type { DriverSpec, Supports } from './spec.ts'
import { CheckFailure, CheckSkipped, Testbed } from './testbed.ts'

/**
 * One way to see whether a driver keeps a rule. A rule may have several.
 *
 * @kernel none
 */
export interface Check {
  /** The rule, for instance 'TXQ-01'. */
  readonly id: string
  /** What a driver that keeps the rule does: 'stops the queue before the ring is full'. */
  readonly title: string
  /** What the driver must be able to do for this check to make sense. */
  readonly needs?: readonly (keyof Supports)[]
  run(t: Testbed): void
}

/** How a check ended. @kernel none */
export interface Outcome {
  readonly check: Check
  readonly status: 'pass' | 'fail' | 'skip'
  /** The broken rules; usually just the check's own. Empty unless it failed. */
  readonly broken: readonly Broken[]
  /** Why it was skipped. */
  readonly reason: string
}

/** A rule the driver broke, and how that showed. @kernel none */
export interface Broken {
  readonly id: string
  readonly message: string
  /** Seen by the checks that run after every check, not looked for here. */
  readonly general: boolean
}

/**
 * Runs one check on a fresh driver.
 *
 * Who is to blame: a rule the kernel itself saw broken comes first, then the check's own; what is left over at the
 * end (SKB-06, LIFE-11) counts too.
 *
 * @kernel none
 */
export function runCheck(spec: DriverSpec, check: Check, seed = 1): Outcome {
  const missing = (check.needs ?? []).find((need) => !spec.supports?.[need])
  if (missing !== undefined) return skipped(check, `${spec.name} does not support ${missing}`)
  const t = new Testbed(spec, seed)
  let own: Broken | null = null
  try {
    check.run(t)
  } catch (error) {
    if (error instanceof CheckSkipped) {
      finish(t)
      return skipped(check, error.message)
    }
    own = { id: check.id, message: tell(error), general: false }
  }
  const seen = violations(t, 0)
  const reported = t.kernel.violations.length
  const ending = finish(t)
  // A driver that a failed check left half way cannot be taken apart properly.
  for (const late of violations(t, reported))
    if (!seen.some((b) => b.id === late.id))
      (own === null ? seen : ending).push({ ...late, general: own !== null })
  const broken = [...seen, ...(own !== null && !seen.some((b) => b.id === check.id) ? [own] : []), ...ending]
  return { check, status: broken.length === 0 ? 'pass' : 'fail', broken, reason: '' }
}

function skipped(check: Check, reason: string): Outcome {
  return { check, status: 'skip', broken: [], reason }
}

function tell(error: unknown): string {
  if (error instanceof CheckFailure) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** Takes the driver apart and looks for what is left. */
function finish(t: Testbed): Broken[] {
  const broken: Broken[] = []
  try {
    t.destroy()
  } catch (error) {
    broken.push({ id: 'LIFE-03', message: `taking the driver apart: ${tell(error)}`, general: true })
  }
  const left = t.brokeOff ? [] : t.leftovers()
  const skbs = left.filter((e) => e.kind === 'skb')
  const rest = left.filter((e) => e.kind !== 'skb')
  const names = (entries: typeof left): string => entries.map((e) => `${e.kind} ${e.name}`).join(', ')
  if (skbs.length > 0) broken.push({ id: 'SKB-06', message: `still alive: ${names(skbs)}`, general: true })
  if (rest.length > 0) broken.push({ id: 'LIFE-11', message: `left behind: ${names(rest)}`, general: true })
  return broken
}

/** What the kernel reported from the violation `from` on, each rule once. */
function violations(t: Testbed, from: number): Broken[] {
  const first = new Map<string, Broken>()
  for (const { rule, message } of t.kernel.violations.slice(from)) {
    if (!first.has(rule)) first.set(rule, { id: rule, message, general: false })
  }
  return [...first.values()]
}

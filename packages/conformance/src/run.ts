import { allChecks } from './checks/index.ts'
import { runCheck, type Broken, type Check, type Outcome } from './check.ts'
import { EXPLAINS } from './explains.ts'
import type { DriverSpec } from './spec.ts'

/** How {@link runConformance} runs. @kernel none */
export interface ConformanceOptions {
  /** Rule ids; all when left out. */
  readonly only?: readonly string[]
  readonly seed?: number
  /** Called after each check. */
  readonly onOutcome?: (outcome: Outcome, done: number, total: number) => void
}

/** What a driver came to. @kernel none */
export interface ConformanceReport {
  readonly driver: string
  readonly seed: number
  readonly outcomes: readonly Outcome[]
  /** The rules the driver breaks, with what showed it; what another broken rule explains is left out. */
  readonly broken: ReadonlyMap<string, string>
}

/** Runs the checks on a driver. @kernel none */
export function runConformance(spec: DriverSpec, options: ConformanceOptions = {}): ConformanceReport {
  const { only, seed = 1, onOutcome } = options
  const checks = allChecks.filter((check) => only === undefined || only.includes(check.id))
  const outcomes: Outcome[] = []
  for (const check of checks) {
    const outcome = runCheck(spec, check, seed)
    outcomes.push(outcome)
    onOutcome?.(outcome, outcomes.length, checks.length)
  }
  return { driver: spec.name, seed, outcomes, broken: blame(outcomes) }
}

/**
 * The rules to name: what was looked for comes before what showed in passing, and a cause before its effects.
 */
function blame(outcomes: readonly Outcome[]): Map<string, string> {
  const all = outcomes.flatMap((o) => o.broken)
  const special = all.filter((b) => !b.general)
  const named = firstOfEach(special.length > 0 ? special : all)
  for (const cause of [...named.keys()]) {
    if (!named.has(cause)) continue
    for (const effect of EXPLAINS[cause] ?? []) if (effect !== cause) named.delete(effect)
  }
  return named
}

function firstOfEach(broken: readonly Broken[]): Map<string, string> {
  const first = new Map<string, string>()
  for (const { id, message } of broken) if (!first.has(id)) first.set(id, message)
  return first
}

/** The checks of a rule. @kernel none */
export function checksOf(id: string): readonly Check[] {
  return allChecks.filter((check) => check.id === id)
}

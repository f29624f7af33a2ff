import { refSpec } from '../ref/ref-spec.ts'
import type { RefDriver } from '../ref/ref-driver.ts'
import type { DriverSpec } from '../spec.ts'

/**
 * A driver that breaks one rule and keeps all others: the proof that the kit sees it.
 *
 * @kernel none
 */
export interface Mutant {
  /** The rule it breaks. */
  readonly id: string
  /** What it gets wrong, in one sentence. */
  readonly fault: string
  readonly spec: DriverSpec
}

/** A mutant made from a subclass of the reference driver. @kernel none */
export function mutant(id: string, fault: string, Driver: typeof RefDriver): Mutant {
  return { id, fault, spec: refSpec(`mutant of ${id}`, Driver) }
}

/**
 * A mutant that is wrong elsewhere: in its spec, its card, a table. `change` gets the good spec and returns the bad one.
 *
 * @kernel none
 */
export function mutantSpec(id: string, fault: string, change: (good: DriverSpec) => DriverSpec): Mutant {
  const name = `mutant of ${id}`
  return { id, fault, spec: { ...change(refSpec(name)), name } }
}

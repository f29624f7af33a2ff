import { allChecks } from './checks/index.ts'
import { allMutants, type Mutant } from './mutants/index.ts'
import { NO_MUTANT, NOT_APPLICABLE } from './rules-na.ts'
import { RULES } from './rules.ts'
import { runConformance } from './run.ts'

/** A mutant, and whether the kit blamed exactly its rule. @kernel none */
export interface MutantResult {
  readonly fault: string
  readonly caught: boolean
  /** The rules the kit named. */
  readonly blamed: readonly string[]
}

/** What the kit does about one rule. @kernel none */
export interface RuleRow {
  readonly id: string
  readonly level: 'M' | 'S'
  readonly sentence: string
  /** Titles of the checks. */
  readonly checks: readonly string[]
  readonly mutants: readonly MutantResult[]
  /** Why it is not checked, or why it has no mutant; '' when there is nothing to explain. */
  readonly reason: string
}

/** The kit's account of itself, a row a rule. Plain data: `JSON.stringify` it. @kernel none */
export interface ConformanceTable {
  readonly rows: readonly RuleRow[]
  readonly rules: number
  readonly checked: number
  /** Rules all of whose mutants were caught, of those that have one. */
  readonly caught: number
  readonly notApplicable: number
}

/** How {@link conformanceTable} runs. @kernel none */
export interface TableOptions {
  /** Rule ids; all when left out. */
  readonly only?: readonly string[]
  readonly seed?: number
  /** Called after each mutant: it takes a second or so. */
  readonly onMutant?: (mutant: Mutant, result: MutantResult, done: number, total: number) => void
}

/** Runs every mutant and says of each rule whether it is checked and its mutants are caught. @kernel none */
export function conformanceTable(options: TableOptions = {}): ConformanceTable {
  const { only, seed = 1, onMutant } = options
  const wanted = (id: string): boolean => only === undefined || only.includes(id)
  const mutants = allMutants.filter((mutant) => wanted(mutant.id))
  const results = new Map<string, MutantResult[]>()
  mutants.forEach((mutant, done) => {
    const result = tryMutant(mutant, seed)
    results.set(mutant.id, [...(results.get(mutant.id) ?? []), result])
    onMutant?.(mutant, result, done + 1, mutants.length)
  })
  const rows = RULES.filter((rule) => wanted(rule.id)).map(({ id, level, sentence }): RuleRow => {
    const checks = allChecks.filter((check) => check.id === id).map((check) => check.title)
    return {
      id,
      level,
      sentence,
      checks,
      mutants: results.get(id) ?? [],
      reason: NOT_APPLICABLE[id] ?? NO_MUTANT[id] ?? '',
    }
  })
  return {
    rows,
    rules: rows.length,
    checked: rows.filter((row) => row.checks.length > 0).length,
    caught: rows.filter(isCaught).length,
    notApplicable: rows.filter((row) => row.checks.length === 0).length,
  }
}

function tryMutant(mutant: Mutant, seed: number): MutantResult {
  const blamed = [...runConformance(mutant.spec, { seed }).broken.keys()]
  return { fault: mutant.fault, caught: blamed.length === 1 && blamed[0] === mutant.id, blamed }
}

function isCaught({ mutants }: RuleRow): boolean {
  return mutants.length > 0 && mutants.every((mutant) => mutant.caught)
}

/** The table as text, a line a rule. The last line counts. @kernel none */
export function formatTable(table: ConformanceTable): string {
  const { rules, checked, caught, notApplicable } = table
  const width = Math.max(0, ...table.rows.map((row) => row.id.length))
  const lines = table.rows.map((row) => `${row.id.padEnd(width)}  ${describe(row)}`)
  return [
    ...lines,
    '',
    `rules ${rules}: ${checked} checked, ${caught} with a mutant caught, ${notApplicable} not applicable`,
    '',
  ].join('\n')
}

function describe(row: RuleRow): string {
  const { checks, mutants, reason } = row
  if (checks.length === 0) return `not applicable: ${reason}`
  if (mutants.length === 0) return reason === '' ? 'checked, no mutant yet' : `checked, no mutant: ${reason}`
  const missed = mutants.filter((mutant) => !mutant.caught)
  if (missed.length === 0)
    return `checked, mutant caught: ${mutants.map((mutant) => mutant.fault).join('; ')}`
  return `checked, mutant NOT caught: ${missed.map((m) => `${m.fault} (blamed: ${m.blamed.join(', ') || 'nothing'})`).join('; ')}`
}

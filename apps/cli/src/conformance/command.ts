import * as ownKit from '@vnet/conformance'
import type { ConformanceReport, Outcome } from '@vnet/conformance'
import { CommandError, usage } from '../errors.ts'
import { plural } from '../ui/number.ts'
import { paint, screenOf, type Screen } from '../ui/style.ts'
import { loadDriverFile, type LoadedDriver } from './driver-file.ts'
import { Ticker, printOutcome } from './lines.ts'
import { ruleIds, wholeNumber } from './options.ts'
import { vnetSpec } from './vnet-spec.ts'

/** What stands behind `vnet conformance`. */
export interface ConformanceWords {
  /** The driver's file, and more rule ids behind `--only`. */
  readonly words: readonly string[]
  readonly only: string
  readonly seed: string
  readonly json: boolean
  readonly mutants: boolean
}

/** `vnet conformance [FILE]`; returns the exit code. */
export async function conformanceCommand(args: ConformanceWords, noColour: boolean): Promise<number> {
  const seed = wholeNumber('conformance', 'seed', args.seed, 0)
  const known = new Set(ownKit.RULES.map((rule) => rule.id))
  const files = args.words.filter((word) => !isRule(word))
  const only = ruleIds([args.only, ...args.words.filter(isRule)], known)
  if (files.length > 1) throw usage(`vnet conformance: one driver at a time, not ${files.join(' and ')}`)
  const screen = screenOf(process.stdout, noColour)
  if (args.mutants) {
    if (files.length > 0) throw usage('vnet conformance: --mutants tests the kit itself, not a driver')
    return mutantsTable(screen, { seed, json: args.json, ...(only !== undefined && { only }) })
  }
  const driver = files[0] === undefined ? { kit: ownKit, spec: vnetSpec } : await loadDriverFile(files[0])
  return testDriver(screen, driver, { seed, json: args.json, ...(only !== undefined && { only }) })
}

interface Options {
  readonly seed: number
  readonly json: boolean
  readonly only?: readonly string[]
}

/** `--only TXQ-01 TXQ-02`: what looks like a rule is no file. */
const isRule = (word: string): boolean => /^[A-Z]+-\d+(,[A-Z]+-\d+)*$/i.test(word)

function testDriver(screen: Screen, { kit, spec }: LoadedDriver, { json, ...options }: Options): number {
  const onOutcome = json ? undefined : (outcome: Outcome): void => printOutcome(screen, outcome)
  let report: ConformanceReport
  try {
    report = kit.runConformance(spec, { ...options, ...(onOutcome !== undefined && { onOutcome }) })
  } catch (error) {
    throw new CommandError(`vnet: driver ${spec.name}: ${(error as Error).message}`)
  }
  if (json) screen.write(`${JSON.stringify(asJson(report), undefined, 2)}\n`)
  else printSummary(screen, report)
  return failed(report) ? 1 : 0
}

const failed = (report: ConformanceReport): boolean => report.outcomes.some((o) => o.status === 'fail')

function countOf(report: ConformanceReport, status: Outcome['status']): number {
  return report.outcomes.filter((o) => o.status === status).length
}

function printSummary(screen: Screen, report: ConformanceReport): void {
  const [passed, fails, skipped] = (['pass', 'fail', 'skip'] as const).map((status) =>
    countOf(report, status),
  )
  screen.write('\n')
  for (const [id, message] of report.broken)
    screen.write(`${paint(screen, 'red', id)} is broken: ${message}\n`)
  const verdict =
    fails === 0
      ? paint(screen, 'green', 'keeps the rules')
      : paint(screen, 'red', `breaks ${plural(report.broken.size, 'rule')}`)
  screen.write(
    `${report.driver} ${verdict}: ${passed} checks passed, ${fails} failed, ${skipped} skipped (seed ${report.seed})\n`,
  )
}

function asJson(report: ConformanceReport): unknown {
  return {
    driver: report.driver,
    seed: report.seed,
    passed: countOf(report, 'pass'),
    failed: countOf(report, 'fail'),
    skipped: countOf(report, 'skip'),
    broken: Object.fromEntries(report.broken),
    checks: report.outcomes.map(({ check, status, broken, reason }) => ({
      id: check.id,
      title: check.title,
      status,
      ...(broken.length > 0 && { broken: broken.map(({ id, message }) => ({ id, message })) }),
      ...(reason !== '' && { reason }),
    })),
  }
}

/** The kit's account of itself: every rule, its checks, its mutants. */
function mutantsTable(screen: Screen, { json, ...options }: Options): number {
  const ticker = new Ticker()
  const table = ownKit.conformanceTable({
    ...options,
    onMutant: (mutant, _result, done, total) => ticker.at(`mutant ${done} of ${total}: ${mutant.id}`),
  })
  ticker.end()
  screen.write(json ? `${JSON.stringify(table, undefined, 2)}\n` : ownKit.formatTable(table))
  return table.rows.every((row) => row.mutants.every((mutant) => mutant.caught)) ? 0 : 1
}

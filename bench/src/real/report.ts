import type { EntryResult, GroupResult } from '../contest.ts'
import type { Machine } from '../machine.ts'
import { figure, verdict } from '../report.ts'
import { spreadOf } from '../stats.ts'
import type { RealGroup } from './groups.ts'

export interface RealResult extends GroupResult {
  readonly rate: RealGroup['rate']
}

/** What `--json` writes and the page is drawn from. */
export interface RealReport {
  readonly date: string
  readonly quick: boolean
  readonly machine: Machine
  readonly noise: string
  readonly groups: readonly RealResult[]
  /** What was not measured, and why. */
  readonly skipped: readonly Skipped[]
}

export interface Skipped {
  readonly title: string
  readonly why: string
}

/** Each reason once. */
export function formatSkipped(skipped: readonly Skipped[]): string {
  const reasons = [...new Set(skipped.map(({ why }) => why))]
  const titles = (reason: string): string[] =>
    skipped.filter(({ why }) => why === reason).map(({ title }) => `  ${title}`)
  return reasons.map((why) => [`left out: ${why}`, ...titles(why)].join('\n')).join('\n')
}

/** Above this the machine had too much else to do. */
const NOISY_SPREAD = 0.15

/** How far the turns of a typical contestant lie apart. */
export function noiseOf(results: readonly RealResult[]): string {
  const spreads = results.flatMap((r) => r.entries.map((e) => e.spread))
  const typical = spreads.length === 0 ? 0 : spreadOf(spreads).median
  const fact = `typical spread ±${(typical * 50).toFixed(1)} %`
  return typical > NOISY_SPREAD
    ? `the machine was too noisy: run it again (${fact})`
    : `quiet enough (${fact})`
}

/** A time as a user would say it: frames or bits a second. */
export function rateOf({ rate }: RealResult, { median }: EntryResult): string {
  return `${figure(rate.per / median)} ${rate.unit}`
}

export function formatResult(result: RealResult, judged: boolean): string {
  const width = Math.max(...result.entries.map((e) => e.label.length))
  const lines = result.entries.map((e) => {
    const spread = `±${(e.spread * 50).toFixed(1)} %`
    return `  ${e.label.padEnd(width)} ${figure(e.median).padStart(9)}  ${spread.padStart(8)}  ${rateOf(result, e).padStart(11)}`
  })
  const skipped = result.skipped.map((text) => `  ${text}`)
  const verdicts = judged ? result.targets.map((t) => `  ${verdict(t)}`) : []
  return [`${result.title} (${result.unit})`, ...lines, ...skipped, ...verdicts].join('\n')
}

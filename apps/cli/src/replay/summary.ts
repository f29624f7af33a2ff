import { grouped, plural } from '../ui/number.ts'
import { paint, type Screen } from '../ui/style.ts'
import type { ReplayOptions } from './options.ts'
import type { ReplayResult } from './replay.ts'

/** Prints what a replay came to. */
export function printSummary(screen: Screen, options: ReplayOptions, r: ReplayResult): void {
  const out = (text = ''): void => screen.write(`${text}\n`)
  out(
    paint(
      screen,
      'bold',
      `${options.file}: ${plural(r.offered.frames, 'frame')}, ${plural(r.offered.bytes, 'byte')}`,
    ),
  )
  out()
  out(
    `received  ${grouped(r.stats.rxPackets).padStart(9)} frames ${grouped(r.stats.rxBytes).padStart(13)} bytes`,
  )
  for (const [what, frames] of losses(r)) out(`${what.padEnd(9)} ${grouped(frames).padStart(9)} frames`)
  out()
  out(paint(screen, 'dim', 'EtherType           frames'))
  for (const row of r.tally.rows()) {
    out(`${row.type.padEnd(7)}${row.name.padEnd(15)}${grouped(row.frames).padStart(4)}`)
  }
  out()
  out(paint(screen, 'dim', '$ ip -s link show vnet0'))
  screen.write(r.ipLink)
  out()
  out(balance(screen, r))
  for (const line of troubles(r)) out(paint(screen, 'red', line))
}

/** The same for programs. */
export function jsonSummary(options: ReplayOptions, r: ReplayResult): string {
  const types = r.tally.rows().map(({ type, frames }) => ({ type, frames }))
  const record = {
    file: options.file,
    offered: r.offered,
    received: { frames: Number(r.stats.rxPackets), bytes: Number(r.stats.rxBytes) },
    missed: Number(r.stats.rxMissedErrors),
    dropped: r.accounts.total.dropped,
    duplicated: duplicated(r),
    errors: Number(r.stats.rxErrors),
    etherTypes: types,
    balanced: balanced(r),
    damage: r.damage,
    violations: r.violations,
    leaked: r.leaked,
  }
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Everything is accounted for, no rule was broken, nothing was left behind. */
export function isClean(r: ReplayResult): boolean {
  return balanced(r) && r.violations.length === 0 && r.leaked.length === 0
}

function losses(r: ReplayResult): [string, number | bigint][] {
  const all: [string, number | bigint][] = [
    ['missed', r.stats.rxMissedErrors],
    ['errors', r.stats.rxErrors],
    ['dropped', r.accounts.total.dropped],
    ['doubled', duplicated(r)],
  ]
  return all.filter(([what, frames]) => what === 'missed' || BigInt(frames) > 0n)
}

/** Frames the faults made twice: what was made beyond what the file had. */
function duplicated(r: ReplayResult): number {
  return r.accounts.total.made - r.offered.frames
}

/** frames of the file + doubled = received + missed + errors + dropped */
function balanced(r: ReplayResult): boolean {
  const made = BigInt(r.accounts.total.made)
  // The tap takes every frame, so what is dropped was dropped by the driver.
  const { rxPackets, rxMissedErrors, rxErrors, rxDropped } = r.stats
  return (
    made === rxPackets + rxMissedErrors + rxErrors + rxDropped + BigInt(r.accounts.total.dropped) &&
    r.accounts.problems.length === 0
  )
}

function balance(screen: Screen, r: ReplayResult): string {
  if (isClean(r)) return paint(screen, 'green', 'every frame accounted for, nothing leaked')
  return paint(screen, 'red', 'the accounts do not add up')
}

function troubles(r: ReplayResult): string[] {
  return [
    ...r.accounts.problems,
    ...r.violations.map((v) => `broken rule: ${v}`),
    ...r.leaked.map((e) => `left behind: ${e}`),
  ]
}

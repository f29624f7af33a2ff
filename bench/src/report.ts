import type { GroupResult } from './contest.ts'
import type { Machine } from './machine.ts'
import type { Measure } from './measures.ts'

export interface Report {
  readonly date: string
  readonly quick: boolean
  readonly machine: Machine
  readonly noise: { readonly noisy: boolean; readonly text: string }
  readonly groups: readonly GroupResult[]
  readonly measures: readonly Measure[]
}

const percent = (x: number): string => `${(x * 100).toFixed(x < 0.1 ? 1 : 0)} %`

/** Three digits that matter. */
export function figure(x: number): string {
  if (x >= 1000) return Math.round(x).toLocaleString('en-US')
  return x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2)
}

export function formatMachine(m: Machine): string {
  const tied = m.pinned ? 'pinned to one of them' : 'not pinned'
  const first = m.priority ? ', with priority' : ''
  const gcc = m.gcc ?? 'no gcc: no C twins'
  return `${m.cpu}, ${m.cpus} processors (${tied}${first}), load ${m.load.toFixed(1)}; ${m.system}; Node ${m.node} (V8 ${m.v8}); ${gcc}`
}

export function formatGroup(group: GroupResult, judged: boolean): string {
  const width = Math.max(...group.entries.map((e) => e.label.length))
  const fastest = Math.min(...group.entries.map((e) => e.median))
  const lines = group.entries.map((e) => {
    const times = `${(e.median / fastest).toFixed(2)}x`
    return `  ${e.label.padEnd(width)} ${figure(e.median).padStart(9)}  ±${percent(e.spread / 2).padStart(6)}  ${times.padStart(8)}`
  })
  const verdicts = judged ? group.targets.map((t) => `  ${verdict(t)}`) : []
  const skipped = group.skipped.map((text) => `  ${text}`)
  return [`${group.title} (${group.unit})`, ...lines, ...skipped, ...verdicts].join('\n')
}

/** One sentence on a target. */
export function verdict(t: GroupResult['targets'][number]): string {
  const word = t.met ? 'met' : 'MISSED'
  return `${word}: ${t.text}; it is ${figure(t.ratio.median)}x (${figure(t.ratio.low)} to ${figure(t.ratio.high)}), beside ${t.by}`
}

export function formatMeasure(m: Measure): string {
  const value = `${figure(m.value)} ${m.unit}`
  const limit = m.limit === undefined ? '' : `  (${m.met ? 'met' : 'MISSED'}: ${m.target})`
  return `  ${m.label}: ${value}${limit}${m.note === undefined ? '' : `\n      ${m.note}`}`
}

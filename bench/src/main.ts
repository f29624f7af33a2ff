/** `npm run bench`: measures, prints the tables, and writes them down. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type GroupResult, type Plan, contest } from './contest.ts'
import { groups } from './groups.ts'
import { type Machine, describeMachine } from './machine.ts'
import { type Measure, measures } from './measures.ts'
import { benchOptions, checkPlan } from './options.ts'
import { type Report, formatGroup, formatMachine, formatMeasure } from './report.ts'
import { spreadOf } from './stats.ts'

const HELP = `usage: npm run bench -- [--quick] [--json FILE] [--only NAME] [--list]

  --quick      see that everything still runs, in less than a minute; judges nothing
  --json FILE  write the results down; bench/docs.mjs draws docs/performance.md from them
  --only NAME  only what has NAME in its name; may be given more than once
  --list       the names`

const FULL: Plan = { warmMs: 500, roundMs: 1.5, rounds: 31, retries: 5, judge: true }
const QUICK: Plan = { warmMs: 40, roundMs: 0.5, rounds: 3, retries: 0, judge: false }
/** Above these the machine had too much else to do. */
const NOISY_SPREAD = 0.15
const NOISY_PREEMPTED = 0.5

const values = benchOptions()

const dist = import.meta.dirname
/** These need more than one processor. */
const UNPINNED = new Set(['startup', 'parallel', 'queues'])
const wanted = (id: string): boolean =>
  values.only.length === 0 || values.only.some((name) => id.includes(name))

function measure(id: string, flags: readonly string[], machine: Machine): Measure[] {
  const pin = machine.pinned && !UNPINNED.has(id) ? ['taskset', '-c', String(machine.cpus - 1)] : []
  const first = machine.priority ? ['nice', '-n', '-20'] : []
  const quick = values.quick ? ['quick'] : []
  const [program, ...args] = [
    ...first,
    ...pin,
    process.execPath,
    ...flags,
    `${dist}/measure.mjs`,
    id,
    ...quick,
  ]
  return JSON.parse(
    execFileSync(program!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  ) as Measure[]
}

function noiseOf(results: readonly GroupResult[]): Report['noise'] {
  const spreads = results.flatMap((g) => g.entries.map((e) => e.spread))
  const windows = results.reduce((n, g) => n + g.windows, 0)
  const taken = results.reduce((n, g) => n + g.preempted, 0) / Math.max(1, windows)
  const typical = spreads.length === 0 ? 0 : spreadOf(spreads).median
  const noisy = typical > NOISY_SPREAD || taken > NOISY_PREEMPTED
  const facts = `typical spread ±${(typical * 50).toFixed(1)} %, processor taken away in ${(taken * 100).toFixed(0)} % of the windows`
  return {
    noisy,
    text: noisy ? `the machine was too noisy: trust the ratios only (${facts})` : `quiet enough (${facts})`,
  }
}

async function run(): Promise<void> {
  checkPlan(
    values.only,
    [...groups, ...measures].map(({ id }) => id),
    values.json,
  )
  const machine = describeMachine()
  const plan = values.quick ? QUICK : FULL
  console.log(`${formatMachine(machine)}\n`)
  const results: GroupResult[] = []
  for (const group of groups.filter((g) => wanted(g.id))) {
    const result = await contest(group, plan, machine, dist)
    results.push(result)
    console.log(`${formatGroup(result, plan.judge)}\n`)
  }
  const alone: Measure[] = []
  for (const { id, title, flags } of measures.filter((m) => wanted(m.id))) {
    const found = measure(id, flags, machine)
    alone.push(...found)
    console.log(`${title}\n${found.map(formatMeasure).join('\n')}\n`)
  }
  const noise = noiseOf(results)
  console.log(`noise: ${noise.text}`)
  summary(results, alone, plan)
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    quick: values.quick,
    machine,
    noise,
    groups: results,
    measures: alone,
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`)
}

function summary(results: readonly GroupResult[], alone: readonly Measure[], plan: Plan): void {
  if (!plan.judge) return console.log('quick: nothing is judged')
  const verdicts = [
    ...results.flatMap((g) => g.targets.map((t) => t.met)),
    ...alone.flatMap((m) => m.met ?? []),
  ]
  console.log(`targets: ${verdicts.filter((met) => met).length} of ${verdicts.length} met`)
}

if (values.help) console.log(HELP)
else if (values.list)
  console.log([...groups, ...measures].map((x) => `${x.id.padEnd(20)} ${x.title}`).join('\n'))
else await run()

/** `npm run bench:real`: our cables beside the same in C, on interfaces of this host. */
import { writeFileSync } from 'node:fs'
import { contest, type Plan } from '../contest.ts'
import { describeMachine } from '../machine.ts'
import { benchOptions, checkPlan } from '../options.ts'
import { formatMachine } from '../report.ts'
import { groups, type RealGroup } from './groups.ts'
import { whyNot } from './needs.ts'
import {
  formatResult,
  formatSkipped,
  noiseOf,
  type RealReport,
  type RealResult,
  type Skipped,
} from './report.ts'

const HELP = `usage: npm run bench:real -- [--quick] [--json FILE] [--docs] [--only NAME] [--list]

  --quick      see that everything still runs; judges nothing
  --json FILE  write the results down
  --docs       draw docs/real-interfaces.md from FILE (bench/real/results.json), and measure nothing
  --only NAME  only what has NAME in its name; may be given more than once
  --list       the names

Everything happens in network namespaces that belong to the processes that measure, and go with them.`

const values = benchOptions()

const dist = import.meta.dirname
const { only, quick } = values
const wanted = groups.filter(({ id }) => only.length === 0 || only.some((name) => id.includes(name)))

function planOf({ warmMs, roundMs, rounds }: RealGroup): Plan {
  if (quick) return { warmMs: 20, roundMs: 0, rounds: 2, retries: 0, judge: false }
  return { warmMs, roundMs, rounds, retries: 0, judge: true }
}

async function run(): Promise<void> {
  checkPlan(
    only,
    groups.map(({ id }) => id),
    values.json,
  )
  const machine = describeMachine()
  console.log(`${formatMachine(machine)}\n`)
  const results: RealResult[] = []
  const skipped: Skipped[] = []
  for (const group of wanted) {
    const why = whyNot(group.needs)
    if (why !== null) {
      skipped.push({ title: group.title, why })
      continue
    }
    try {
      const result = { ...(await contest(group, planOf(group), machine, dist)), rate: group.rate }
      results.push(result)
      console.log(`${formatResult(result, !quick)}\n`)
    } catch (error) {
      // The others can be measured all the same.
      skipped.push({ title: group.title, why: `it failed: ${String(error)}` })
      process.exitCode = 1
    }
  }
  if (skipped.length > 0) console.log(`${formatSkipped(skipped)}\n`)
  const noise = noiseOf(results)
  console.log(`noise: ${noise}`)
  const targets = results.flatMap((r) => r.targets)
  const met = targets.filter((t) => t.met).length
  console.log(quick ? 'quick: nothing is judged' : `targets: ${met} of ${targets.length} met`)
  const date = new Date().toISOString().slice(0, 10)
  const report: RealReport = { date, quick, machine, noise, groups: results, skipped }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
}

if (values.help) console.log(HELP)
else if (values.list) console.log(groups.map(({ id, title }) => `${id.padEnd(16)} ${title}`).join('\n'))
else await run()

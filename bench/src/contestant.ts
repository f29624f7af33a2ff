/** Runs one contestant in a process of its own: a line in, a line out, as the C twins do. */
import { readSync } from 'node:fs'
import { contestants, roundContestants } from './contestants/index.ts'
import { converseRounds } from './real/round.ts'

/** What takes part in a comparison. */
export interface Contestant {
  /** Does the measured thing `times` times. */
  run(times: number): void
  /** Operations in one time. */
  readonly ops: number
  /** Before and after each window, outside the measured time: a helper that spins must not do so while others are measured. */
  begin?(): void
  end?(): void
  /** Throws when the work was not done. */
  verify?(): void
}

const now = (): number => Number(process.hrtime.bigint())
const preemptions = (): number => process.resourceUsage().involuntaryContextSwitches

let runsPerMs = 1

/** Runs for `ms` of processor time, in growing pieces, so that the optimiser sees long and short ones. */
function warm(c: Contestant, ms: number): void {
  c.begin?.()
  const start = process.cpuUsage()
  let fastest = Infinity
  for (let piece = 1; ; piece = Math.min(piece * 2, 1024)) {
    const before = now()
    c.run(piece)
    const each = (now() - before) / piece
    if (piece > 64) fastest = Math.min(fastest, each)
    const { user, system } = process.cpuUsage(start)
    if (user + system > ms * 1000 && fastest < Infinity) break
  }
  c.end?.()
  runsPerMs = 1e6 / fastest
}

function round(c: Contestant, ms: number): { ns: number; preempted: boolean } {
  const times = Math.ceil(runsPerMs * ms)
  c.begin?.()
  // The caches were somebody else's until now.
  c.run((times >> 3) + 1)
  const before = preemptions()
  const start = now()
  c.run(times)
  const took = now() - start
  c.end?.()
  return { ns: took / times / c.ops, preempted: preemptions() !== before }
}

function* lines(): Generator<string> {
  const chunk = Buffer.alloc(4096)
  let text = ''
  for (;;) {
    const end = text.indexOf('\n')
    if (end >= 0) {
      yield text.slice(0, end)
      text = text.slice(end + 1)
      continue
    }
    const n = readSync(0, chunk)
    if (n === 0) return
    text += chunk.toString('latin1', 0, n)
  }
}

function converse(contestant: Contestant): void {
  for (const line of lines()) {
    const [what, ms] = line.split(' ')
    if (what === 'warm') {
      warm(contestant, Number(ms))
      contestant.verify?.()
      console.log('{}')
    } else {
      console.log(JSON.stringify(round(contestant, Number(ms))))
    }
  }
  contestant.verify?.()
}

const [name, ...args] = process.argv.slice(2)
const make = contestants[name!]
const makeRounds = roundContestants[name!]
if (make !== undefined) converse(await make(args))
else if (makeRounds !== undefined) await converseRounds(await makeRounds(args))
else throw new Error(`no contestant ${name}`)

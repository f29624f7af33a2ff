import { formatOp, soakEpisode, type SoakFailure } from '@vnet/conformance'
import { usage } from '../errors.ts'
import { grouped } from '../ui/number.ts'
import { paint, screenOf, type Screen } from '../ui/style.ts'
import { loadDriverFile } from './driver-file.ts'
import { wholeNumber } from './options.ts'
import { vnetSpec } from './vnet-spec.ts'

/** What stands behind `vnet soak`. */
export interface SoakWords {
  readonly words: readonly string[]
  readonly minutes: string
  readonly episodes: string
  readonly seed: string
}

const NS_PER_MINUTE = 60e9
/** The first line of progress comes soon, the others each ten seconds. */
const FIRST_PROGRESS_NS = 2e9
const PROGRESS_NS = 10e9

interface Tally {
  episodes: number
  ops: number
  sent: number
  received: number
  /** Simulated, in ns. */
  time: number
}

/** `vnet soak`: episode after episode until the time is over, each from its own seed; returns the exit code. */
export async function soakCommand(args: SoakWords, noColour: boolean): Promise<number> {
  const minutes = Number(args.minutes)
  if (!(minutes > 0 && minutes <= 100_000))
    throw usage(`vnet soak: --minutes is a number above 0, not '${args.minutes}'`)
  const most = args.episodes === '' ? Infinity : wholeNumber('soak', 'episodes', args.episodes, 1)
  const first = wholeNumber('soak', 'seed', args.seed, 0)
  const { kit, spec } =
    args.words[0] === undefined
      ? { kit: { soakEpisode, formatOp }, spec: vnetSpec }
      : await loadDriverFile(args.words[0])
  const screen = screenOf(process.stdout, noColour)
  const stop = new Stop()
  const tally: Tally = { episodes: 0, ops: 0, sent: 0, received: 0, time: 0 }
  const began = process.hrtime.bigint()
  let next = FIRST_PROGRESS_NS
  try {
    for (let seed = first; tally.episodes < most && !stop.asked; seed++) {
      const { ops, sent, received, time, failure } = kit.soakEpisode(spec, seed)
      tally.episodes++
      tally.ops += ops.length
      tally.sent += sent
      tally.received += received
      tally.time += time
      if (failure !== null) return tellFailure(screen, spec.name, failure, kit.formatOp, args.words[0])
      const passed = Number(process.hrtime.bigint() - began)
      if (passed >= next) {
        next = passed + PROGRESS_NS
        process.stderr.write(`soak: ${line(tally)}\n`)
      }
      if (most === Infinity && passed >= minutes * NS_PER_MINUTE) break
      await stop.breathe()
    }
  } finally {
    stop.end()
  }
  screen.write(`${spec.name}: ${line(tally)}\n`)
  screen.write(
    `${paint(screen, 'green', 'nothing broken')}: no rule, no counter, no frame lost without a trace, nothing left behind\n`,
  )
  return stop.asked ? 130 : 0
}

function line({ episodes, ops, sent, received, time }: Tally): string {
  const seconds = grouped(Math.round(time / 1e9))
  return `${grouped(episodes)} lives of the driver, ${grouped(ops)} operations, ${grouped(sent)} frames out, ${grouped(received)} in, ${seconds} simulated seconds`
}

function tellFailure(
  screen: Screen,
  driver: string,
  f: SoakFailure,
  format: typeof formatOp,
  file: string | undefined,
): number {
  screen.write(`${paint(screen, 'red', f.rule)} is broken: ${f.message}\n`)
  screen.write(`found after ${f.foundAfter} operations of seed ${f.seed}; the shortest way there:\n`)
  for (const op of f.ops) screen.write(`  ${format(op)}\n`)
  screen.write(
    `again: vnet soak ${file === undefined ? '' : `${file} `}--episodes 1 --seed ${f.seed}    in a test: replaySoak(${driver}, ${f.seed}, ${JSON.stringify(f.ops)})\n`,
  )
  return 1
}

/** Ctrl-C ends the soak after the episode that runs. */
class Stop {
  asked = false
  private readonly heard = (): void => {
    this.asked = true
  }

  constructor() {
    process.once('SIGINT', this.heard)
  }

  /** Lets the signal in: an episode itself never waits. */
  breathe(): Promise<void> {
    return new Promise((done) => {
      setImmediate(done)
    })
  }

  end(): void {
    process.removeListener('SIGINT', this.heard)
  }
}

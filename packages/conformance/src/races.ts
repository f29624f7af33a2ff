import { Rng, localBhDisable, localBhEnable, onAnotherCpu } from '@vnet/kernel'
import { Iff, devGetStats, netifRunning } from '@vnet/netdev'
import { noLimit } from './checks/observe.ts'
import { frameNumber, testFrame } from './frames.ts'
import type { DriverSpec } from './spec.ts'
import type { Runner } from './test-driver.ts'
import { MS, SECOND, Testbed, US } from './testbed.ts'

/**
 * Races on purpose: at each named preemption point a scheduler decides whether something else happens just then.
 *
 * First all choices at the first three points, then random ones by seed. A failure carries its list of choices, and
 * {@link replayRace} runs exactly that again.
 *
 * @kernel none
 */

/** What can happen at a preemption point. Choice 0 is nothing, choice k is ACTIONS[k - 1]. */
const ACTIONS: readonly { readonly name: string; act(run: RaceRun): void }[] = [
  // The card goes on, and another CPU takes its interrupts and polls.
  { name: 'card', act: ({ t }) => onAnotherCpu(t.kernel, () => t.passSoon(30 * US)) },
  { name: 'frame', act: (run) => run.frame() },
  { name: 'send', act: (run) => onAnotherCpu(run.t.kernel, () => run.send(1)) },
  { name: 'close', act: (run) => run.close() },
]

/** The names of the choices, by number. @kernel none */
export const RACE_CHOICES: readonly string[] = ['nothing', ...ACTIONS.map((a) => a.name)]

const SCENARIOS: Readonly<Record<string, (run: RaceRun) => void>> = {
  /** More is sent than the ring holds, again and again. */
  'full ring'(run) {
    for (let round = 0; round < 3; round++) {
      run.step(() => run.send(8))
      run.step(() => run.t.run(200 * US))
    }
  },
  /** One poll finds sent frames as well as received ones. */
  'both ways'(run) {
    for (let round = 0; round < 3; round++) {
      run.step(() => {
        const { t } = run
        localBhDisable(t.kernel)
        run.send(2)
        for (let n = 0; n < 3; n++) run.frame()
        t.passSoon(30 * US)
        localBhEnable(t.kernel)
      })
      run.step(() => run.t.run(200 * US))
    }
  },
  /** The device is closed under load. */
  stop(run) {
    run.step(() => {
      run.send(8)
      run.frame()
      run.closed = true
      run.t.down()
    })
  },
}

/** The names of what is tried. @kernel none */
export const RACE_SCENARIOS: readonly string[] = Object.keys(SCENARIOS)

/** One schedule: what is done, and what else happens at each preemption point that is passed. @kernel none */
export interface RaceSchedule {
  readonly scenario: string
  /** By preemption point, in the order they are passed; nothing happens at those that follow. */
  readonly choices: readonly number[]
}

/** A schedule in which a driver breaks a rule. @kernel none */
export interface RaceFailure extends RaceSchedule {
  readonly rule: string
  readonly message: string
  /** The seed the choices came from; null for those tried one by one. */
  readonly seed: number | null
  /** The points passed, each with what happened there. */
  readonly points: readonly string[]
}

/** One run of a schedule. */
class RaceRun {
  readonly t: Testbed
  readonly points: string[] = []
  /** What was decided, and how to decide. */
  readonly decided: number[] = []
  private readonly choose: (at: number) => number
  private acting = false
  private sent = 0
  private injected = 0
  /** The device was closed by another CPU; or that CPU waits in the middle of it for what stands still here. */
  closed = false
  private halfClosed = false

  constructor(spec: DriverSpec, choose: (at: number) => number) {
    this.t = new Testbed(spec, 1)
    this.choose = choose
    const { kernel } = this.t
    this.t.start({ txRing: 4, rxRing: 16 })
    noLimit(this.t.dev)
    this.t.dut.card?.slow?.(2 * US)
    kernel.preemptHook = (point) => this.passed(point)
  }

  /** One step of a scenario; the rest is left out once another CPU waits half way through closing. */
  step(fn: () => void): void {
    if (!this.halfClosed && !(this.closed && !netifRunning(this.t.dev))) fn()
  }

  send(count: number): void {
    for (let n = 0; n < count; n++) this.t.send(60, this.sent++)
  }

  frame(): void {
    if (this.t.cable.injectNow(testFrame(60, this.injected))) this.injected++
  }

  close(): void {
    const { t } = this
    if (this.closed) return
    try {
      onAnotherCpu(t.kernel, () => t.down())
      this.closed = true
    } finally {
      this.halfClosed = !netifRunning(t.dev) && (t.dev.flags & Iff.UP) !== 0
    }
  }

  private passed(point: string): void {
    // What happens at a point is over before the next decision.
    if (this.acting || this.halfClosed) return
    const choice = this.choose(this.decided.length)
    this.decided.push(choice)
    const action = ACTIONS[choice - 1]
    let said = `${point}: ${action?.name ?? 'nothing'}`
    this.acting = true
    try {
      action?.act(this)
    } catch (error) {
      if ((error as Error).name !== 'ScheduleBlocked') throw error
      said += ` (waits: ${(error as Error).message})`
    } finally {
      this.acting = false
      this.points.push(said)
    }
  }

  /** Runs the scenario, then looks whether all came through. Null when it did. */
  verdict(scenario: string): { rule: string; message: string } | null {
    try {
      SCENARIOS[scenario]!(this)
      if (!this.halfClosed) this.settle()
    } catch (error) {
      return {
        rule: 'CRASH',
        message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      }
    }
    const [first] = this.t.kernel.violations
    if (first !== undefined) return { rule: first.rule, message: first.message }
    return this.halfClosed ? null : this.complaint
  }

  private complaint: { rule: string; message: string } | null = null

  private settle(): void {
    const { t } = this
    // Long, but shorter than the watchdog, which would hide a queue that sleeps.
    t.run(SECOND)
    t.kernel.preemptHook = null
    if (!this.closed) this.count()
    else if (!netifRunning(t.dev)) t.up()
    const [wire, received] = [t.cable.wire.length, t.received.length]
    for (let n = 0; n < 3; n++) t.send(60, 0xffff)
    t.inject(1)
    t.run(100 * MS)
    this.blame(t.cable.wire.length - wire, 3, 'TXQ-05', 'frames sent afterwards')
    this.blame(t.received.length - received, 1, 'NAPI-13', 'frames received afterwards')
    t.destroy()
    for (const { kind, name } of t.leftovers())
      this.complaint ??= { rule: kind === 'skb' ? 'SKB-06' : 'LIFE-11', message: `left: ${kind} ${name}` }
  }

  private count(): void {
    const { t } = this
    const s = devGetStats(t.dev)
    this.blame(
      t.cable.wire.length + Number(s.txDropped + s.txErrors),
      this.sent,
      'TXQ-05',
      'frames that were sent, of those handed over',
    )
    this.blame(
      t.received.length + Number(s.rxDropped + s.rxErrors),
      this.injected,
      'NAPI-13',
      'frames that were received, of those the card took',
    )
    const order = t.cable.wire.map(frameNumber)
    if (order.some((n, i) => i > 0 && n <= order[i - 1]!))
      this.complaint ??= { rule: 'TXQ-12', message: `order on the wire: ${order.join()}` }
  }

  private blame(actual: number, expected: number, rule: string, what: string): void {
    if (actual !== expected) this.complaint ??= { rule, message: `${what}: ${actual}, expected ${expected}` }
  }
}

/** How {@link runRaces} runs. @kernel none */
export interface RaceOptions {
  readonly seed?: number
  /** Random schedules for each scenario. Default 60. */
  readonly random?: number
  /** At so many points all choices are tried. Default 3. */
  readonly depth?: number
  /** Ends when a schedule is found that breaks this rule. */
  readonly until?: string
}

/** What came of the schedules tried. @kernel none */
export interface RaceReport {
  readonly driver: string
  readonly runs: number
  /** The first schedule found for each rule. */
  readonly failures: readonly RaceFailure[]
  /** The points that were passed. */
  readonly points: ReadonlySet<string>
}

/**
 * Tries schedules on a driver: all choices at the first points, then random ones.
 *
 * @kernel none
 * @rule TXQ-05 TXQ-06 NAPI-13
 */
export function runRaces(spec: DriverSpec, options: RaceOptions = {}): RaceReport {
  const { seed = 1, random = 60, depth = 3, until = '' } = options
  const found = new Map<string, RaceFailure>()
  const points = new Set<string>()
  let runs = 0
  const attempt = (scenario: string, from: number | null, choose: (at: number) => number): void => {
    if (found.has(until)) return
    runs++
    const { failure, passed } = runOne(spec, scenario, from, choose)
    for (const point of passed) points.add(point.slice(0, point.indexOf(': ')))
    if (failure !== null && !found.has(failure.rule)) found.set(failure.rule, failure)
  }
  for (const scenario of RACE_SCENARIOS) {
    for (const prefix of prefixes(depth)) attempt(scenario, null, (at) => prefix[at] ?? 0)
    for (let n = 0; n < random; n++) {
      const from = seed + n
      const rng = new Rng(from)
      attempt(scenario, from, () => (rng.below(3) === 0 ? rng.below(RACE_CHOICES.length) : 0))
    }
  }
  return { driver: spec.name, runs, failures: [...found.values()], points }
}

/** Every list of `depth` choices. */
function prefixes(depth: number): number[][] {
  let all: number[][] = [[]]
  for (let n = 0; n < depth; n++)
    all = all.flatMap((list) => RACE_CHOICES.map((_name, choice) => [...list, choice]))
  return all
}

function runOne(
  spec: DriverSpec,
  scenario: string,
  seed: number | null,
  choose: (at: number) => number,
): { failure: RaceFailure | null; passed: readonly string[] } {
  const run = new RaceRun(spec, choose)
  const verdict = run.verdict(scenario)
  const { points, decided } = run
  const failure = verdict === null ? null : { ...verdict, scenario, seed, points, choices: trimmed(decided) }
  return { failure, passed: points }
}

/** Without the zeros at the end: they change nothing. */
function trimmed(choices: readonly number[]): number[] {
  const last = choices.findLastIndex((choice) => choice !== 0)
  return choices.slice(0, last + 1)
}

/**
 * Runs one schedule again, and tells of each event of the trace on the way.
 *
 * @returns what it breaks; null when it breaks nothing
 * @kernel none
 */
export function replayRace(
  spec: DriverSpec,
  schedule: RaceSchedule,
  onLine?: (line: string) => void,
): RaceFailure | null {
  if (!(schedule.scenario in SCENARIOS)) throw new RangeError(`no race scenario ${schedule.scenario}`)
  const run = new RaceRun(spec, (at) => schedule.choices[at] ?? 0)
  const { kernel } = run.t
  if (onLine !== undefined) {
    kernel.trace.on('*', (e) => {
      const fields = Object.entries(e.fields).map(([key, value]) => `${key}=${value}`)
      onLine(`${(e.time / 1e9).toFixed(9)} ${e.ctx} ${e.name} ${e.subject} ${fields.join(' ')}`.trimEnd())
    })
    const hook = kernel.preemptHook!
    kernel.preemptHook = (point) => {
      const before = run.points.length
      hook(point)
      if (run.points.length > before)
        onLine(`${(kernel.clock.ktimeGet() / 1e9).toFixed(9)} --- ${run.points.at(-1)!}`)
    }
  }
  const verdict = run.verdict(schedule.scenario)
  const { points, decided } = run
  return verdict === null
    ? null
    : { ...verdict, scenario: schedule.scenario, seed: null, points, choices: trimmed(decided) }
}

/** A failure as text: what broke, the seed, the choices, and the points they were made at. @kernel none */
export function formatRace({ rule, message, scenario, seed, choices, points }: RaceFailure): string {
  const from = seed === null ? 'found trying all choices' : `found with seed ${seed}`
  const made = points.filter((point) => !point.endsWith(': nothing'))
  const list = choices.join(' ')
  return [
    `${rule}: ${message}`,
    `  in '${scenario}', ${from}, choices: ${list}`,
    ...made.map((point) => `  at ${point}`),
  ].join('\n')
}

/** Defines a test that tries schedules on a driver, with any runner. @kernel none */
export function testRaces(runner: Runner, spec: DriverSpec, options: RaceOptions = {}): void {
  runner.describe(`${spec.name} under races on purpose`, () => {
    runner.it('keeps the rules in every schedule tried', () => {
      const { failures } = runRaces(spec, options)
      if (failures.length > 0) throw new Error(failures.map(formatRace).join('\n'))
    })
  })
}

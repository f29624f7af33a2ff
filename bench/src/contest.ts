import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Entry, Group, Target } from './groups.ts'
import type { Machine } from './machine.ts'
import { type Spread, spreadOf } from './stats.ts'

/** How long and how often. */
export interface Plan {
  readonly warmMs: number
  readonly roundMs: number
  readonly rounds: number
  /** Windows tried again when the machine took the processor away. */
  readonly retries: number
  readonly judge: boolean
}

export interface EntryResult extends Spread {
  readonly id: string
  readonly label: string
}

export interface TargetResult {
  readonly text: string
  readonly limit: number
  readonly least: boolean
  /** Whose time is divided by whose. */
  readonly of: string
  readonly by: string
  readonly ratio: Spread
  readonly met: boolean
}

export interface GroupResult {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly entries: readonly EntryResult[]
  readonly targets: readonly TargetResult[]
  /** Who could not take part, and why. */
  readonly skipped: readonly string[]
  /** Windows in which the processor was taken away, of all. */
  readonly preempted: number
  readonly windows: number
}

interface Answer {
  readonly ns: number
  readonly preempted: boolean | number
}

/** A process of a contestant, with which one talks line by line. */
class Player {
  readonly entry: Entry
  readonly times: number[] = []
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface
  #errors = ''

  constructor(entry: Entry, machine: Machine, dist: string) {
    this.entry = entry
    const [program, ...args] = command(entry, machine, dist)
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    // One that cannot even start closes its ends; `ask` finds out.
    this.#child.on('error', (error) => (this.#errors += error.message))
    this.#child.stdin!.on('error', () => {})
    this.#child.stderr!.on('data', (text: Buffer) => (this.#errors += text.toString()))
    this.#reader = createInterface({ input: this.#child.stdout! })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  async ask(line: string): Promise<Answer> {
    this.#child.stdin!.write(`${line}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.entry.label} (${this.entry.args.join(' ')}) ended:\n${this.#errors}`)
    return JSON.parse(value) as Answer
  }

  /** The contestant checks that its work was done, and ends. */
  async end(): Promise<void> {
    const closed = new Promise<number | null>((done) => this.#child.on('close', done))
    this.#child.stdin!.end()
    if ((await closed) !== 0) throw new Error(`${this.entry.label} failed:\n${this.#errors}`)
  }

  kill(): void {
    this.#child.kill()
  }
}

function command(entry: Entry, machine: Machine, dist: string): string[] {
  const pin = machine.pinned && !entry.threads ? ['taskset', '-c', String(machine.cpus - 1)] : []
  const first = machine.priority ? ['nice', '-n', '-20'] : []
  if (entry.program === 'c') return [...first, ...pin, `${dist}/${entry.args[0]!}`, ...entry.args.slice(1)]
  const bundle = entry.program === 'absent' ? `${dist}/absent/contestant.mjs` : `${dist}/contestant.mjs`
  return [...first, ...pin, process.execPath, bundle, ...entry.args]
}

/** Measures a group: everyone warms up, then they take turns. */
export async function contest(
  group: Group,
  plan: Plan,
  machine: Machine,
  dist: string,
): Promise<GroupResult> {
  const entries = group.entries.filter((e) => e.program !== 'c' || machine.gcc !== null)
  const players: Player[] = []
  const skipped: string[] = []
  let [windows, preempted] = [0, 0]
  try {
    for (const entry of entries) {
      const player = new Player(entry, machine, dist)
      if (await warmed(player, plan)) players.push(player)
      else skipped.push(`${entry.label}: left out, it needs ${entry.needs!}`)
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const player of players) {
        // Two threads are hardly ever both left alone.
        const retries = player.entry.threads ? Math.min(1, plan.retries) : plan.retries
        const answers: Answer[] = []
        do {
          answers.push(await player.ask(`round ${plan.roundMs}`))
          windows++
          if (answers.at(-1)!.preempted) preempted++
        } while (answers.at(-1)!.preempted && answers.length <= retries)
        player.times.push(Math.min(...answers.map((a) => a.ns)))
      }
    }
    for (const player of players) await player.end()
  } finally {
    for (const player of players) player.kill()
  }
  return {
    id: group.id,
    title: group.title,
    unit: group.unit,
    entries: players.map((p) => ({ id: p.entry.id, label: p.entry.label, ...spreadOf(p.times) })),
    targets: group.targets.flatMap((target) => judge(target, players)),
    skipped,
    windows,
    preempted,
  }
}

/** False when it could not even begin, and that may be. */
async function warmed(player: Player, plan: Plan): Promise<boolean> {
  try {
    await player.ask(`warm ${plan.warmMs}`)
    return true
  } catch (error) {
    player.kill()
    if (player.entry.needs === undefined) throw error
    return false
  }
}

/** The ratio is taken round by round, so that what slows the whole machine falls out. */
function judge(target: Target, players: readonly Player[]): TargetResult[] {
  const own = players.find((p) => p.entry.id === target.of)
  const rivals = players.filter((p) => target.by.includes(p.entry.id))
  if (own === undefined || rivals.length === 0) return []
  const by = rivals.reduce((best, p) => (spreadOf(p.times).median < spreadOf(best.times).median ? p : best))
  const least = target.least === true
  const ratio = spreadOf(own.times.map((t, i) => (least ? by.times[i]! / t : t / by.times[i]!)))
  const met = least ? ratio.median >= target.limit : ratio.median <= target.limit
  return [
    { text: target.text, limit: target.limit, least, of: own.entry.label, by: by.entry.label, ratio, met },
  ]
}

import { Rng } from '@vnet/kernel'
import { devGetStats, type RtnlLinkStats64 } from '@vnet/netdev'
import { countTaken, txAccount } from './checks/account.ts'
import { calmDown, drawOp, runOp, type SoakOp } from './soak-ops.ts'
import type { DriverSpec } from './spec.ts'
import { MS, SECOND, Testbed } from './testbed.ts'

/** Operations of one episode: a driver's life from loading to unloading. @kernel none */
export const EPISODE = 200
/** Frames that must pass at the end of an episode. */
const LAST_FRAMES = 5
/** Replays that shrinking a failure may take. */
const SHRINK_TRIES = 400

/** What went wrong, and the shortest way there that was found. @kernel none */
export interface SoakFailure {
  readonly seed: number
  /** The rule, or 'ERROR' for an exception. */
  readonly rule: string
  readonly message: string
  readonly ops: readonly SoakOp[]
  /** Operations before the list was shrunk. */
  readonly foundAfter: number
}

/** What an episode went through. @kernel none */
export interface EpisodeResult {
  readonly ops: readonly SoakOp[]
  readonly sent: number
  readonly received: number
  /** Simulated time, in ns. */
  readonly time: number
  readonly wrong: { readonly rule: string; readonly message: string } | null
}

/** The operations of an episode; the same for the same seed. @kernel none */
export function drawEpisode(spec: DriverSpec, seed: number, length = EPISODE): SoakOp[] {
  const rng = new Rng(seed)
  return Array.from({ length }, () => drawOp(rng, spec.supports ?? {}))
}

/**
 * Plays a list of operations on a fresh driver, with all rules watched, and looks after each whether something is
 * wrong: a rule the kernel saw broken, a counter that went back, a frame nobody accounts for, anything left behind,
 * and at the end whether frames still pass.
 *
 * @kernel none
 */
export function replaySoak(spec: DriverSpec, seed: number, ops: readonly SoakOp[]): EpisodeResult {
  const t = new Testbed(spec, seed)
  const watch = new Invariants(t)
  try {
    t.create()
    t.up()
    for (const op of ops) {
      if (op.op === 'reload') watch.forget()
      runOp(t, op)
      watch.look(op.op)
      if (watch.wrong !== null) break
    }
    if (watch.wrong === null) watch.lastTraffic()
    t.destroy()
    watch.nothingLeft()
  } catch (error) {
    watch.fail('ERROR', `${(error as Error).name}: ${(error as Error).message}`)
  }
  return {
    ops,
    sent: t.cable.counters.txFrames,
    received: t.cable.taken,
    time: t.kernel.clock.ktimeGet(),
    wrong: watch.wrong,
  }
}

/** What must hold whatever happens. */
class Invariants {
  wrong: { readonly rule: string; readonly message: string } | null = null
  private readonly t: Testbed
  private before: RtnlLinkStats64 | null = null
  private readonly taken: () => bigint
  private base = 0n

  constructor(t: Testbed) {
    this.t = t
    this.taken = countTaken(t)
  }

  fail(rule: string, message: string): void {
    this.wrong ??= { rule, message }
  }

  /** The driver is made anew: its counters begin again. */
  forget(): void {
    this.before = null
    this.base = this.taken()
  }

  look(after: string): void {
    const { t } = this
    const broken = t.kernel.violations[0]
    if (broken !== undefined) return this.fail(broken.rule, broken.message)
    const now = devGetStats(t.dev)
    const { before } = this
    this.before = now
    if (before === null) return
    for (const key of Object.keys(now) as (keyof RtnlLinkStats64)[]) {
      if (now[key] < before[key])
        this.fail('STAT-05', `${key} went back from ${before[key]} to ${now[key]} at ${after}`)
    }
  }

  /** Every trouble ends; then all must come to rest, add up, and frames must pass. */
  lastTraffic(): void {
    const { t } = this
    calmDown(t)
    t.run(30 * SECOND)
    this.look('the end')
    if (this.wrong !== null) return
    const accounted = txAccount(t.dev)
    const taken = this.taken() - this.base
    if (t.supports.completion && accounted !== taken)
      this.fail('STAT-13', `the driver took ${taken} frames and accounts for ${accounted}`)
    const [out, got] = [t.cable.wire.length, t.received.length]
    t.sendMany(LAST_FRAMES)
    for (let n = 0; n < LAST_FRAMES; n++) {
      t.inject(1)
      t.run(100 * MS)
    }
    if (t.cable.wire.length - out !== LAST_FRAMES)
      this.fail('TXQ-04', `at the end ${t.cable.wire.length - out} of ${LAST_FRAMES} frames went out`)
    if (t.received.length - got !== LAST_FRAMES)
      this.fail('RX-05', `at the end ${t.received.length - got} of ${LAST_FRAMES} frames came in`)
    this.look('the end')
  }

  nothingLeft(): void {
    const left = this.t.leftovers()
    if (left.length === 0) return
    const rule = left.some((e) => e.kind === 'skb') ? 'SKB-06' : 'LIFE-11'
    this.fail(rule, `left behind: ${left.map((e) => `${e.kind} ${e.name}`).join(', ')}`)
  }
}

/**
 * Plays the episode of a seed. A failure is shrunk: the shortest list of operations found that still breaks that rule.
 *
 * @kernel none
 */
export function soakEpisode(
  spec: DriverSpec,
  seed: number,
): EpisodeResult & { readonly failure: SoakFailure | null } {
  const result = replaySoak(spec, seed, drawEpisode(spec, seed))
  const { wrong } = result
  if (wrong === null) return { ...result, failure: null }
  const ops = shrink(spec, seed, result.ops, wrong.rule)
  const { message } = replaySoak(spec, seed, ops).wrong ?? wrong
  return { ...result, failure: { seed, rule: wrong.rule, message, ops, foundAfter: result.ops.length } }
}

/** Leaves out what can be left out: halves first, then smaller pieces, then single operations. */
function shrink(spec: DriverSpec, seed: number, all: readonly SoakOp[], rule: string): readonly SoakOp[] {
  let ops = all
  const budget = { tries: SHRINK_TRIES }
  for (let piece = Math.ceil(all.length / 2); piece > 0; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let at = 0; at < ops.length;) {
      const without = [...ops.slice(0, at), ...ops.slice(at + piece)]
      if (stillFails(spec, seed, without, rule, budget)) ops = without
      else at += piece
    }
  }
  return ops
}

function stillFails(
  spec: DriverSpec,
  seed: number,
  ops: readonly SoakOp[],
  rule: string,
  budget: { tries: number },
): boolean {
  if (budget.tries === 0) return false
  budget.tries--
  return replaySoak(spec, seed, ops).wrong?.rule === rule
}

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { Parallel } from '@vnet/kernel'
import type { Measure } from '../measures.ts'
import { spreadOf } from '../stats.ts'

/** As many machines as there are processors, each on a worker, against one: what a second core adds. */
export async function parallel(quick: boolean): Promise<Measure[]> {
  const n = cpus().length
  const packets = quick ? 20_000 : 1_500_000
  const rounds = quick ? 2 : 9
  const workers = Array.from(
    { length: n },
    () => new Worker(new URL('./parallel-worker.mjs', import.meta.url)),
  )
  const pool = (use: readonly Worker[]): Parallel =>
    new Parallel(
      use.map((worker) => ({
        send: (message) => worker.postMessage(message),
        receive: (fn) => void worker.on('message', fn),
      })),
    )
  const one = pool(workers.slice(0, 1))
  const all = pool(workers)
  const load = Array.from({ length: n }, () => packets)
  await all.map('loop', load)
  const gains: number[] = []
  for (let round = 0; round < rounds; round++) {
    const alone = await timed(() => one.run('loop', packets))
    const together = await timed(() => all.map('loop', load))
    gains.push((alone * n) / together)
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  const { median, low, high } = spreadOf(gains)
  const ceiling = await twinGain(n, quick)
  const note =
    ceiling === null
      ? ''
      : `; as many C models at once do ${ceiling.toFixed(2)} times the work of one, which is what this machine gives`
  const value = {
    id: 'parallel',
    label: `work of ${n} machines on ${n} workers, against one on one`,
    value: median,
    unit: 'x',
    note: `quartiles ${low.toFixed(2)} to ${high.toFixed(2)}${note}`,
  }
  if (n < 2) return [value]
  return [{ ...value, target: 'at least 1.6x one core', limit: 1.6, met: median >= 1.6 }]
}

async function timed(fn: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await fn()
  return performance.now() - start
}

/** The same question to the C twin: is the machine able to? */
async function twinGain(n: number, quick: boolean): Promise<number | null> {
  const program = new URL('./path', import.meta.url).pathname
  if (!existsSync(program)) return null
  const twins = Array.from({ length: n }, () => new Twin(program))
  const ms = quick ? 20 : 300
  await Promise.all(twins.map((t) => t.ask('warm 100')))
  const alone: number[] = []
  const together: number[] = []
  for (let round = 0; round < (quick ? 2 : 9); round++) {
    alone.push(await twins[0]!.ask(`round ${ms}`))
    together.push(...(await Promise.all(twins.map((t) => t.ask(`round ${ms}`)))))
  }
  for (const twin of twins) twin.end()
  return (n * spreadOf(alone).median) / spreadOf(together).median
}

class Twin {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(program: string) {
    this.#child = spawn(program, ['loop', '60', '32'], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  /** Nanoseconds a packet; NaN when the answer has none. */
  async ask(line: string): Promise<number> {
    this.#child.stdin!.write(`${line}\n`)
    const { value } = await this.#lines.next()
    return (JSON.parse(value as string) as { ns?: number }).ns ?? NaN
  }

  end(): void {
    this.#child.stdin!.end()
  }
}

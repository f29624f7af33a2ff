import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerSetup,
  hrtimerStart,
  Parallel,
  type ParallelChannel,
  type ParallelJobs,
  serveParallel,
} from '../src/index.ts'

/** Two ends in one thread; messages are copied and arrive later, as between threads. */
function pair(): [ParallelChannel, ParallelChannel] {
  const to: ((message: unknown) => void)[] = []
  const end = (own: number): ParallelChannel => ({
    send: (message) => {
      const copy = structuredClone(message)
      setTimeout(() => to[1 - own]!(copy), 0)
    },
    receive: (fn) => void (to[own] = fn),
  })
  return [end(0), end(1)]
}

function workers(count: number, jobs: ParallelJobs): Parallel {
  const channels = Array.from({ length: count }, () => {
    const [near, far] = pair()
    serveParallel(far, jobs)
    return near
  })
  return new Parallel(channels)
}

/** What a machine does with its seed: throws dice at times that the dice say. */
function dice(seed: number): number[] {
  const kernel = createKernel({ seed })
  const seen: number[] = []
  const timer = hrtimerSetup(
    kernel,
    () => {
      seen.push(kernel.clock.ktimeGet())
      if (seen.length < 5) hrtimerStart(timer, 1 + kernel.rng.below(1000))
    },
    'dice',
  )
  hrtimerStart(timer, 1)
  kernel.runFor(1e6)
  return seen
}

describe('machines over several workers', () => {
  it('gives the same results on one worker and on three, in the order asked for', async () => {
    const seeds = Array.from({ length: 20 }, (_, i) => i + 1)
    const direct = seeds.map(dice)
    expect(await workers(1, { dice }).map('dice', seeds)).toEqual(direct)
    expect(await workers(3, { dice }).map('dice', seeds)).toEqual(direct)
  })

  it('gives a worker one job at a time, and the next to whoever is free', async () => {
    let running = 0
    let most = 0
    const wait = async (ms: number): Promise<number> => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, ms))
      running--
      return ms
    }
    const parallel = workers(2, { wait })
    const all = parallel.map('wait', [20, 1, 1, 1, 1])
    expect(parallel.pending).toBe(5)
    expect(parallel.workers).toBe(2)
    expect(await all).toEqual([20, 1, 1, 1, 1])
    expect(most).toBe(2)
    expect(parallel.pending).toBe(0)
  })

  it('rejects with what the job threw, and the worker goes on', async () => {
    const parallel = workers(1, {
      fail: () => {
        throw new TypeError('no such card')
      },
      fine: () => 1,
    })
    await expect(parallel.run('fail', null)).rejects.toMatchObject({
      name: 'TypeError',
      message: 'no such card',
    })
    await expect(parallel.run('toString', null)).rejects.toThrow("no job 'toString' in this worker")
    expect(await parallel.run('fine', null)).toBe(1)
    expect(() => new Parallel([])).toThrow(RangeError)
  })

  it('works between real threads', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { parentPort } from 'node:worker_threads'
          import { createKernel, serveParallel } from './src/index.ts'
          const channel = { send: (m) => parentPort.postMessage(m), receive: (fn) => parentPort.on('message', fn) }
          serveParallel(channel, { first: (seed) => createKernel({ seed }).rng.u32() })`,
        resolveDir: fileURLToPath(new URL('..', import.meta.url)),
      },
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
    })
    const threads = [0, 1].map(() => new Worker(outputFiles[0]!.text, { eval: true }))
    const parallel = new Parallel(
      threads.map((worker) => ({
        send: (message) => worker.postMessage(message),
        receive: (fn) => worker.on('message', fn),
      })),
    )
    const seeds = [1, 2, 3, 4, 5, 6]
    const expected = seeds.map((seed) => createKernel({ seed }).rng.u32())
    expect(await parallel.map('first', seeds)).toEqual(expected)
    await Promise.all(threads.map((worker) => worker.terminate()))
  })
})

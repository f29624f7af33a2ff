import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { loop } from '../contestants/path.ts'
import { type Measure, atMost } from '../measures.ts'

const BURST = 32
const packets = (quick: boolean): number => (quick ? 320_000 : 10_000_000)
const rig = () => loop(['60', String(BURST)])

/** Heap used before and after: nothing is collected in between, so what is left over is what was allocated. */
export async function alloc(quick: boolean): Promise<Measure[]> {
  const c = await rig()
  c.run(20_000)
  const n = packets(quick)
  globalThis.gc!()
  const before = process.memoryUsage().heapUsed
  c.run(n / BURST)
  const bytes = process.memoryUsage().heapUsed - before
  c.verify!()
  const target = 'under 1 byte a packet'
  return [
    atMost(
      {
        id: 'alloc',
        label: `heap allocated a packet, loop, ${n / 1e6} million`,
        value: Math.max(0, bytes / n),
        unit: 'B',
        target,
      },
      1,
    ),
  ]
}

/** The same with V8 as it is: how long its pauses are. */
export async function collections(quick: boolean): Promise<Measure[]> {
  const c = await rig()
  c.run(20_000)
  const pauses: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) pauses.push(entry.duration)
  })
  observer.observe({ entryTypes: ['gc'] })
  c.run(packets(quick) / BURST)
  await sleep(50)
  observer.disconnect()
  c.verify!()
  const longest = Math.max(0, ...pauses)
  return [
    { id: 'gc-count', label: 'collections', value: pauses.length, unit: 'in the run' },
    atMost({ id: 'gc-pause', label: 'longest pause', value: longest, unit: 'ms', target: 'under 1 ms' }, 1),
  ]
}

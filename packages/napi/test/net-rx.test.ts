import { createKernel, type Kernel, openSoftirq, Softirq, udelay } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { napiEnable, softnet } from '../src/index.ts'
import { settle, Source, started } from './source.ts'

const FLOOD = 1e9

/** Sources that never run empty, all raised at once. */
function flooded(kernel: Kernel, weights: number[]): Source[] {
  const sources = weights.map((weight, i) => new Source(kernel, `src${i}`, { weight }))
  for (const s of sources) napiEnable(s.napi)
  kernel.hardware(() => {
    for (const s of sources) {
      s.backlog = FLOOD
      kernel.irq.pulse(s.irq)
    }
  })
  return sources
}

describe('the NET_RX softirq', () => {
  it('NAPI-17 stops after 300 items and goes on in the next run', () => {
    const { kernel, source } = started()
    const runs: number[] = []
    kernel.trace.on('irq:softirq_exit', (e) => {
      if (e.subject === 'NET_RX') runs.push(source.handled)
    })
    source.arrive(700)
    settle(kernel)
    // One instance fills a run alone: each poll of 64 ends the run, because nobody else is on the list.
    expect(runs.slice(0, 3)).toEqual([64, 128, 192])
    expect(source.handled).toBe(700)
    expect(softnet(kernel).timeSqueeze).toBe(0)
  })

  it('NAPI-17 counts a squeeze when the budget is used up, and nobody is forgotten', () => {
    const kernel = createKernel()
    const sources = Array.from({ length: 8 }, (_, i) => new Source(kernel, `src${i}`))
    for (const s of sources) napiEnable(s.napi)
    const afterRun: number[] = []
    kernel.trace.on('irq:softirq_exit', (e) => {
      if (e.subject === 'NET_RX') afterRun.push(sources.reduce((sum, s) => sum + s.handled, 0))
    })
    kernel.hardware(() => sources.forEach((s) => s.arrive(100)))
    settle(kernel)
    expect(afterRun[0]).toBe(320)
    expect(softnet(kernel).timeSqueeze).toBeGreaterThan(0)
    expect(sources.map((s) => s.handled)).toEqual(sources.map(() => 100))
  })

  it('NAPI-17 stops after two ticks, however little was done', () => {
    const { kernel, source } = started({ hz: 250 })
    const other = new Source(kernel, 'other0')
    napiEnable(other.napi)
    source.onPoll = () => udelay(kernel, 9000)
    kernel.hardware(() => {
      source.arrive(1)
      other.arrive(1)
    })
    settle(kernel)
    expect(softnet(kernel).timeSqueeze).toBe(1)
    expect([source.handled, other.handled]).toEqual([1, 1])
  })

  it('NAPI-17 obeys a budget set by hand', () => {
    const kernel = createKernel()
    softnet(kernel).netdevBudget = 10
    softnet(kernel).netdevBudgetJiffies = 100
    const sources = [new Source(kernel, 'a'), new Source(kernel, 'b')]
    for (const s of sources) napiEnable(s.napi)
    kernel.hardware(() => sources.forEach((s) => s.arrive(10)))
    settle(kernel)
    expect(softnet(kernel).timeSqueeze).toBe(2)
  })

  it('NAPI-18 flooded instances of the same weight advance by the same amount, however many', () => {
    for (const count of [2, 3, 7]) {
      const kernel = createKernel()
      const sources = flooded(kernel, new Array<number>(count).fill(64))
      for (let i = 0; i < 50; i++) kernel.step()
      const shares = sources.map((s) => s.handled)
      expect(Math.min(...shares)).toBeGreaterThan(64 * 20)
      expect(Math.max(...shares) / Math.min(...shares)).toBeLessThan(1.05)
      expect(softnet(kernel).timeSqueeze > 0).toBe(count > 4)
    }
  })

  it('NAPI-18 shares follow the weights', () => {
    const kernel = createKernel()
    const [light, heavy] = flooded(kernel, [16, 64]) as [Source, Source]
    for (let i = 0; i < 50; i++) kernel.step()
    expect(heavy.handled / light.handled).toBeCloseTo(4, 0)
  })

  it('NAPI-18 a late-comer is polled before those that used their whole weight', () => {
    const { kernel, source } = started()
    const late = new Source(kernel, 'late0')
    napiEnable(late.napi)
    const order: string[] = []
    source.onPoll = () => {
      if (order.push('flooded') === 1) late.arrive(1)
    }
    late.onPoll = () => order.push('late')
    kernel.trace.on('irq:softirq_exit', () => order.push('|'))
    source.arrive(130)
    settle(kernel)
    // As in Linux, a run ends when only those are left that used their weight; who came meanwhile is first in the next.
    expect(order).toEqual(['flooded', '|', 'late', 'flooded', '|', 'flooded', '|'])
  })

  it('a flood hands over to ksoftirqd, so that time goes on', () => {
    const kernel = createKernel()
    const [source] = flooded(kernel, [64]) as [Source]
    let ticks = 0
    openSoftirq(kernel, Softirq.TIMER, () => ticks++)
    kernel.softirq.raise(Softirq.TIMER)
    kernel.step()
    expect(kernel.softirq.ksoftirqdWakes).toBeGreaterThan(0)
    expect(ticks).toBe(1)
    expect(source.handled).toBeLessThan(FLOOD)
  })
})

import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  __napiSchedule,
  devSetThreaded,
  napiBusyLoop,
  napiComplete,
  napiCompleteDone,
  napiDisable,
  napiEnable,
  type NapiPoll,
  softnet,
} from '../src/index.ts'
import { rules, settle, Source, started, withPoller } from './source.ts'

/** The whole contract holds in both modes (COAL-08). */
describe.each([
  ['softirq', false],
  ['thread', true],
])('the poll contract, polled by %s', (_name, threaded) => {
  const good = () => {
    const env = started()
    if (threaded) devSetThreaded(env.source.napi, true)
    return env
  }
  const bad = (poll: NapiPoll) => {
    const env = withPoller(poll)
    if (threaded) devSetThreaded(env.napi, true)
    return env
  }

  it('CTX-04 polls in softirq context, or in its thread with softirqs off', () => {
    const { kernel, source } = good()
    const seen: string[] = []
    source.onPoll = () => seen.push(`${kernel.ctx} ${kernel.cpu.bhDepth}`)
    source.arrive(1)
    settle(kernel)
    expect(seen).toEqual([threaded ? 'process 1' : 'softirq 0'])
  })

  it('NAPI-05 returns exactly the budget while items are left', () => {
    const { kernel, source } = good()
    source.arrive(65)
    settle(kernel)
    expect(source.polls).toEqual([64, 1])
    expect(source.masked).toBe(false)
  })

  it('NAPI-07 exactly the budget and nothing left: one more poll finds nothing', () => {
    const { kernel, source } = good()
    source.arrive(64)
    settle(kernel)
    expect(source.polls).toEqual([64, 0])
  })

  it('NAPI-07 exactly the budget and nothing left: or complete, and return one less', () => {
    let polls = 0
    const { kernel, source } = bad((n, budget) => {
      polls++
      return napiCompleteDone(n, budget) ? budget - 1 : budget - 1
    })
    source.arrive(64)
    settle(kernel)
    expect(polls).toBe(1)
    expect(rules(kernel)).toEqual([])
  })

  it('NAPI-02 reports more work than the budget', () => {
    let left = 2
    const { kernel, source } = bad((n, budget) => (left-- > 0 ? budget + 1 : (napiComplete(n), 0)))
    source.arrive(1)
    settle(kernel)
    expect(rules(kernel)).toEqual(['NAPI-02', 'NAPI-02'])
    expect(kernel.violations[0]!.message).toContain('returned 65, exceeding its budget of 64')
    expect(softnet(kernel).processed).toBe(128)
  })

  it.each([-1, NaN])('NAPI-02 reports %s as work', (work) => {
    const { kernel, source } = bad((n) => (napiComplete(n), work))
    source.arrive(1)
    settle(kernel)
    expect(rules(kernel)).toEqual(['NAPI-02'])
    expect(source.napi.stats.work).toBe(0)
  })

  it('NAPI-06 reports less than the budget without completing: the instance is stuck', () => {
    let polls = 0
    const { kernel, source, napi } = bad(() => (polls++, 3))
    source.arrive(1)
    settle(kernel)
    source.arrive(1)
    settle(kernel)
    expect(rules(kernel)).toEqual(['NAPI-06'])
    expect(polls).toBe(1)
    // It can still be stopped, and is not reported a second time.
    napiDisable(napi)
    expect(rules(kernel)).toEqual(['NAPI-06'])
  })

  it('NAPI-08 reports completing and returning the whole budget', () => {
    let polls = 0
    const { kernel, source } = bad((n, budget) => (polls++, napiCompleteDone(n, budget), budget))
    source.arrive(1)
    settle(kernel)
    expect(rules(kernel)).toEqual(['NAPI-08'])
    expect(polls).toBe(1)
  })

  it('NAPI-12 reports a poll that puts itself up for polling, whatever it returns', () => {
    for (const work of [0, 64]) {
      let first = true
      const { kernel, source } = bad((n) => {
        if (!first) return (napiComplete(n), 0)
        first = false
        // Owned, so the bit is set, but it is not for the poll to do.
        __napiSchedule(n)
        return work
      })
      source.arrive(1)
      settle(kernel)
      expect(rules(kernel)[0]).toBe('NAPI-12')
    }
  })

  it('CTX-04 reports completing what one does not own', () => {
    const { kernel, source } = bad((n) => (napiComplete(n), napiComplete(n), 0))
    source.arrive(1)
    settle(kernel)
    expect(rules(kernel)).toEqual(['CTX-04'])
  })

  it('CTX-04 reports a driver that polls by itself, without a schedule', () => {
    const { kernel, source } = good()
    expect(() => source.pollOnce(source.napi, 64)).toThrow('completed by someone who does not own it')
    expect(rules(kernel)).toEqual(['CTX-04'])
  })

  it('NAPI-01 reports completing while disabled', () => {
    const { kernel, napi } = bad(() => 0)
    napiDisable(napi)
    expect(napiComplete(napi)).toBe(false)
    expect(rules(kernel)).toEqual(['NAPI-01'])
  })

  it('an exception in a poll leaves the others working and the instance ready to be stopped', () => {
    const kernel = createKernel()
    const broken = new Source(kernel, 'broken0', {}, {}, () => {
      throw new Error('oops')
    })
    const fine = new Source(kernel, 'fine0')
    for (const s of [broken, fine]) {
      napiEnable(s.napi)
      if (threaded) devSetThreaded(s.napi, true)
    }
    const both = () => {
      kernel.hardware(() => [broken, fine].forEach((s) => ((s.backlog = 1), kernel.irq.pulse(s.irq))))
      settle(kernel)
    }
    expect(both).toThrow('oops')
    settle(kernel)
    expect(fine.polls).toEqual([1])
    napiDisable(broken.napi)
    napiEnable(broken.napi)
  })
})

describe('NAPI-09 someone else polls right after completing', () => {
  it('the polls interleave and each is judged by its own end', () => {
    const { kernel, source } = started()
    let hooks = 0
    kernel.preemptHook = (point) => {
      if (point !== 'napi:after-complete' || hooks++ > 0) return
      source.backlog += 70
      // Another CPU: it takes the instance and polls it, while the first poll has not returned yet.
      expect(napiBusyLoop(source.napi, () => true, 64)).toBe(70)
    }
    source.arrive(3)
    settle(kernel)
    expect(hooks).toBeGreaterThan(1)
    expect(source.polls).toEqual([3, 64, 6])
    expect(rules(kernel)).toEqual([])
    expect(source.napi.depth).toBe(0)
  })
})

describe('tracing and counting', () => {
  it('napi:napi_poll tells owner, work and budget', () => {
    const { kernel, source } = started({}, { weight: 16 })
    const seen: unknown[] = []
    kernel.trace.on('napi:*', (e) => seen.push([e.name, e.subject, e.fields]))
    source.arrive(20)
    expect(seen).toEqual([
      ['napi:napi_poll', 'src0', { work: 16, budget: 16 }],
      ['napi:napi_poll', 'src0', { work: 4, budget: 16 }],
    ])
  })

  it('polls on behalf of the module that added the instance', () => {
    const kernel = createKernel()
    kernel.currentModule = 'mod'
    const source = new Source(kernel)
    kernel.currentModule = null
    napiEnable(source.napi)
    const modules: (string | null)[] = []
    source.onPoll = () => modules.push(kernel.currentModule)
    source.arrive(1)
    expect(modules).toEqual(['mod'])
    expect(kernel.currentModule).toBe(null)
  })

  it('adds up', () => {
    const { kernel, source } = started()
    source.arrive(100)
    source.arrive(1)
    const { stats } = source.napi
    expect(stats).toMatchObject({
      polls: 3,
      work: 101,
      scheduled: 2,
      completed: 2,
      deferred: 0,
      busyPolls: 0,
    })
    expect(softnet(kernel).processed).toBe(101)
  })
})

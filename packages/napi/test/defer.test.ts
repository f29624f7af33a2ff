import { localBhDisable, localBhEnable } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { napiStateNames } from '../src/index.ts'
import { settle, started } from './source.ts'

const US = 1000

/** Runs long enough for every deferral to end. */
const later = (env: ReturnType<typeof started>) => env.kernel.runFor(1000 * US)

describe('interrupt deferral', () => {
  it.each([1, 2, 5])('COAL-03 with %i: that many empty polls on the timer before unmasking', (defer) => {
    const env = started()
    const { source } = env
    source.napi.deferHardIrqs = defer
    source.napi.groFlushTimeout = 20 * US
    source.arrive(3)
    expect(source.masked).toBe(true)
    later(env)
    expect(source.polls).toEqual([3, ...new Array<number>(defer).fill(0)])
    expect(source.times).toEqual(Array.from({ length: defer + 1 }, (_, i) => i * 20 * US))
    expect(source.masked).toBe(false)
    expect(source.napi.stats).toMatchObject({ deferred: defer, completed: 1, timerFired: defer })
  })

  it('COAL-03 a poll that finds work starts the count again, and no interrupt is needed', () => {
    const env = started()
    const { source } = env
    source.napi.deferHardIrqs = 2
    source.napi.groFlushTimeout = 20 * US
    source.arrive(1)
    env.kernel.runFor(30 * US)
    source.arrive(1)
    later(env)
    expect(source.polls).toEqual([1, 0, 1, 0, 0])
    expect(source.interrupts).toBe(1)
  })

  it.each([
    ['neither', 0, 0],
    ['the count alone', 2, 0],
    ['the timeout alone', 0, 20 * US],
  ])('COAL-04 %s defers nothing', (_what, defer, timeout) => {
    const env = started()
    const { source } = env
    source.napi.deferHardIrqs = defer
    source.napi.groFlushTimeout = timeout
    source.arrive(1)
    expect(source.masked).toBe(false)
    later(env)
    expect(source.polls).toEqual([1])
  })

  it('COAL-04 the timeout alone lets the hook hold items, and unmasks at once', () => {
    const env = started()
    const { source } = env
    const flushes: boolean[] = []
    const hook = { count: 0, flush: (old: boolean) => void flushes.push(old) }
    source.napi.flushHook = hook
    source.napi.groFlushTimeout = 20 * US
    source.onPoll = () => (hook.count = flushes.length === 0 ? 2 : 0)
    source.arrive(1)
    // Only old ones are given on now; the timer polls once more and gives on the rest.
    expect([source.masked, flushes]).toEqual([false, [true]])
    later(env)
    expect(flushes).toEqual([true, false])
    expect(source.times).toEqual([0, 20 * US])
  })

  it('COAL-04 the timeout alone starts no timer when nothing is held', () => {
    const env = started()
    const { source } = env
    source.napi.flushHook = { count: 0, flush: () => {} }
    source.napi.groFlushTimeout = 20 * US
    source.arrive(1)
    expect(env.kernel.census.take().map((e) => e.kind)).not.toContain('hrtimer')
  })

  it('COAL-05 the timer polls without setting MISSED', () => {
    const env = started()
    const { source } = env
    source.napi.deferHardIrqs = 1
    source.napi.groFlushTimeout = 20 * US
    const states: string[] = []
    source.onPoll = () => states.push(napiStateNames(source.napi.state))
    source.arrive(1)
    later(env)
    expect(states).toEqual(['SCHED|LISTED', 'SCHED|LISTED'])
    expect(source.napi.stats.missed).toBe(0)
  })

  it('COAL-05 the timer leaves an instance alone that is owned already', () => {
    const env = started()
    const { source, kernel } = env
    source.napi.deferHardIrqs = 1
    source.napi.groFlushTimeout = 20 * US
    source.arrive(1)
    source.masked = false
    // It expires while the interrupt's own schedule waits.
    kernel.runFor(19 * US)
    localBhDisable(kernel)
    source.arrive(1)
    while (kernel.step());
    localBhEnable(kernel)
    settle(kernel)
    expect(source.napi.stats).toMatchObject({ missed: 0 })
    expect(source.handled).toBe(2)
  })
})

describe('the flush hook', () => {
  const hooked = (hz: number) => {
    const env = started({ hz })
    const flushes: boolean[] = []
    env.source.napi.flushHook = { count: 0, flush: (old) => void flushes.push(old) }
    return { ...env, flushes }
  }

  it('gives on everything when polling ends without a timer', () => {
    const { source, flushes } = hooked(250)
    source.arrive(1)
    expect(flushes).toEqual([false])
  })

  it.each([
    [250, false],
    [1000, true],
  ])('between polls at %i ticks a second, old ones only: %s', (hz, old) => {
    const { source, flushes } = hooked(hz)
    source.arrive(70)
    expect(flushes).toEqual([old, false])
  })
})

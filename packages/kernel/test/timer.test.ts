import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerSetup,
  hrtimerStart,
  localBhDisable,
  localBhEnable,
  modTimer,
  timerDelete,
  timerDeleteSync,
  timerPending,
  timerSetup,
} from '@vnet/kernel'
import { broken } from './broken.ts'

const TICK = 4_000_000

describe('timer', () => {
  it('runs in softirq context at the tick it was armed for, once', () => {
    const kernel = createKernel()
    const seen: unknown[] = []
    const timer = timerSetup(
      kernel,
      (t) => seen.push([kernel.ctx, kernel.clock.ktimeGet(), t === timer]),
      'vnet0',
    )
    expect(timerPending(timer)).toBe(false)
    expect(modTimer(timer, 5)).toBe(false)
    expect(timerPending(timer)).toBe(true)
    expect(timer.expires).toBe(5)
    kernel.runFor(5 * TICK - 1)
    expect(seen).toEqual([])
    kernel.runFor(1)
    expect(seen).toEqual([['softirq', 5 * TICK, true]])
    kernel.runFor(100 * TICK)
    expect(seen.length).toBe(1)
    expect(kernel.ctx).toBe('process')
  })
  it('moves when armed again, and says whether it was armed', () => {
    const kernel = createKernel()
    let at = -1
    const timer = timerSetup(kernel, () => (at = kernel.clock.jiffies), 'x')
    modTimer(timer, 5)
    expect(modTimer(timer, 9)).toBe(true)
    expect(modTimer(timer, 3)).toBe(true)
    kernel.runFor(20 * TICK)
    expect(at).toBe(3)
  })
  it('armed for a tick that is past runs at the next one, so one that re-arms itself cannot stop time', () => {
    const kernel = createKernel()
    kernel.runFor(10 * TICK + 1)
    const ticks: number[] = []
    const timer = timerSetup(
      kernel,
      (t) => {
        ticks.push(kernel.clock.ktimeGet() / TICK)
        modTimer(t, 0)
      },
      'x',
    )
    modTimer(timer, kernel.clock.jiffies)
    kernel.runFor(3 * TICK)
    expect(ticks).toEqual([11, 12, 13])
  })
  it('deleted in time does not run', () => {
    const kernel = createKernel()
    const timer = timerSetup(kernel, () => expect.unreachable(), 'x')
    modTimer(timer, 5)
    expect(timerDelete(timer)).toBe(true)
    expect(timerDelete(timer)).toBe(false)
    modTimer(timer, 5)
    expect(timerDeleteSync(timer)).toBe(true)
    expect(timerPending(timer)).toBe(false)
    kernel.runFor(10 * TICK)
  })
  it('waits while softirqs are off, can be deleted or moved meanwhile, and runs when they are on again', () => {
    const kernel = createKernel()
    const seen: string[] = []
    const make = (name: string) => timerSetup(kernel, () => seen.push(name), name)
    const [a, b, c] = [make('a'), make('b'), make('c')]
    for (const timer of [a, b, c]) modTimer(timer, 1)
    localBhDisable(kernel)
    while (kernel.step());
    expect(seen).toEqual([])
    expect(timerPending(a)).toBe(true)
    expect(timerDelete(b)).toBe(true)
    expect(modTimer(c, 7)).toBe(true)
    localBhEnable(kernel)
    expect(seen).toEqual(['a'])
    kernel.runFor(10 * TICK)
    expect(seen).toEqual(['a', 'c'])
  })
  it('an exception in one timer leaves the kernel usable and the other timers due', () => {
    const kernel = createKernel()
    const seen: string[] = []
    const bad = timerSetup(kernel, () => kernel.warnOn('WDT-01', 'no'), 'bad')
    const good = timerSetup(kernel, () => seen.push('good'), 'good')
    modTimer(bad, 1)
    modTimer(good, 1)
    localBhDisable(kernel)
    while (kernel.step());
    expect(broken(() => localBhEnable(kernel))).toBe('WDT-01 no')
    expect(kernel.ctx).toBe('process')
    kernel.runFor(0)
    expect(seen).toEqual(['good'])
  })
  it('STOP-01 reports timerDeleteSync from inside the timer itself', () => {
    const kernel = createKernel()
    const timer = timerSetup(kernel, (t) => timerDeleteSync(t), 'vnet0')
    modTimer(timer, 1)
    expect(broken(() => kernel.runFor(TICK))).toBe(
      'STOP-01 timerDeleteSync(vnet0) waits for the timer it is called from',
    )
  })
  it('CTX-06 reports timerDeleteSync in an interrupt handler', () => {
    const kernel = createKernel()
    const timer = timerSetup(kernel, () => {}, 'vnet0')
    const hr = hrtimerSetup(kernel, () => timerDeleteSync(timer), 'x')
    hrtimerStart(hr, 1)
    expect(broken(() => kernel.runFor(1))).toBe('CTX-06 timerDeleteSync(vnet0) in an interrupt handler')
  })
  it('refuses the end of time', () => {
    const kernel = createKernel()
    const timer = timerSetup(kernel, () => {}, 'x')
    expect(() => modTimer(timer, Infinity)).toThrow(RangeError)
  })
  it('runs on behalf of the module that set it up, and is listed for it', () => {
    const kernel = createKernel()
    let during: string | null = null
    kernel.currentModule = 'vnet'
    const timer = timerSetup(kernel, () => (during = kernel.currentModule), 'vnet0')
    kernel.currentModule = null
    modTimer(timer, 1)
    expect(kernel.census.take()).toEqual([{ kind: 'timer', name: 'vnet0', module: 'vnet' }])
    kernel.runFor(TICK)
    expect(during).toBe('vnet')
    expect(kernel.currentModule).toBeNull()
    expect(kernel.census.take()).toEqual([])
  })
})

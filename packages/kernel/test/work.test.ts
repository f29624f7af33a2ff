import { describe, expect, it } from 'vitest'
import {
  cancelWork,
  cancelWorkSync,
  createKernel,
  flushWork,
  localBhDisable,
  localBhEnable,
  msleep,
  scheduleDelayedWork,
  scheduleWork,
  workPending,
  workSetup,
  mightSleep,
} from '@vnet/kernel'
import { broken } from './broken.ts'

describe('work', () => {
  it('runs once, later, in process context, where it may sleep', () => {
    const kernel = createKernel()
    const seen: unknown[] = []
    const work = workSetup(
      kernel,
      (w) => {
        msleep(kernel, 3)
        seen.push([kernel.ctx, kernel.clock.ktimeGet(), w === work])
      },
      'x',
    )
    expect(scheduleWork(work)).toBe(true)
    expect(scheduleWork(work)).toBe(false)
    expect([seen.length, workPending(work)]).toEqual([0, true])
    kernel.runFor(1e7)
    expect(seen).toEqual([['process', 3e6, true]])
    expect(workPending(work)).toBe(false)
  })
  it('queued from inside itself it runs once more', () => {
    const kernel = createKernel()
    let runs = 0
    const work = workSetup(
      kernel,
      () => {
        if (++runs < 3) expect(scheduleWork(work)).toBe(true)
      },
      'x',
    )
    scheduleWork(work)
    kernel.runFor(0)
    expect(runs).toBe(3)
  })
  it('does not run a second time while it sleeps', () => {
    const kernel = createKernel()
    const log: string[] = []
    const work = workSetup(
      kernel,
      () => {
        log.push('begin')
        if (log.length === 1) {
          scheduleWork(work)
          msleep(kernel, 1)
        }
        log.push('end')
      },
      'x',
    )
    scheduleWork(work)
    kernel.runFor(1e7)
    expect(log).toEqual(['begin', 'end', 'begin', 'end'])
  })
  it('others run while one sleeps', () => {
    const kernel = createKernel()
    const log: string[] = []
    const a = workSetup(
      kernel,
      () => {
        log.push('a begins')
        msleep(kernel, 1)
        log.push('a ends')
      },
      'a',
    )
    const b = workSetup(kernel, () => log.push('b'), 'b')
    scheduleWork(a)
    scheduleWork(b)
    kernel.runFor(1e7)
    expect(log).toEqual(['a begins', 'b', 'a ends'])
  })
  it('delayed, it runs after so many ticks', () => {
    const kernel = createKernel()
    let at = -1
    const work = workSetup(kernel, () => (at = kernel.clock.ktimeGet()), 'x')
    expect(scheduleDelayedWork(work, 25)).toBe(true)
    expect(scheduleDelayedWork(work, 1)).toBe(false)
    kernel.runFor(1e9)
    expect(at).toBe(100e6)
  })
  it('stepped over while the CPU is busy it waits, can be cancelled, and runs when the CPU is free', () => {
    const kernel = createKernel()
    const log: string[] = []
    const a = workSetup(kernel, () => log.push('a'), 'a')
    const b = workSetup(kernel, () => log.push('b'), 'b')
    scheduleWork(a)
    scheduleWork(b)
    localBhDisable(kernel)
    expect(kernel.step()).toBe(false)
    expect(kernel.census.take().map((entry) => entry.name)).toEqual(['a', 'b'])
    localBhEnable(kernel)
    expect(cancelWorkSync(a)).toBe(true)
    expect(kernel.step()).toBe(true)
    expect(log).toEqual(['b'])
    expect(kernel.step()).toBe(false)
  })
  it('cancelled it does not run; flushed it runs now', () => {
    const kernel = createKernel()
    let runs = 0
    const work = workSetup(kernel, () => runs++, 'x')
    expect(cancelWorkSync(work)).toBe(false)
    scheduleWork(work)
    expect(cancelWorkSync(work)).toBe(true)
    scheduleWork(work)
    expect([cancelWork(work), cancelWork(work)]).toEqual([true, false])
    expect(flushWork(work)).toBe(false)
    scheduleWork(work)
    expect(flushWork(work)).toBe(true)
    expect(runs).toBe(1)
    kernel.runFor(0)
    expect(runs).toBe(1)
  })
  it('STOP-01 reports waiting for a work from inside it', () => {
    for (const wait of [cancelWorkSync, flushWork]) {
      const kernel = createKernel()
      const work = workSetup(kernel, (w) => wait(w), 'vnet0')
      scheduleWork(work)
      expect(broken(() => kernel.runFor(0))).toBe(
        `STOP-01 ${wait.name}(vnet0) waits for the work it is called from`,
      )
    }
  })
  it('CTX-02 reports waiting for a work where sleeping is not allowed', () => {
    const kernel = createKernel()
    const work = workSetup(kernel, () => {}, 'vnet0')
    localBhDisable(kernel)
    expect(broken(() => cancelWorkSync(work))).toContain('CTX-02 cancelWorkSync')
    expect(broken(() => flushWork(work))).toContain('CTX-02 flushWork')
  })
  it('an exception leaves the CPU free for the next', () => {
    const kernel = createKernel()
    const work = workSetup(
      kernel,
      () => {
        localBhDisable(kernel)
        kernel.warnOn('CTX-01', 'no')
      },
      'x',
    )
    scheduleWork(work)
    expect(broken(() => kernel.step())).toBe('CTX-01 no')
    mightSleep(kernel, 'the next')
    expect(work.running).toBe(false)
  })
})

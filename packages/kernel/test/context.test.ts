import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerSetup,
  hrtimerStart,
  inHardirq,
  inSoftirq,
  inTask,
  irqsDisabled,
  localBhDisable,
  localIrqRestore,
  localIrqSave,
  maySleep,
  mightSleep,
  modTimer,
  msleep,
  rcuReadLock,
  rcuReadUnlock,
  timerSetup,
  workSetup,
  scheduleWork,
} from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { broken } from './broken.ts'

/** What is said of the CPU in process, softirq and hardirq context. */
function facts(kernel: Kernel) {
  return [
    kernel.ctx,
    inTask(kernel),
    inSoftirq(kernel),
    inHardirq(kernel),
    irqsDisabled(kernel),
    maySleep(kernel),
  ]
}

describe('contexts', () => {
  it('are told apart', () => {
    const kernel = createKernel()
    const seen: unknown[] = []
    const note = () => seen.push(facts(kernel))
    note()
    modTimer(timerSetup(kernel, note, 'soft'), 1)
    hrtimerStart(hrtimerSetup(kernel, note, 'hard'), 1)
    scheduleWork(workSetup(kernel, note, 'work'))
    kernel.runFor(1e9)
    note()
    const process = ['process', true, false, false, false, true]
    expect(seen).toEqual([
      process,
      process,
      ['hardirq', false, false, true, true, false],
      ['softirq', false, true, false, false, false],
      process,
    ])
  })
  it('nest and unwind: a hard timer inside a softirq, stepped from there', () => {
    const kernel = createKernel()
    const seen: string[] = []
    const hard = hrtimerSetup(kernel, () => seen.push(kernel.ctx), 'hard')
    const soft = timerSetup(
      kernel,
      () => {
        seen.push(kernel.ctx)
        hrtimerStart(hard, 0)
        kernel.step()
        seen.push(kernel.ctx)
      },
      'soft',
    )
    modTimer(soft, 1)
    kernel.runFor(1e9)
    expect(seen).toEqual(['softirq', 'hardirq', 'softirq'])
  })
})

describe('mightSleep', () => {
  const where = (kernel: Kernel) => broken(() => mightSleep(kernel, 'devOpen'))

  it('says nothing in plain process context', () => {
    const kernel = createKernel()
    mightSleep(kernel, 'devOpen')
    expect(kernel.violations).toEqual([])
  })
  it('CTX-02 reports with softirqs off', () => {
    const kernel = createKernel()
    localBhDisable(kernel)
    expect(where(kernel)).toBe('CTX-02 devOpen might sleep, called with softirqs off')
  })
  it('CTX-02 reports in a softirq', () => {
    const kernel = createKernel()
    modTimer(
      timerSetup(kernel, () => mightSleep(kernel, 'devOpen'), 'x'),
      1,
    )
    expect(broken(() => kernel.runFor(1e9))).toBe('CTX-02 devOpen might sleep, called in a softirq')
  })
  it('CTX-02 reports with interrupts off', () => {
    const kernel = createKernel()
    const flags = localIrqSave(kernel)
    expect(where(kernel)).toBe('CTX-02 devOpen might sleep, called with interrupts off')
    localIrqRestore(kernel, flags)
    mightSleep(kernel, 'devOpen')
  })
  it('CTX-02 reports while a spinlock is held', () => {
    const kernel = createKernel()
    kernel.lockdep.acquired({ name: 'vnet0:tx' }, false)
    expect(where(kernel)).toBe('CTX-02 devOpen might sleep, called with lock vnet0:tx held')
  })
  it('CTX-03 reports in a read-side section, such as ndoGetStats64', () => {
    const kernel = createKernel()
    rcuReadLock(kernel)
    rcuReadLock(kernel)
    rcuReadUnlock(kernel)
    expect(where(kernel)).toBe('CTX-03 devOpen might sleep, called in a read-side section')
    rcuReadUnlock(kernel)
    mightSleep(kernel, 'devOpen')
    expect(broken(() => rcuReadUnlock(kernel))).toBe('CTX-03 rcuReadUnlock without rcuReadLock')
  })
  it('CTX-06 reports in an interrupt handler', () => {
    const kernel = createKernel()
    hrtimerStart(
      hrtimerSetup(kernel, () => mightSleep(kernel, 'devOpen'), 'x'),
      1,
    )
    expect(broken(() => kernel.runFor(1))).toBe('CTX-06 devOpen might sleep, called in an interrupt handler')
  })
  it('CTX-02 running the kernel is sleeping: runFor, runUntil and msleep report too', () => {
    const kernel = createKernel()
    localBhDisable(kernel)
    expect(broken(() => kernel.runFor(1))).toContain('CTX-02 runFor')
    expect(broken(() => kernel.runUntil(() => true, 1))).toContain('CTX-02 runUntil')
    expect(broken(() => msleep(kernel, 1))).toContain('CTX-02 runFor')
  })
})

import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerActive,
  hrtimerCancel,
  hrtimerSetup,
  hrtimerStart,
  hrtimerTryToCancel,
  localIrqRestore,
  localIrqSave,
} from '@vnet/kernel'
import { broken } from './broken.ts'

describe('hrtimer', () => {
  it('runs in hardirq context to the nanosecond', () => {
    const kernel = createKernel()
    const seen: unknown[] = []
    const timer = hrtimerSetup(kernel, () => seen.push([kernel.ctx, kernel.clock.ktimeGet()]), 'x')
    hrtimerStart(timer, 1234)
    expect(timer.expires).toBe(1234)
    kernel.runFor(1233)
    expect(seen).toEqual([])
    expect(hrtimerActive(timer)).toBe(true)
    kernel.runFor(1)
    expect(seen).toEqual([['hardirq', 1234]])
    expect(hrtimerActive(timer)).toBe(false)
  })
  it('started inside its function it runs again', () => {
    const kernel = createKernel()
    const times: number[] = []
    const timer = hrtimerSetup(
      kernel,
      (t) => {
        times.push(kernel.clock.ktimeGet())
        if (times.length < 4) hrtimerStart(t, 10)
      },
      'x',
    )
    hrtimerStart(timer, 10)
    kernel.runFor(1000)
    expect(times).toEqual([10, 20, 30, 40])
  })
  it('waits while interrupts are off and can be cancelled or moved meanwhile', () => {
    const kernel = createKernel()
    const seen: string[] = []
    const make = (name: string) => hrtimerSetup(kernel, () => seen.push(name), name)
    const [a, b, c] = [make('a'), make('b'), make('c')]
    for (const timer of [a, b, c]) hrtimerStart(timer, 5)
    const flags = localIrqSave(kernel)
    while (kernel.step());
    expect(seen).toEqual([])
    expect(hrtimerActive(a)).toBe(true)
    expect(hrtimerTryToCancel(b)).toBe(true)
    hrtimerStart(c, 5)
    localIrqRestore(kernel, flags)
    expect(seen).toEqual(['a'])
    kernel.runFor(5)
    expect(seen).toEqual(['a', 'c'])
  })
  it('cancelled in time does not run', () => {
    const kernel = createKernel()
    const timer = hrtimerSetup(kernel, () => expect.unreachable(), 'x')
    hrtimerStart(timer, 5)
    expect(hrtimerCancel(timer)).toBe(true)
    expect(hrtimerCancel(timer)).toBe(false)
    kernel.runFor(10)
  })
  it('STOP-01 reports hrtimerCancel from inside the timer itself; trying is allowed', () => {
    const kernel = createKernel()
    const polite = hrtimerSetup(kernel, (t) => expect(hrtimerTryToCancel(t)).toBe(false), 'polite')
    hrtimerStart(polite, 1)
    kernel.runFor(1)
    const timer = hrtimerSetup(kernel, (t) => hrtimerCancel(t), 'vnet0')
    hrtimerStart(timer, 1)
    expect(broken(() => kernel.runFor(1))).toBe(
      'STOP-01 hrtimerCancel(vnet0) waits for the timer it is called from',
    )
    expect(kernel.ctx).toBe('process')
    expect(timer.running).toBe(false)
  })
  it('is listed in the census while armed', () => {
    const kernel = createKernel()
    const timer = hrtimerSetup(kernel, () => {}, 'vnet0-rx')
    hrtimerStart(timer, 1)
    expect(kernel.census.take()).toEqual([{ kind: 'hrtimer', name: 'vnet0-rx', module: null }])
  })
})

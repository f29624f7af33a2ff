import { describe, expect, it } from 'vitest'
import { createKernel, jiffiesToMsecs, msecsToJiffies, udelay, usecsToJiffies } from '@vnet/kernel'

describe('clock', () => {
  it('starts at 0 and moves only when told', () => {
    const { clock } = createKernel()
    expect([clock.ktimeGet(), clock.jiffies, clock.real]).toEqual([0, 0, false])
    expect(clock.ktimeGet()).toBe(0)
  })
  it('counts ticks of 4 ms, or as many a second as asked', () => {
    const kernel = createKernel()
    kernel.runFor(3_999_999)
    expect(kernel.clock.jiffies).toBe(0)
    kernel.runFor(1)
    expect(kernel.clock.jiffies).toBe(1)
    const fast = createKernel({ hz: 1000 })
    fast.runFor(4e6)
    expect([fast.clock.jiffies, fast.clock.hz, fast.clock.tickNs]).toEqual([4, 1000, 1e6])
    for (const hz of [0, -1, 1.5, NaN, 1e9]) expect(() => createKernel({ hz })).toThrow(RangeError)
  })
  it('converts between ticks and time, rounding so that a wait is never shorter', () => {
    const kernel = createKernel()
    expect([0, 1, 4, 5, 1000].map((ms) => msecsToJiffies(kernel, ms))).toEqual([0, 1, 1, 2, 250])
    expect([1, 4000, 4001].map((us) => usecsToJiffies(kernel, us))).toEqual([1, 1, 2])
    expect([0, 1, 250].map((ticks) => jiffiesToMsecs(kernel, ticks))).toEqual([0, 4, 1000])
  })
  it('never goes back', () => {
    const kernel = createKernel()
    udelay(kernel, 5)
    kernel.clock.advanceTo(1000)
    expect(kernel.clock.ktimeGet()).toBe(5000)
  })
})

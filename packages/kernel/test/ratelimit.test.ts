import { describe, expect, it } from 'vitest'
import { createKernel } from '../src/kernel.ts'
import { dmesg } from '../src/printk.ts'
import { ratelimit } from '../src/ratelimit.ts'

describe('ratelimit', () => {
  it('LOG-01 lets ten through in five seconds and says how many it kept back', () => {
    const kernel = createKernel()
    const limit = ratelimit(kernel, undefined, undefined, 'vnet_start_xmit')
    const first = Array.from({ length: 13 }, () => limit.allow())
    expect(first).toEqual([...Array<boolean>(10).fill(true), false, false, false])
    expect(limit.missed).toBe(3)
    expect(dmesg(kernel)).toBe('')
    kernel.runFor(5e9)
    expect(limit.allow()).toBe(false)
    kernel.runFor(1)
    expect(limit.allow()).toBe(true)
    expect(dmesg(kernel, { time: false })).toBe('vnet_start_xmit: 4 callbacks suppressed\n')
    expect(kernel.log.records[0]!.level).toBe(4)
  })

  it('LOG-01 says nothing when nothing was kept back', () => {
    const kernel = createKernel()
    const limit = ratelimit(kernel, 1e9, 1)
    expect(limit.allow()).toBe(true)
    kernel.runFor(2e9)
    expect(limit.allow()).toBe(true)
    expect(dmesg(kernel)).toBe('')
  })

  it('lets everything through with an interval of 0, nothing with a burst of 0', () => {
    const kernel = createKernel()
    const open = ratelimit(kernel, 0, 1)
    const shut = ratelimit(kernel, 1e9, 0)
    expect([open.allow(), open.allow(), open.allow()]).toEqual([true, true, true])
    expect(shut.allow()).toBe(false)
  })

  it('starts the interval with the first message, not when it is made', () => {
    const kernel = createKernel()
    const limit = ratelimit(kernel, 1e9, 1)
    kernel.runFor(10e9)
    expect(limit.allow()).toBe(true)
    kernel.runFor(0.9e9)
    expect(limit.allow()).toBe(false)
  })
})

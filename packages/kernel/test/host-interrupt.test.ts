import { afterEach, describe, expect, it, vi } from 'vitest'
import { createKernel, hwEventCancel, hwEventSetup, hwEventStart, raiseSoftirq, Softirq } from '@vnet/kernel'
import { FakeHost } from './fake-host.ts'

const MS = 1_000_000

/** A kernel whose host is told what time it is. */
const setup = () => {
  const host = new FakeHost()
  host.install({ immediate: true, channel: true })
  return { host, kernel: createKernel({ clock: 'real' }) }
}

afterEach(() => void vi.unstubAllGlobals())

describe('hostInterrupt', () => {
  it('runs what is due after it at once, on the time it began, and what comes later by the timer', () => {
    const { host, kernel } = setup()
    const log: string[] = []
    const event = (name: string) => hwEventSetup(kernel, () => log.push(name), name)
    const [now, soon] = [event('now'), event('soon')]
    kernel.hostInterrupt(() => {
      expect(kernel.ctx).toBe('process')
      log.push('hardware')
      hwEventStart(soon, 5 * MS)
      hwEventStart(now, 0)
      raiseSoftirq(kernel, Softirq.NET_RX)
      log.push('back')
    })
    expect(log).toEqual(['hardware', 'back', 'now'])
    expect(host.armed()).toEqual(['timeout 5 unref'])
    while (host.turn());
    expect(log).toEqual(['hardware', 'back', 'now', 'soon'])
  })
  it('keeps the timer there is, if it calls early enough', () => {
    const { host, kernel } = setup()
    const event = hwEventSetup(kernel, () => {}, 'x')
    hwEventStart(event, 100 * MS)
    host.ms += 10
    kernel.hostInterrupt(() => hwEventStart(event, 100 * MS))
    expect(host.armed()).toEqual(['timeout 90 unref'])
    kernel.hostInterrupt(() => hwEventStart(event, 20 * MS))
    expect(host.armed()).toEqual(['timeout 20 unref'])
    kernel.hostInterrupt(() => hwEventCancel(event))
    expect(host.armed()).toEqual([])
  })
  it('inside another, and of a kernel that was stopped, is hardware() and no more', () => {
    const { kernel } = setup()
    const log: string[] = []
    const event = hwEventSetup(kernel, () => log.push('event'), 'x')
    kernel.hostInterrupt(() => {
      kernel.hostInterrupt(() => hwEventStart(event, 0))
      log.push('outer')
    })
    expect(log).toEqual(['outer', 'event'])
    kernel.shutdown()
    kernel.hostInterrupt(() => {
      hwEventStart(event, 0)
      log.push('stopped')
    })
    expect(log).toEqual(['outer', 'event', 'stopped'])
  })
  it('goes on after an exception', () => {
    const { kernel } = setup()
    const log: string[] = []
    const event = hwEventSetup(kernel, () => log.push('event'), 'x')
    const broken = (): void => {
      hwEventStart(event, 0)
      throw new Error('a card')
    }
    expect(() => kernel.hostInterrupt(broken)).toThrow('a card')
    expect(log).toEqual([])
    kernel.hostInterrupt(() => {})
    expect(log).toEqual(['event'])
  })
  it('is hardware() on a virtual clock', () => {
    const kernel = createKernel()
    const log: string[] = []
    const event = hwEventSetup(kernel, () => log.push('event'), 'x')
    kernel.hostInterrupt(() => hwEventStart(event, 0))
    expect(log).toEqual([])
    kernel.runFor(0)
    expect(log).toEqual(['event'])
  })
})

describe('a coarse reading', () => {
  it('goes by when the interrupt began, jiffies too, and outside of one by the host', () => {
    const { host, kernel } = setup()
    const { clock } = kernel
    const seen: number[] = []
    kernel.hostInterrupt(() => {
      seen.push(clock.ktimeGetCoarse(), clock.jiffies)
      host.ms += 8
      seen.push(clock.ktimeGetCoarse(), clock.jiffies, clock.ktimeGet(), clock.ktimeGetCoarse())
    })
    expect(seen).toEqual([0, 0, 0, 0, 8 * MS, 8 * MS])
    host.ms += 8
    expect([clock.ktimeGetCoarse(), clock.jiffies]).toEqual([16 * MS, 4])
  })
  it('sees the time come where code waits for it in a loop', () => {
    const { host, kernel } = setup()
    kernel.hostInterrupt(() => {
      host.ms += 100
      let reads = 0
      while (kernel.clock.jiffies < 25) if (++reads > 1000) throw new Error('it does not come')
    })
    expect(kernel.clock.jiffies).toBe(25)
  })
})

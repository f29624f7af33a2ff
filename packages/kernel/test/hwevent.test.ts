import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hwEventCancel,
  hwEventPending,
  hwEventSetup,
  hwEventStart,
  mightSleep,
  openSoftirq,
  raiseSoftirq,
  Softirq,
} from '@vnet/kernel'
import { broken } from './broken.ts'
import { handleIrq } from './irq-card.ts'

describe('hwEvent', () => {
  it('happens at its time, without changing the context', () => {
    const kernel = createKernel()
    const seen: unknown[] = []
    const event = hwEventSetup(
      kernel,
      (e) => seen.push([kernel.ctx, kernel.clock.ktimeGet(), e === event]),
      'card',
    )
    hwEventStart(event, 77.9)
    expect([hwEventPending(event), event.expires]).toEqual([true, 77])
    kernel.runFor(100)
    expect(seen).toEqual([['process', 77, true]])
    expect(hwEventPending(event)).toBe(false)
  })
  it('delivers the interrupts it raised when it is done, and then the softirqs', () => {
    const kernel = createKernel()
    const log: string[] = []
    const irq = kernel.irq.allocLine('card')
    openSoftirq(kernel, Softirq.NET_RX, () => log.push(`softirq in ${kernel.ctx}`))
    handleIrq(kernel, irq, () => {
      log.push(`handler in ${kernel.ctx}`)
      raiseSoftirq(kernel, Softirq.NET_RX)
    })
    const event = hwEventSetup(
      kernel,
      () => {
        kernel.irq.setLevel(irq, true)
        log.push('card done')
      },
      'card',
    )
    hwEventStart(event, 1)
    expect(kernel.step()).toBe(true)
    expect(log).toEqual(['card done', 'handler in hardirq', 'softirq in softirq'])
    expect(kernel.step()).toBe(false)
  })
  it('a negative delay is none, and no number is refused', () => {
    const kernel = createKernel()
    const event = hwEventSetup(kernel, () => {}, 'card')
    hwEventStart(event, -5)
    expect(event.expires).toBe(0)
    expect(() => hwEventStart(event, NaN)).toThrow(RangeError)
    expect(() => hwEventStart(event, Infinity)).toThrow(RangeError)
  })
  it('cancelled in time does not happen', () => {
    const kernel = createKernel()
    const event = hwEventSetup(kernel, () => expect.unreachable(), 'card')
    hwEventStart(event, 5)
    expect(hwEventCancel(event)).toBe(true)
    expect(hwEventCancel(event)).toBe(false)
    expect(kernel.step()).toBe(false)
  })
  it('CTX-06 hardware cannot sleep', () => {
    const kernel = createKernel()
    const event = hwEventSetup(kernel, () => mightSleep(kernel, 'devOpen'), 'card')
    hwEventStart(event, 5)
    expect(broken(() => kernel.runFor(5))).toBe(
      'CTX-06 devOpen might sleep, called from hardware, where nothing can sleep',
    )
    mightSleep(kernel, 'the caller afterwards')
  })
})

describe('kernel.hardware', () => {
  it('delivers what it raised at the end of the outermost call', () => {
    const kernel = createKernel()
    const log: string[] = []
    const irq = kernel.irq.allocLine('card')
    handleIrq(kernel, irq, () => log.push('irq'))
    kernel.hardware(() => {
      kernel.hardware(() => kernel.irq.setLevel(irq, true))
      log.push('outer done')
    })
    expect(log).toEqual(['outer done', 'irq'])
  })
  it('runs softirqs raised from it directly', () => {
    const kernel = createKernel()
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => runs++)
    kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_RX))
    expect(runs).toBe(1)
    expect(kernel.step()).toBe(false)
  })
  it('an exception inside does not leave interrupts off', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    let runs = 0
    handleIrq(kernel, irq, () => runs++)
    expect(() =>
      kernel.hardware(() => {
        kernel.irq.setLevel(irq, true)
        throw new Error('broken card')
      }),
    ).toThrow('broken card')
    expect(runs).toBe(0)
    kernel.runFor(0)
    expect(runs).toBe(1)
  })
})

import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerSetup,
  hrtimerStart,
  inSoftirq,
  localBhDisable,
  localBhEnable,
  MAX_SOFTIRQ_RESTART,
  mightSleep,
  openSoftirq,
  raiseSoftirq,
  Softirq,
  softirqName,
  udelay,
  hwEventSetup,
  hwEventStart,
  rcuReadLock,
} from '@vnet/kernel'
import type { SoftirqNr } from '@vnet/kernel'
import { broken } from './broken.ts'
import { handleIrq } from './irq-card.ts'

describe('softirq', () => {
  it('raised with softirqs off runs when they are turned on again by the outermost enable', () => {
    const kernel = createKernel()
    const seen: string[] = []
    openSoftirq(kernel, Softirq.NET_TX, () => seen.push(kernel.ctx))
    localBhDisable(kernel)
    localBhDisable(kernel)
    raiseSoftirq(kernel, Softirq.NET_TX)
    localBhEnable(kernel)
    expect([seen.length, inSoftirq(kernel)]).toEqual([0, true])
    localBhEnable(kernel)
    expect([seen, kernel.ctx, inSoftirq(kernel)]).toEqual([['softirq'], 'process', false])
  })
  it('raised in an interrupt handler runs when the handler returns', () => {
    const kernel = createKernel()
    const log: string[] = []
    const irq = kernel.irq.allocLine('card')
    openSoftirq(kernel, Softirq.NET_RX, () => log.push('softirq'))
    handleIrq(kernel, irq, () => {
      raiseSoftirq(kernel, Softirq.NET_RX)
      log.push('handler')
    })
    kernel.irq.setLevel(irq, true)
    expect(log).toEqual(['handler', 'softirq'])
  })
  it('raised in an interrupt that came while softirqs were off waits for the enable', () => {
    const kernel = createKernel()
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => runs++)
    const timer = hrtimerSetup(kernel, () => raiseSoftirq(kernel, Softirq.NET_RX), 'x')
    hrtimerStart(timer, 1)
    localBhDisable(kernel)
    kernel.step()
    expect(runs).toBe(0)
    localBhEnable(kernel)
    expect(runs).toBe(1)
  })
  it('raised from plain process context is left to ksoftirqd, an event at this moment', () => {
    const kernel = createKernel()
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => runs++)
    raiseSoftirq(kernel, Softirq.NET_RX)
    raiseSoftirq(kernel, Softirq.NET_RX)
    expect([runs, kernel.softirq.ksoftirqdWakes]).toEqual([0, 1])
    kernel.runFor(0)
    expect(runs).toBe(1)
    expect(kernel.step()).toBe(false)
  })
  it('the lower number runs first, and all who share a number run, in the order of opening', () => {
    const kernel = createKernel()
    const log: string[] = []
    const open = (nr: SoftirqNr, name: string) => openSoftirq(kernel, nr, () => log.push(name))
    open(Softirq.NET_RX, 'rx')
    open(Softirq.HI, 'hi')
    open(Softirq.NET_RX, 'rx too')
    open(Softirq.RCU, 'rcu')
    kernel.hardware(() => {
      for (const nr of [Softirq.RCU, Softirq.NET_RX, Softirq.HI]) raiseSoftirq(kernel, nr)
    })
    expect(log).toEqual(['hi', 'rx', 'rx too', 'rcu'])
    expect(Array.from(kernel.softirq.counts)).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
    expect(softirqName(Softirq.NET_RX)).toBe('NET_RX')
  })
  it('starts over 10 times for those that raise themselves, then lets others run', () => {
    const kernel = createKernel()
    const log: string[] = []
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => {
      if (++runs < 25) raiseSoftirq(kernel, Softirq.NET_RX)
    })
    const other = hwEventSetup(kernel, () => log.push(`other after ${runs}`), 'card')
    hwEventStart(other, 0)
    localBhDisable(kernel)
    raiseSoftirq(kernel, Softirq.NET_RX)
    localBhEnable(kernel)
    expect(runs).toBe(MAX_SOFTIRQ_RESTART)
    expect(kernel.softirq.ksoftirqdWakes).toBe(1)
    kernel.runFor(0)
    expect([runs, log]).toEqual([25, ['other after 10']])
    expect(kernel.clock.ktimeGet()).toBe(0)
  })
  it('stops after 2 ms, even if it started over less often', () => {
    const kernel = createKernel()
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => {
      udelay(kernel, 700)
      if (++runs < 5) raiseSoftirq(kernel, Softirq.NET_RX)
    })
    kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_RX))
    expect(runs).toBe(3)
    kernel.runFor(0)
    expect(runs).toBe(5)
  })
  it('is not entered a second time while it runs', () => {
    const kernel = createKernel()
    let depth = 0
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => {
      expect(++depth).toBe(1)
      if (++runs === 1) {
        localBhDisable(kernel)
        raiseSoftirq(kernel, Softirq.NET_RX)
        localBhEnable(kernel)
        kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_RX))
      }
      depth--
    })
    kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_RX))
    expect(runs).toBe(2)
  })
  it('an exception leaves the kernel usable, and no softirq is lost', () => {
    const kernel = createKernel()
    let rx = 0
    openSoftirq(kernel, Softirq.NET_TX, () => {
      localBhDisable(kernel)
      rcuReadLock(kernel)
      kernel.warnOn('TXQ-01', 'ring full')
    })
    openSoftirq(kernel, Softirq.NET_RX, () => rx++)
    localBhDisable(kernel)
    raiseSoftirq(kernel, Softirq.NET_TX)
    raiseSoftirq(kernel, Softirq.NET_RX)
    expect(broken(() => localBhEnable(kernel))).toBe('TXQ-01 ring full')
    mightSleep(kernel, 'the caller')
    expect([kernel.ctx, rx]).toEqual(['process', 0])
    kernel.runFor(0)
    expect(rx).toBe(1)
  })
  it('CTX-07 reports an action that ends with softirqs off', () => {
    const kernel = createKernel()
    openSoftirq(kernel, Softirq.NET_RX, () => localBhDisable(kernel))
    expect(broken(() => kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_RX)))).toBe(
      'CTX-07 softirq NET_RX ended with softirqs turned off and not on again',
    )
    expect(inSoftirq(kernel)).toBe(false)
  })
  it('CTX-07 reports an enable without a disable', () => {
    const kernel = createKernel()
    expect(broken(() => localBhEnable(kernel))).toBe('CTX-07 localBhEnable without localBhDisable')
  })
  it('CTX-06 reports turning softirqs off in an interrupt handler', () => {
    const kernel = createKernel()
    const timer = hrtimerSetup(kernel, () => localBhDisable(kernel), 'x')
    hrtimerStart(timer, 0)
    expect(broken(() => kernel.step())).toBe('CTX-06 localBhDisable in an interrupt handler')
    expect(inSoftirq(kernel)).toBe(false)
  })
  it('a number that does not exist is refused', () => {
    expect(() => openSoftirq(createKernel(), 10 as SoftirqNr, () => {})).toThrow(RangeError)
  })
})

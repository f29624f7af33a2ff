import { describe, expect, it } from 'vitest'
import type { Errno } from '@vnet/kernel'
import {
  createKernel,
  disableIrq,
  disableIrqNosync,
  dmesg,
  enableIrq,
  freeIrq,
  IRQ_HANDLED,
  IRQ_NONE,
  localIrqRestore,
  localIrqSave,
  requestIrq,
  localBhDisable,
  localBhEnable,
} from '@vnet/kernel'
import { broken } from './broken.ts'
import { card, handleIrq } from './irq-card.ts'

describe('a level line', () => {
  it('is delivered at once, in hardirq context, with the number and the devId', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    const dev = { name: 'vnet0' }
    const calls: unknown[] = []
    requestIrq(
      kernel,
      irq,
      (nr, devId) => {
        calls.push([nr, devId, kernel.ctx])
        kernel.irq.setLevel(irq, false)
        return IRQ_HANDLED
      },
      {},
      'vnet0',
      dev,
    )
    kernel.irq.setLevel(irq, true)
    expect(calls).toEqual([[irq, dev, 'hardirq']])
    expect(kernel.ctx).toBe('process')
  })
  it('asserted twice is one interrupt; deasserted before it could be delivered is none', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    const flags = localIrqSave(kernel)
    c.raise()
    c.raise()
    localIrqRestore(kernel, flags)
    expect(c.calls).toBe(1)
    const again = localIrqSave(kernel)
    c.raise()
    kernel.irq.setLevel(c.irq, false)
    localIrqRestore(kernel, again)
    expect(c.calls).toBe(1)
  })
  it('waits while interrupts are off, however deep', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    const outer = localIrqSave(kernel)
    const inner = localIrqSave(kernel)
    c.raise()
    localIrqRestore(kernel, inner)
    expect(c.calls).toBe(0)
    localIrqRestore(kernel, outer)
    expect(c.calls).toBe(1)
  })
  it('raised inside a handler is delivered after it, not within it', () => {
    const kernel = createKernel()
    const log: string[] = []
    const a = kernel.irq.allocLine('a')
    const b = kernel.irq.allocLine('b')
    handleIrq(
      kernel,
      a,
      () => {
        log.push('a begins')
        kernel.irq.setLevel(b, true)
        log.push('a ends')
      },
      'a',
    )
    handleIrq(kernel, b, () => log.push('b'), 'b')
    kernel.irq.setLevel(a, true)
    expect(log).toEqual(['a begins', 'a ends', 'b'])
  })
  it('interrupts code that has softirqs off', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    localBhDisable(kernel)
    c.raise()
    expect(c.calls).toBe(1)
    localBhEnable(kernel)
  })
  it('OPEN-02 asserted before the request fires inside the request', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0')
    c.raise()
    expect(c.calls).toBe(0)
    c.request()
    expect(c.calls).toBe(1)
  })
  it('handlers run on behalf of the module that requested, and are listed for it', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    let during: string | null = null
    kernel.currentModule = 'vnet'
    handleIrq(kernel, irq, () => {
      during = kernel.currentModule
    })
    kernel.currentModule = 'other'
    kernel.irq.setLevel(irq, true)
    expect([during, kernel.currentModule]).toEqual(['vnet', 'other'])
    expect(kernel.census.take()).toEqual([{ kind: 'irq', name: `${irq} vnet0`, module: 'vnet' }])
  })
})

describe('a shared line', () => {
  it('IRQ-01 calls every handler, and each says whether it was its own', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('intx')
    const a = card(kernel, 'a', irq, true).request()
    const b = card(kernel, 'b', irq, true).request()
    b.raise()
    expect([a.calls, b.calls]).toEqual([0, 1])
    a.raise()
    expect([a.calls, b.calls]).toEqual([1, 1])
    expect(kernel.irq.list()).toEqual([
      {
        irq,
        line: 'intx',
        name: 'a, b',
        names: ['a', 'b'],
        count: 2,
        unhandled: 0,
        asserted: false,
        enabled: true,
      },
    ])
  })
  it('is refused with EBUSY unless both agree to share', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    const s = card(kernel, 'vnet2', undefined, true).request()
    const refuse = (shared: boolean, irq = c.irq) => {
      try {
        requestIrq(kernel, irq, () => IRQ_NONE, { shared }, 'vnet1', {})
      } catch (error) {
        return (error as Errno).code
      }
      return 'accepted'
    }
    expect([refuse(false), refuse(true), refuse(false, s.irq)]).toEqual(['EBUSY', 'EBUSY', 'EBUSY'])
    expect(refuse(true, s.irq)).toBe('accepted')
    expect(dmesg(kernel, { time: false })).toContain(`genirq: Flags mismatch irq ${c.irq}. vnet1 vs. vnet0\n`)
  })
})

describe('a message-signalled interrupt', () => {
  it('calls the handler once for each message, once more for those sent meanwhile', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('msi')
    let calls = 0
    requestIrq(
      kernel,
      irq,
      () => {
        if (++calls === 1) {
          kernel.irq.pulse(irq)
          kernel.irq.pulse(irq)
        }
        return IRQ_HANDLED
      },
      {},
      'vnet0',
      {},
    )
    kernel.irq.pulse(irq)
    expect(calls).toBe(2)
    kernel.irq.pulse(irq)
    expect(calls).toBe(3)
  })
  it('is kept for a disabled line and lost without a handler', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('msi')
    let calls = 0
    const dev = {}
    kernel.irq.pulse(irq)
    requestIrq(kernel, irq, () => (calls++, IRQ_HANDLED), {}, 'vnet0', dev)
    expect(calls).toBe(0)
    disableIrq(kernel, irq)
    kernel.irq.pulse(irq)
    expect(calls).toBe(0)
    enableIrq(kernel, irq)
    expect(calls).toBe(1)
    disableIrq(kernel, irq)
    kernel.irq.pulse(irq)
    freeIrq(kernel, irq, dev)
    requestIrq(kernel, irq, () => (calls++, IRQ_HANDLED), {}, 'vnet0', dev)
    expect(calls).toBe(1)
  })
  it('counts those no handler took', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('msi')
    requestIrq(kernel, irq, () => IRQ_NONE, {}, 'vnet0', {})
    kernel.irq.pulse(irq)
    expect(kernel.irq.list()[0]).toMatchObject({ count: 1, unhandled: 1 })
  })
})

describe('disabling', () => {
  it('nests, and an interrupt that came meanwhile is delivered at the last enable', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    disableIrq(kernel, c.irq)
    disableIrqNosync(kernel, c.irq)
    c.raise()
    enableIrq(kernel, c.irq)
    expect(c.calls).toBe(0)
    expect(kernel.irq.list()[0]).toMatchObject({ asserted: true, enabled: false })
    enableIrq(kernel, c.irq)
    expect(c.calls).toBe(1)
  })
  it('IRQ-03 reports one enable too many', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    expect(broken(() => enableIrq(kernel, c.irq))).toBe(`IRQ-03 Unbalanced enable for IRQ ${c.irq}`)
  })
  it('a handler may mask its own line without waiting', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    let calls = 0
    requestIrq(
      kernel,
      irq,
      () => {
        calls++
        disableIrqNosync(kernel, irq)
        return IRQ_HANDLED
      },
      {},
      'vnet0',
      {},
    )
    kernel.irq.setLevel(irq, true)
    expect(calls).toBe(1)
    kernel.irq.setLevel(irq, false)
    enableIrq(kernel, irq)
    expect(calls).toBe(1)
  })
})

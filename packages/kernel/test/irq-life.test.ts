import { describe, expect, it } from 'vitest'
import {
  createKernel,
  disableIrq,
  dmesg,
  Errno,
  freeIrq,
  IRQ_HANDLED,
  IRQ_NONE,
  localIrqRestore,
  localIrqSave,
  mightSleep,
  requestIrq,
  rcuReadLock,
  rcuReadUnlock,
  synchronizeIrq,
  udelay,
} from '@vnet/kernel'
import type { IrqReturn, Kernel } from '@vnet/kernel'
import { broken } from './broken.ts'
import { card, handleIrq } from './irq-card.ts'

describe('a stuck line', () => {
  const stuck = (kernel: Kernel, ret: IrqReturn) => {
    const irq = kernel.irq.allocLine('card')
    let calls = 0
    requestIrq(kernel, irq, () => (calls++, ret), {}, 'vnet0', {})
    return { irq, calls: () => calls }
  }
  it('IRQ-02 reports a handler that does not acknowledge, and disables the line', () => {
    const kernel = createKernel()
    const line = stuck(kernel, IRQ_HANDLED)
    expect(broken(() => kernel.irq.setLevel(line.irq, true))).toBe(
      `IRQ-02 IRQ ${line.irq} still asserted after 1000 rounds: vnet0 does not acknowledge the cause; line disabled`,
    )
    expect(line.calls()).toBe(1000)
    expect(kernel.irq.list()[0]!.enabled).toBe(false)
    expect(dmesg(kernel, { time: false })).toContain(
      `irq ${line.irq}: nobody cared\nDisabling IRQ #${line.irq}\n`,
    )
    kernel.runFor(1000)
    expect(line.calls()).toBe(1000)
    expect(kernel.ctx).toBe('process')
  })
  it('IRQ-02 reports a line that nobody takes for its own', () => {
    const kernel = createKernel({ strict: false })
    const line = stuck(kernel, IRQ_NONE)
    kernel.irq.setLevel(line.irq, true)
    expect(kernel.violations.map((v) => [v.rule, v.ctx])).toEqual([['IRQ-02', 'hardirq']])
    expect(kernel.irq.list()[0]).toMatchObject({ count: 1000, unhandled: 1000 })
  })
  it('IRQ-02 is found also when time goes on meanwhile', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    requestIrq(kernel, irq, () => (udelay(kernel, 1), IRQ_HANDLED), {}, 'vnet0', {})
    expect(broken(() => kernel.irq.setLevel(irq, true))).toContain('IRQ-02')
  })
  it('does not starve the other lines', () => {
    const kernel = createKernel({ strict: false })
    const bad = stuck(kernel, IRQ_HANDLED)
    const good = card(kernel, 'good').request()
    let callsBefore = -1
    const watch = kernel.irq.allocLine('watch')
    requestIrq(
      kernel,
      watch,
      () => {
        callsBefore = bad.calls()
        kernel.irq.setLevel(watch, false)
        return IRQ_HANDLED
      },
      {},
      'watch',
      {},
    )
    kernel.hardware(() => {
      kernel.irq.setLevel(bad.irq, true)
      good.raise()
      kernel.irq.setLevel(watch, true)
    })
    expect([good.calls, callsBefore]).toEqual([1, 1])
  })
  it('a thousand interrupts at one moment, each acknowledged, are no storm', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    for (let i = 0; i < 5000; i++) c.raise()
    expect(c.calls).toBe(5000)
  })
  it('nor are a thousand that each needed two rounds', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    let calls = 0
    requestIrq(
      kernel,
      irq,
      () => (++calls % 2 === 0 && kernel.irq.setLevel(irq, false), IRQ_HANDLED),
      {},
      'x',
      {},
    )
    for (let i = 0; i < 2000; i++) kernel.irq.setLevel(irq, true)
    expect(calls).toBe(4000)
  })
})

describe('freeIrq', () => {
  it('IRQ-03 after it the handler does not run, and the line can be requested again', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    freeIrq(kernel, c.irq, c)
    c.raise()
    expect(c.calls).toBe(0)
    expect(kernel.census.take()).toEqual([])
    c.request()
    expect(c.calls).toBe(1)
  })
  it('IRQ-03 reports freeing from inside the handler', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    const dev = {}
    handleIrq(kernel, irq, () => freeIrq(kernel, irq, dev), 'vnet0', dev)
    expect(broken(() => kernel.irq.setLevel(irq, true))).toBe(
      `IRQ-03 freeIrq waits for the handler of IRQ ${irq} from inside it`,
    )
    expect(kernel.ctx).toBe('process')
  })
  it('IRQ-03 freed by another handler of the same round, it is not called any more', () => {
    const kernel = createKernel({ strict: false })
    const irq = kernel.irq.allocLine('intx')
    const [a, b] = [{}, {}]
    requestIrq(
      kernel,
      irq,
      () => {
        kernel.irq.setLevel(irq, false)
        freeIrq(kernel, irq, b)
        return IRQ_HANDLED
      },
      { shared: true },
      'a',
      a,
    )
    requestIrq(kernel, irq, () => expect.unreachable(), { shared: true }, 'b', b)
    kernel.irq.setLevel(irq, true)
    expect(kernel.violations.map((v) => v.rule)).toEqual(['IRQ-03'])
  })
  it('IRQ-03 reports freeing twice, synchronizing from inside, disabling from inside, removing a used line', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    expect(broken(() => kernel.irq.freeLine(c.irq))).toBe(
      `IRQ-03 IRQ ${c.irq} (vnet0) removed while vnet0 handles it`,
    )
    freeIrq(kernel, c.irq, c)
    expect(broken(() => freeIrq(kernel, c.irq, c))).toContain('IRQ-03 freeIrq: ')
    for (const wait of [synchronizeIrq, disableIrq]) {
      const irq = kernel.irq.allocLine('card')
      handleIrq(kernel, irq, () => wait(kernel, irq))
      expect(broken(() => kernel.irq.setLevel(irq, true))).toBe(
        `IRQ-03 ${wait.name} waits for the handler of IRQ ${irq} from inside it`,
      )
    }
  })
  it('CTX-06 reports requesting, freeing and waiting inside another handler', () => {
    const kernel = createKernel()
    const c = card(kernel, 'vnet0').request()
    const inHandler = (fn: () => void): string => {
      const irq = kernel.irq.allocLine('x')
      handleIrq(kernel, irq, fn, 'x')
      return broken(() => kernel.irq.setLevel(irq, true))
    }
    const where = 'might sleep, called in an interrupt handler'
    expect(inHandler(() => c.request())).toBe(`CTX-06 requestIrq ${where}`)
    expect(inHandler(() => freeIrq(kernel, c.irq, c))).toBe(`CTX-06 freeIrq ${where}`)
    expect(inHandler(() => synchronizeIrq(kernel, c.irq))).toBe(`CTX-06 synchronizeIrq ${where}`)
  })
})

describe('lines', () => {
  it('are numbered from 1, and a freed number is used again', () => {
    const kernel = createKernel()
    expect([kernel.irq.allocLine('a'), kernel.irq.allocLine('b'), kernel.irq.allocLine('c')]).toEqual([
      1, 2, 3,
    ])
    kernel.irq.freeLine(2)
    expect(kernel.irq.allocLine('d')).toBe(2)
    expect(kernel.irq.list().map((line) => line.line)).toEqual(['a', 'd', 'c'])
  })
  it('that do not exist are refused with EINVAL', () => {
    const kernel = createKernel()
    expect(() => kernel.irq.setLevel(9, true)).toThrow(Errno)
    expect(() => kernel.irq.pulse(0)).toThrow('no interrupt line 0')
    expect(() => requestIrq(kernel, 9, () => IRQ_NONE, {}, 'x', {})).toThrow(Errno)
  })
})

describe('an exception in a handler', () => {
  it('leaves the CPU where it was, the other lines due, and the line itself alive', () => {
    const kernel = createKernel()
    const bad = kernel.irq.allocLine('bad')
    let throws = 2
    requestIrq(
      kernel,
      bad,
      () => {
        const flags = localIrqSave(kernel)
        rcuReadLock(kernel)
        if (throws-- > 0) throw new Error('driver bug')
        rcuReadUnlock(kernel)
        localIrqRestore(kernel, flags)
        kernel.irq.setLevel(bad, false)
        return IRQ_HANDLED
      },
      {},
      'bad',
      {},
    )
    const good = card(kernel, 'good').request()
    expect(() =>
      kernel.hardware(() => {
        kernel.irq.setLevel(bad, true)
        good.raise()
      }),
    ).toThrow('driver bug')
    expect([kernel.ctx, good.calls]).toEqual(['process', 0])
    mightSleep(kernel, 'the caller')
    expect(() => kernel.step()).toThrow('driver bug')
    expect(good.calls).toBe(1)
    expect(kernel.step()).toBe(true)
    expect(kernel.irq.list().map((line) => line.asserted)).toEqual([false, false])
    expect(kernel.step()).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import {
  createKernel,
  disableIrq,
  disableIrqNosync,
  dmesg,
  enableIrq,
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
  localBhDisable,
  localBhEnable,
  synchronizeIrq,
  udelay,
} from '@vnet/kernel'
import type { IrqReturn, Kernel } from '@vnet/kernel'
import { broken } from './broken.ts'

/** A card with a cause register and one line, and a driver that reads and clears it. */
function card(kernel: Kernel, name: string, irq = kernel.irq.allocLine(name), shared = false) {
  const self = {
    irq,
    cause: 0,
    calls: 0,
    raise() {
      self.cause = 1
      kernel.irq.setLevel(irq, true)
    },
    handler(): IrqReturn {
      if (self.cause === 0) return IRQ_NONE
      self.calls++
      self.cause = 0
      kernel.irq.setLevel(irq, false)
      return IRQ_HANDLED
    },
    request() {
      requestIrq(kernel, irq, self.handler, { shared }, name, self)
      return self
    },
  }
  return self
}

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
    requestIrq(
      kernel,
      a,
      () => {
        log.push('a begins')
        kernel.irq.setLevel(a, false)
        kernel.irq.setLevel(b, true)
        log.push('a ends')
        return IRQ_HANDLED
      },
      {},
      'a',
      {},
    )
    requestIrq(
      kernel,
      b,
      () => {
        log.push('b')
        kernel.irq.setLevel(b, false)
        return IRQ_HANDLED
      },
      {},
      'b',
      {},
    )
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
    requestIrq(
      kernel,
      irq,
      () => {
        during = kernel.currentModule
        kernel.irq.setLevel(irq, false)
        return IRQ_HANDLED
      },
      {},
      'vnet0',
      {},
    )
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
    requestIrq(
      kernel,
      irq,
      () => {
        kernel.irq.setLevel(irq, false)
        freeIrq(kernel, irq, dev)
        return IRQ_HANDLED
      },
      {},
      'vnet0',
      dev,
    )
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
      requestIrq(
        kernel,
        irq,
        () => {
          kernel.irq.setLevel(irq, false)
          wait(kernel, irq)
          return IRQ_HANDLED
        },
        {},
        'vnet0',
        {},
      )
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
      requestIrq(
        kernel,
        irq,
        () => {
          kernel.irq.setLevel(irq, false)
          fn()
          return IRQ_HANDLED
        },
        {},
        'x',
        {},
      )
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

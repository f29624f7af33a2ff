import { describe, expect, it } from 'vitest'
import {
  createKernel,
  dmesg,
  hrtimerSetup,
  hrtimerStart,
  hwEventSetup,
  hwEventStart,
  modTimer,
  openSoftirq,
  raiseSoftirq,
  RuleViolation,
  scheduleWork,
  Softirq,
  timerSetup,
  udelay,
  workSetup,
} from '@vnet/kernel'
import type { Kernel, LogRecord } from '@vnet/kernel'
import { handleIrq } from './irq-card.ts'

describe('step, runFor and runUntil', () => {
  const at = (kernel: Kernel, ns: number, fn: () => void) => hwEventStart(hwEventSetup(kernel, fn, 'x'), ns)

  it('step takes the clock to the next event, and says when there is none', () => {
    const kernel = createKernel()
    const times: number[] = []
    for (const ns of [30, 10, 20]) at(kernel, ns, () => times.push(kernel.clock.ktimeGet()))
    expect(kernel.step()).toBe(true)
    expect(times).toEqual([10])
    while (kernel.step());
    expect(times).toEqual([10, 20, 30])
    expect([kernel.step(), kernel.clock.ktimeGet()]).toEqual([false, 30])
  })
  it('events of one moment happen in the order they were armed, whatever their kind', () => {
    const kernel = createKernel()
    const log: string[] = []
    const work = workSetup(kernel, () => log.push('work'), 'x')
    hrtimerStart(
      hrtimerSetup(kernel, () => log.push('hrtimer'), 'x'),
      0,
    )
    scheduleWork(work)
    at(kernel, 0, () => log.push('hardware'))
    kernel.runFor(0)
    expect(log).toEqual(['hrtimer', 'work', 'hardware'])
  })
  it('runFor includes its last nanosecond and passes exactly the time asked for', () => {
    const kernel = createKernel()
    const log: number[] = []
    for (const ns of [99, 100, 101]) at(kernel, ns, () => log.push(ns))
    kernel.runFor(100)
    expect([log, kernel.clock.ktimeGet()]).toEqual([[99, 100], 100])
    kernel.runFor(1000)
    expect([log, kernel.clock.ktimeGet()]).toEqual([[99, 100, 101], 1100])
    expect(() => kernel.runFor(-1)).toThrow(RangeError)
    expect(() => kernel.runFor(NaN)).toThrow(RangeError)
  })
  it('runFor includes events that events of this time arm', () => {
    const kernel = createKernel()
    let n = 0
    const event = hwEventSetup(kernel, (e) => void (++n < 10 && hwEventStart(e, 10)), 'x')
    hwEventStart(event, 10)
    kernel.runFor(100)
    expect(n).toBe(10)
  })
  it('runUntil stops at the event that made it true, and not before', () => {
    const kernel = createKernel()
    let n = 0
    const event = hwEventSetup(kernel, (e) => (n++, hwEventStart(e, 10)), 'x')
    hwEventStart(event, 10)
    expect(kernel.runUntil(() => n === 3, 1000)).toBe(true)
    expect([n, kernel.clock.ktimeGet()]).toEqual([3, 30])
    expect(kernel.runUntil(() => true, 1000)).toBe(true)
    expect(kernel.clock.ktimeGet()).toBe(30)
    expect(kernel.runUntil(() => false, 25)).toBe(false)
    expect([n, kernel.clock.ktimeGet()]).toEqual([5, 55])
  })
  it('time the CPU was kept busy makes events late, not lost', () => {
    const kernel = createKernel()
    const times: number[] = []
    at(kernel, 10, () => times.push(kernel.clock.ktimeGet()))
    udelay(kernel, 1)
    kernel.runFor(0)
    expect(times).toEqual([1000])
  })
  it('says so when time stands still', () => {
    const kernel = createKernel()
    const event = hwEventSetup(kernel, (e) => hwEventStart(e, 0), 'x')
    hwEventStart(event, 5)
    expect(() => kernel.runFor(10)).toThrow('time stands still at 5 ns')
  })
})

describe('determinism', () => {
  /** A machine with a bit of everything, driven by chance; what it does is written down. */
  function run(seed: number): string {
    const kernel = createKernel({ seed })
    const lines: string[] = []
    kernel.trace.on('*', (e) =>
      lines.push(`${e.time} ${e.ctx} ${e.name} ${e.subject} ${JSON.stringify(e.fields)}`),
    )
    const irq = kernel.irq.allocLine('card')
    openSoftirq(kernel, Softirq.NET_RX, () => {
      if (kernel.rng.chance(0.5)) raiseSoftirq(kernel, Softirq.NET_RX)
    })
    handleIrq(kernel, irq, () => raiseSoftirq(kernel, Softirq.NET_RX))
    const card = hwEventSetup(
      kernel,
      (e) => {
        kernel.irq.setLevel(irq, true)
        hwEventStart(e, kernel.rng.below(50_000))
      },
      'card',
    )
    const work = workSetup(kernel, () => void kernel.rng.u32(), 'work')
    const timer = timerSetup(
      kernel,
      (t) => {
        scheduleWork(work)
        modTimer(t, kernel.clock.jiffies + 1 + kernel.rng.below(3))
      },
      'timer',
    )
    hwEventStart(card, 1)
    modTimer(timer, 1)
    kernel.runFor(20_000_000)
    return lines.join('\n')
  }
  it('the same seed gives the same trace, byte for byte', () => {
    const trace = run(42)
    expect(trace.split('\n').length).toBeGreaterThan(2000)
    expect(run(42)).toBe(trace)
    expect(run(43)).not.toBe(trace)
  })
})

describe('two kernels', () => {
  it('know nothing of each other', () => {
    const [a, b] = [createKernel(), createKernel()]
    const log: string[] = []
    openSoftirq(a, Softirq.NET_RX, () => log.push('a'))
    openSoftirq(b, Softirq.NET_RX, () => log.push('b'))
    a.hardware(() => raiseSoftirq(a, Softirq.NET_RX))
    expect(log).toEqual(['a'])
    a.runFor(1e9)
    a.rtnl.lock()
    a.irq.allocLine('x')
    a.mem.alloc(1)
    expect([b.clock.ktimeGet(), b.rtnl.held, b.irq.list(), b.mem.allocated]).toEqual([0, false, [], 0])
  })
})

describe('subsys', () => {
  it('makes the state of a subsystem once for each kernel', () => {
    let made = 0
    const state = (kernel: Kernel) => kernel.subsys('softnet', (k) => ({ kernel: k, nr: made++ }))
    const [a, b] = [createKernel(), createKernel()]
    expect(state(a)).toBe(state(a))
    expect(state(a)).not.toBe(state(b))
    expect([state(a).kernel === a, state(b).kernel === b, made]).toEqual([true, true, 2])
  })
})

describe('warnOn', () => {
  it('throws in strict mode, the default, and keeps a record', () => {
    const kernel = createKernel()
    kernel.runFor(1_500_000)
    kernel.currentModule = 'vnet'
    let thrown: unknown
    try {
      kernel.warnOn('TXQ-01', 'vnet0: TX ring full with the queue awake')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(RuleViolation)
    expect(kernel.violations).toEqual([thrown])
    expect(thrown).toMatchObject({
      rule: 'TXQ-01',
      message: 'vnet0: TX ring full with the queue awake',
      time: 1_500_000,
      ctx: 'process',
      module: 'vnet',
    })
    expect(String(thrown)).toBe('RuleViolation TXQ-01: vnet0: TX ring full with the queue awake')
    expect((thrown as RuleViolation).stack).toContain('kernel.test.ts')
  })
  it('otherwise records, logs, traces and goes on', () => {
    const kernel = createKernel({ strict: false })
    const seen: string[] = []
    kernel.trace.on('kernel:rule_violation', (e) => seen.push(`${e.subject} ${e.fields['message']}`))
    kernel.warnOn('NAPI-02', 'too much')
    expect(kernel.violations.map((v) => v.rule)).toEqual(['NAPI-02'])
    expect(dmesg(kernel)).toBe('[    0.000000] WARNING: NAPI-02: too much\n')
    expect(seen).toEqual(['NAPI-02 too much'])
  })
  it('keeps at most a thousand records, the first ones', () => {
    const kernel = createKernel({ strict: false })
    for (let i = 0; i < 1500; i++) kernel.warnOn('RX-05', `nr ${i}`)
    expect([kernel.violations.length, kernel.violations[999]!.message]).toEqual([1000, 'nr 999'])
  })
})

describe('options', () => {
  it('checks follow strict unless given', () => {
    const flags = (options: { strict?: boolean; checks?: boolean }) => {
      const { strict, checks } = createKernel(options)
      return [strict, checks]
    }
    expect(flags({})).toEqual([true, true])
    expect(flags({ strict: false })).toEqual([false, false])
    expect(flags({ checks: false })).toEqual([true, false])
    expect(flags({ strict: false, checks: true })).toEqual([false, true])
  })
  it('the console gets the log as it is written', () => {
    const records: LogRecord[] = []
    const kernel = createKernel({ strict: false, console: (r) => records.push(r) })
    kernel.warnOn('RX-01', 'no dev')
    expect(records.map((r) => r.text)).toEqual(['WARNING: RX-01: no dev'])
  })
})

describe('preemption points', () => {
  it('hardware and interrupts can act in the middle of anything; works and threads wait', () => {
    const kernel = createKernel()
    const log: string[] = []
    hwEventStart(
      hwEventSetup(kernel, () => log.push('card'), 'card'),
      100,
    )
    hrtimerStart(
      hrtimerSetup(kernel, () => log.push('interrupt'), 'x'),
      200,
    )
    scheduleWork(workSetup(kernel, () => log.push('work'), 'x'))
    kernel.preemptHook = (point) => {
      log.push(point)
      while (kernel.step());
    }
    openSoftirq(kernel, Softirq.NET_TX, () => {
      if (kernel.preemptHook !== null) kernel.preemptHook('xmit:after-stop')
      log.push(`back in ${kernel.ctx}`)
    })
    kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_TX))
    expect(log).toEqual(['xmit:after-stop', 'card', 'interrupt', 'back in softirq'])
    kernel.runFor(0)
    expect(log.at(-1)).toBe('work')
  })
})

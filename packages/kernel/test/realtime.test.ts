import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createKernel,
  hwEventCancel,
  hwEventSetup,
  hwEventStart,
  modTimer,
  msleep,
  openSoftirq,
  raiseSoftirq,
  requestIrq,
  scheduleWork,
  Softirq,
  timerSetup,
  udelay,
  workSetup,
} from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { FakeHost } from './fake-host.ts'
import { handleIrq } from './irq-card.ts'

const MS = 1_000_000

/** A kernel on the real clock that keeps the process alive until the test is over. */
const alive: Kernel[] = []
function realKernel(): Kernel {
  const kernel = createKernel({ clock: 'real' })
  kernel.hold()
  alive.push(kernel)
  return kernel
}

afterEach(() => {
  for (const kernel of alive.splice(0)) kernel.shutdown()
  vi.unstubAllGlobals()
})

describe('on the real clock', () => {
  it('timers, works and hardware happen by themselves, each in its context, in order', async () => {
    const kernel = realKernel()
    const log: string[] = []
    await new Promise<void>((done) => {
      const note = (name: string) => log.push(`${name} ${kernel.ctx}`)
      const last = workSetup(
        kernel,
        () => {
          note('work')
          done()
        },
        'x',
      )
      const timer = timerSetup(
        kernel,
        () => {
          note('timer')
          scheduleWork(last)
        },
        'x',
      )
      const b = hwEventSetup(
        kernel,
        () => {
          note('b')
          modTimer(timer, 0)
        },
        'x',
      )
      hwEventStart(
        hwEventSetup(kernel, () => note('a'), 'x'),
        1000,
      )
      hwEventStart(b, 2 * MS)
    })
    expect(log).toEqual(['a process', 'b process', 'timer softirq', 'work process'])
  })
  it('nothing happens before its time', async () => {
    const kernel = realKernel()
    const early = await new Promise<number>((done) => {
      const start = kernel.clock.ktimeGet()
      hwEventStart(
        hwEventSetup(kernel, () => done(kernel.clock.ktimeGet() - start), 'x'),
        3 * MS + 300,
      )
    })
    expect(early).toBeGreaterThanOrEqual(3 * MS + 300)
  })
  it('NAPI-17 a softirq without an end lets the event loop turn', async () => {
    const kernel = realKernel()
    let turned = false
    let after = 0
    await new Promise<void>((done) => {
      openSoftirq(kernel, Softirq.NET_RX, () => {
        if (!turned || ++after < 100) raiseSoftirq(kernel, Softirq.NET_RX)
        else done()
      })
      kernel.hardware(() => raiseSoftirq(kernel, Softirq.NET_RX))
      setTimeout(() => (turned = true), 0)
    })
    expect(kernel.softirq.ksoftirqdWakes).toBeGreaterThan(1)
  })
  it('hardware without an end lets the event loop turn', async () => {
    const kernel = realKernel()
    let turned = false
    await new Promise<void>((done) => {
      const event = hwEventSetup(kernel, (e) => (turned ? done() : hwEventStart(e, 0)), 'x')
      hwEventStart(event, 0)
      setTimeout(() => (turned = true), 0)
    })
    expect(turned).toBe(true)
  })
  it('runUntil waits here and now, and msleep and udelay take their time', () => {
    const kernel = realKernel()
    let happened = false
    hwEventStart(
      hwEventSetup(kernel, () => (happened = true), 'x'),
      1 * MS,
    )
    const start = kernel.clock.ktimeGet()
    expect(kernel.runUntil(() => happened, 10_000 * MS)).toBe(true)
    expect(kernel.runUntil(() => false, 1 * MS)).toBe(false)
    msleep(kernel, 1)
    udelay(kernel, 100)
    expect(kernel.clock.ktimeGet() - start).toBeGreaterThanOrEqual(3.1 * MS)
  })
  it('step runs only what is due', () => {
    const kernel = realKernel()
    const event = hwEventSetup(kernel, () => {}, 'x')
    hwEventStart(event, 3600e9)
    expect(kernel.step()).toBe(false)
    hwEventStart(event, 0)
    expect(kernel.step()).toBe(true)
    expect(kernel.step()).toBe(false)
  })
  it('after shutdown nothing happens any more', async () => {
    const kernel = realKernel()
    hwEventStart(
      hwEventSetup(kernel, () => expect.unreachable(), 'x'),
      0,
    )
    kernel.shutdown()
    hwEventStart(
      hwEventSetup(kernel, () => expect.unreachable(), 'x'),
      0,
    )
    for (let i = 0; i < 3; i++) await new Promise((done) => setTimeout(done, 1))
  })
})

describe('the host timer', () => {
  const setup = (features = { immediate: true, channel: true }) => {
    const host = new FakeHost()
    host.install(features)
    const kernel = createKernel({ clock: 'real' })
    const log: string[] = []
    const event = (name: string, fn: () => void = () => {}) =>
      hwEventSetup(
        kernel,
        () => {
          log.push(name)
          fn()
        },
        name,
      )
    return { host, kernel, log, event }
  }

  it('is one, for the earliest event, whatever is armed, moved or cancelled', () => {
    const { host, event, log } = setup()
    expect(host.armed()).toEqual([])
    const a = event('a')
    hwEventStart(a, 500 * MS)
    expect(host.armed()).toEqual(['timeout 500 unref'])
    hwEventStart(event('b'), 900 * MS)
    expect(host.armed()).toEqual(['timeout 500 unref'])
    const c = event('c')
    hwEventStart(c, 20 * MS)
    expect(host.armed()).toEqual(['timeout 20 unref'])
    hwEventCancel(c)
    host.turn()
    expect([log, host.armed()]).toEqual([[], ['timeout 480 unref']])
    hwEventStart(a, 1000 * MS)
    while (host.turn());
    expect(log).toEqual(['b', 'a'])
    expect(host.armed()).toEqual([])
  })
  it('sleeps whole milliseconds and then asks at every turn of the loop', () => {
    const { host, kernel, log, event } = setup()
    kernel.hold()
    hwEventStart(event('a'), 2.5 * MS)
    expect(host.armed()).toEqual(['timeout 2'])
    host.turn()
    expect([log, host.armed()]).toEqual([[], ['immediate 0']])
    host.ms += 0.5
    host.turn()
    expect(log).toEqual(['a'])
  })
  it('keeps the process alive between hold and release, also while there is nothing to do', () => {
    const { host, kernel, event } = setup()
    kernel.hold()
    kernel.hold()
    expect(host.armed()).toEqual(['timeout 2147483647'])
    hwEventStart(event('a'), 10 * MS)
    expect(host.armed()).toEqual(['timeout 10'])
    kernel.release()
    expect(host.armed()).toEqual(['timeout 10'])
    kernel.release()
    expect(host.armed()).toEqual(['timeout 10 unref'])
    expect(() => kernel.release()).toThrow(RangeError)
  })
  it('for now is an immediate; without hold also a timer, which wakes a sleeping loop', () => {
    const { host, kernel, event } = setup()
    hwEventStart(event('a'), 0)
    expect(host.armed()).toEqual(['immediate 0 unref', 'timeout 1 unref'])
    kernel.hold()
    expect(host.armed()).toEqual(['immediate 0'])
  })
  it('for now is a message in browsers, and only one is under way', () => {
    const { host, log, event } = setup({ immediate: false, channel: true })
    hwEventStart(event('a'), 10 * MS)
    expect(host.armed()).toEqual(['timeout 10 unref'])
    hwEventStart(
      event('b', () => hwEventStart(event('c'), 0)),
      0.5 * MS,
    )
    hwEventStart(event('d'), 0)
    expect(host.armed()).toEqual(['message 0'])
    host.turn()
    expect([log, host.armed()]).toEqual([['d'], ['message 0']])
    host.ms += 1
    host.turn()
    expect(log).toEqual(['d', 'b', 'c'])
    expect(host.armed()).toEqual(['timeout 9 unref'])
  })
  it('for now is a timer where there is nothing else', () => {
    const { host, log, event } = setup({ immediate: false, channel: false })
    hwEventStart(event('a'), 0)
    expect(host.armed()).toEqual(['timeout 0 unref'])
    host.turn()
    expect(log).toEqual(['a'])
  })
  it('gives the loop back after a millisecond of work', () => {
    const { host, log, event } = setup()
    for (const name of ['a', 'b', 'c'])
      hwEventStart(
        event(name, () => (host.ms += 0.6)),
        0,
      )
    host.turn()
    expect(log).toEqual(['a', 'b'])
    host.turn()
    expect(log).toEqual(['a', 'b', 'c'])
  })
  it('gives the loop back when the softirqs handed their rest to ksoftirqd', () => {
    const { host, kernel, event } = setup()
    let runs = 0
    openSoftirq(kernel, Softirq.NET_RX, () => {
      if (++runs < 25) raiseSoftirq(kernel, Softirq.NET_RX)
    })
    hwEventStart(
      event('a', () => raiseSoftirq(kernel, Softirq.NET_RX)),
      0,
    )
    const seen: number[] = []
    while (host.turn()) seen.push(runs)
    expect(seen).toEqual([10, 20, 25])
  })
  it('an exception goes to the host, and the rest still happens', () => {
    const { host, log, kernel, event } = setup()
    hwEventStart(
      event('a', () => kernel.warnOn('RX-08', 'no')),
      0,
    )
    hwEventStart(event('b'), 0)
    expect(() => host.turn()).toThrow('no')
    while (host.turn());
    expect(log).toEqual(['a', 'b'])
  })
  it('an exception in a handler, outside any slice, does not strand the lines behind it', () => {
    const { host, log, kernel } = setup()
    const [bad, good] = [kernel.irq.allocLine('bad'), kernel.irq.allocLine('good')]
    requestIrq(
      kernel,
      bad,
      () => {
        kernel.irq.setLevel(bad, false)
        throw new Error('driver bug')
      },
      {},
      'bad',
      {},
    )
    handleIrq(kernel, good, () => log.push('good'), 'good')
    expect(() =>
      kernel.hardware(() => {
        kernel.irq.setLevel(bad, true)
        kernel.irq.setLevel(good, true)
      }),
    ).toThrow('driver bug')
    while (host.turn());
    expect(log).toEqual(['good'])
  })
  it('shutdown gives everything back', () => {
    const { host, kernel, event } = setup()
    kernel.hold()
    hwEventStart(event('a'), 0)
    kernel.shutdown()
    expect(host.armed()).toEqual([])
    kernel.release()
    hwEventStart(event('b'), 0)
    expect(host.armed()).toEqual([])
  })
})

describe('the process', () => {
  it('ends although events wait, unless somebody holds the kernel', () => {
    const dir = mkdtempSync(join(tmpdir(), 'vnet-kernel-'))
    try {
      const entry = fileURLToPath(new URL('../src/index.ts', import.meta.url))
      buildSync({ entryPoints: [entry], bundle: true, format: 'esm', outfile: join(dir, 'kernel.mjs') })
      writeFileSync(
        join(dir, 'main.mjs'),
        `import { createKernel, hwEventSetup, hwEventStart } from './kernel.mjs'
         const idle = createKernel({ clock: 'real' })
         hwEventStart(hwEventSetup(idle, () => console.log('idle fired'), 'x'), 3600e9)
         const busy = createKernel({ clock: 'real' })
         busy.hold()
         hwEventStart(hwEventSetup(busy, () => { console.log('busy fired'); busy.release() }, 'x'), 5e6)`,
      )
      expect(execFileSync(process.execPath, [join(dir, 'main.mjs')], { encoding: 'utf8' })).toBe(
        'busy fired\n',
      )
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})

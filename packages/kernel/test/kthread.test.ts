import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerSetup,
  hrtimerStart,
  kthreadRun,
  kthreadStop,
  localBhDisable,
  msleep,
  wakeUpProcess,
} from '@vnet/kernel'
import { broken } from './broken.ts'

describe('kthread', () => {
  it('sleeps until woken and does the work of one wake-up in process context', () => {
    const kernel = createKernel()
    const seen: unknown[] = []
    const thread = kthreadRun(kernel, (t) => seen.push([kernel.ctx, t === thread]), 'napi/vnet0-1')
    kernel.runFor(1e9)
    expect(seen).toEqual([])
    expect(wakeUpProcess(thread)).toBe(true)
    expect(wakeUpProcess(thread)).toBe(false)
    kernel.runFor(0)
    expect(seen).toEqual([['process', true]])
    expect(thread.wakeups).toBe(1)
  })
  it('can be woken from an interrupt, and from inside itself', () => {
    const kernel = createKernel()
    let runs = 0
    const thread = kthreadRun(
      kernel,
      (t) => {
        if (++runs < 3) wakeUpProcess(t)
      },
      'x',
    )
    hrtimerStart(
      hrtimerSetup(kernel, () => wakeUpProcess(thread), 'x'),
      10,
    )
    kernel.runFor(10)
    expect(runs).toBe(3)
  })
  it('woken while it sleeps in its work, it runs after that', () => {
    const kernel = createKernel()
    const log: string[] = []
    const thread = kthreadRun(
      kernel,
      () => {
        log.push('begin')
        msleep(kernel, 1)
        log.push('end')
      },
      'x',
    )
    wakeUpProcess(thread)
    hrtimerStart(
      hrtimerSetup(kernel, () => wakeUpProcess(thread), 'x'),
      10,
    )
    kernel.runFor(1e8)
    expect(log).toEqual(['begin', 'end', 'begin', 'end'])
  })
  it('is listed while it lives, with a number of its own', () => {
    const kernel = createKernel()
    kernel.currentModule = 'vnet'
    const a = kthreadRun(kernel, () => {}, 'a')
    const b = kthreadRun(kernel, () => {}, 'b')
    expect(kernel.kthreads).toEqual([a, b])
    expect([a.pid, b.pid, a.name]).toEqual([3, 4, 'a'])
    kthreadStop(a)
    expect(kernel.census.take()).toEqual([{ kind: 'kthread', name: 'b', module: 'vnet' }])
    expect(kthreadRun(kernel, () => {}, 'c').pid).toBe(5)
  })
  it('stopped it does not run, even if it was woken before', () => {
    const kernel = createKernel()
    const thread = kthreadRun(kernel, () => expect.unreachable(), 'x')
    wakeUpProcess(thread)
    kthreadStop(thread)
    expect(thread.stopped).toBe(true)
    expect(wakeUpProcess(thread)).toBe(false)
    kernel.runFor(1e9)
  })
  it('STOP-01 reports stopping a thread from inside it', () => {
    const kernel = createKernel()
    const thread = kthreadRun(kernel, (t) => kthreadStop(t), 'napi/vnet0-1')
    wakeUpProcess(thread)
    expect(broken(() => kernel.runFor(0))).toBe(
      'STOP-01 kthreadStop(napi/vnet0-1) waits for the thread it is called from',
    )
  })
  it('CTX-02 reports starting and stopping where sleeping is not allowed', () => {
    const kernel = createKernel()
    const thread = kthreadRun(kernel, () => {}, 'x')
    localBhDisable(kernel)
    expect(broken(() => kthreadRun(kernel, () => {}, 'y'))).toContain('CTX-02 kthreadRun')
    expect(broken(() => kthreadStop(thread))).toContain('CTX-02 kthreadStop')
  })
})

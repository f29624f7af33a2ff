import { describe, expect, it } from 'vitest'
import {
  createKernel,
  hrtimerSetup,
  hrtimerStart,
  inSoftirq,
  localBhDisable,
  localBhEnable,
  localIrqRestore,
  localIrqSave,
  modTimer,
  openSoftirq,
  raiseSoftirq,
  Softirq,
  timerSetup,
} from '@vnet/kernel'
import type { Kernel, LockLike } from '@vnet/kernel'
import { broken } from './broken.ts'

function pair(kernel: Kernel, lock: LockLike, bh = false): void {
  kernel.lockdep.acquired(lock, bh)
  kernel.lockdep.released(lock)
}

function inASoftirq(kernel: Kernel, fn: () => void): void {
  modTimer(timerSetup(kernel, fn, 'x'), 0)
  kernel.runFor(1e7)
}

function inAnInterrupt(kernel: Kernel, fn: () => void): void {
  hrtimerStart(hrtimerSetup(kernel, fn, 'x'), 0)
  kernel.runFor(0)
}

describe('lockdep', () => {
  it('CTX-08 knows which locks are held, in the order taken', () => {
    const { lockdep } = createKernel()
    const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]
    for (const lock of [a, b, c]) lockdep.acquired(lock, false)
    expect([lockdep.heldCount, lockdep.heldNames()]).toEqual([3, ['a', 'b', 'c']])
    lockdep.released(b)
    expect([lockdep.heldNames(), lockdep.isHeld(b), lockdep.isHeld(c)]).toEqual([['a', 'c'], false, true])
    lockdep.released(c)
    lockdep.released(a)
    expect(lockdep.heldCount).toBe(0)
  })
  it('a lock taken with bh has softirqs off while it is held', () => {
    const kernel = createKernel()
    const lock = { name: 'tx' }
    let runs = 0
    openSoftirq(kernel, Softirq.NET_TX, () => runs++)
    kernel.lockdep.acquired(lock, true)
    expect(inSoftirq(kernel)).toBe(true)
    raiseSoftirq(kernel, Softirq.NET_TX)
    expect(runs).toBe(0)
    kernel.lockdep.released(lock)
    expect([runs, inSoftirq(kernel)]).toEqual([1, false])
  })
  it('CTX-07 reports a lock used in a softirq and in process context with softirqs on, whichever came first', () => {
    const message = 'CTX-07 lock tx can deadlock: taken in a softirq, and in process context with softirqs on'
    const first = createKernel()
    const lock = { name: 'tx' }
    inASoftirq(first, () => pair(first, lock))
    expect(broken(() => first.lockdep.acquired(lock, false))).toBe(message)
    const second = createKernel()
    pair(second, lock)
    expect(broken(() => inASoftirq(second, () => pair(second, lock)))).toBe(message)
  })
  it('CTX-07 is content with softirqs off in process context, by lock or by hand', () => {
    const kernel = createKernel()
    const lock = { name: 'tx' }
    inASoftirq(kernel, () => pair(kernel, lock))
    pair(kernel, lock, true)
    localBhDisable(kernel)
    pair(kernel, lock)
    localBhEnable(kernel)
    const flags = localIrqSave(kernel)
    pair(kernel, lock)
    localIrqRestore(kernel, flags)
    expect(kernel.violations).toEqual([])
  })
  it('CTX-07 reports a lock used in an interrupt handler and elsewhere with interrupts on', () => {
    const kernel = createKernel()
    const lock = { name: 'hw' }
    inAnInterrupt(kernel, () => pair(kernel, lock))
    const flags = localIrqSave(kernel)
    pair(kernel, lock)
    localIrqRestore(kernel, flags)
    expect(broken(() => inASoftirq(kernel, () => pair(kernel, lock)))).toBe(
      'CTX-07 lock hw can deadlock: taken in an interrupt handler, and elsewhere with interrupts on',
    )
  })
  it('CTX-07 reports each lock once, and two locks of one name apart', () => {
    const kernel = createKernel({ strict: false })
    const [a, b] = [{ name: 'tx' }, { name: 'tx' }]
    inASoftirq(kernel, () => pair(kernel, a))
    pair(kernel, b)
    expect(kernel.violations.length).toBe(0)
    // strict: false leaves checks off unless asked for.
    const checking = createKernel({ strict: false, checks: true })
    inASoftirq(checking, () => pair(checking, a))
    pair(checking, b)
    expect(checking.violations.length).toBe(0)
    for (let i = 0; i < 3; i++) pair(checking, a)
    inAnInterrupt(checking, () => pair(checking, a))
    expect(checking.violations.map((v) => v.rule)).toEqual(['CTX-07'])
  })
  it('CTX-07 reports releasing what is not held', () => {
    const kernel = createKernel()
    expect(broken(() => kernel.lockdep.released({ name: 'tx' }))).toBe('CTX-07 lock tx released but not held')
  })
  it("ignores a card's own locks for deadlocks: hardware is not interrupted", () => {
    const kernel = createKernel()
    const lock = { name: 'card' }
    inASoftirq(kernel, () => pair(kernel, lock))
    kernel.hardware(() => pair(kernel, lock))
    expect(kernel.violations).toEqual([])
  })
  it('an exception in an interrupt forgets the locks it passed', () => {
    const kernel = createKernel()
    kernel.lockdep.acquired({ name: 'outer' }, false)
    const timer = hrtimerSetup(
      kernel,
      () => {
        kernel.lockdep.acquired({ name: 'inner' }, false)
        kernel.warnOn('CTX-06', 'no')
      },
      'x',
    )
    hrtimerStart(timer, 0)
    expect(broken(() => kernel.step())).toBe('CTX-06 no')
    expect(kernel.lockdep.heldNames()).toEqual(['outer'])
  })
})

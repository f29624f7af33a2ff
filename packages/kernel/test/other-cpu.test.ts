import { describe, expect, it } from 'vitest'
import {
  createKernel,
  freeIrq,
  hrtimerCancel,
  hrtimerSetup,
  hrtimerStart,
  inSoftirq,
  localBhDisable,
  localBhEnable,
  localIrqSave,
  maySleep,
  mightSleep,
  modTimer,
  onAnotherCpu,
  openSoftirq,
  raiseSoftirq,
  rcuReadLock,
  ScheduleBlocked,
  Softirq,
  timerDeleteSync,
  timerSetup,
} from '@vnet/kernel'
import { broken } from './broken.ts'
import { handleIrq } from './irq-card.ts'

describe('onAnotherCpu', () => {
  it('is plain process context, whatever goes on here, and here nothing has changed afterwards', () => {
    const kernel = createKernel()
    const lock = { name: 'tx' }
    kernel.lockdep.acquired(lock, true)
    localIrqSave(kernel)
    rcuReadLock(kernel)
    kernel.currentModule = 'vnet'
    let there: unknown
    onAnotherCpu(kernel, () => {
      there = [maySleep(kernel), kernel.lockdep.heldCount, kernel.currentModule]
      kernel.rtnl.run(() => mightSleep(kernel, 'devClose'))
    })
    expect(there).toEqual([true, 0, null])
    expect([maySleep(kernel), inSoftirq(kernel), kernel.lockdep.isHeld(lock)]).toEqual([false, true, true])
    expect([kernel.cpu.irqOffDepth, kernel.cpu.rcuDepth, kernel.currentModule]).toEqual([1, 1, 'vnet'])
  })
  it('comes back also by an exception', () => {
    const kernel = createKernel()
    localBhDisable(kernel)
    expect(
      broken(() =>
        onAnotherCpu(kernel, () => {
          localBhDisable(kernel)
          kernel.warnOn('CTX-01', 'there')
        }),
      ),
    ).toBe('CTX-01 there')
    expect([kernel.cpu.bhDepth, kernel.cpu.otherDepth]).toEqual([1, 0])
  })
  it('runs its own softirqs at once and leaves ours alone', () => {
    const kernel = createKernel()
    const log: string[] = []
    openSoftirq(kernel, Softirq.NET_TX, () => log.push('tx'))
    openSoftirq(kernel, Softirq.NET_RX, () => log.push('rx'))
    localBhDisable(kernel)
    raiseSoftirq(kernel, Softirq.NET_TX)
    onAnotherCpu(kernel, () => {
      localBhDisable(kernel)
      raiseSoftirq(kernel, Softirq.NET_RX)
      localBhEnable(kernel)
      log.push('there')
    })
    localBhEnable(kernel)
    expect(log).toEqual(['rx', 'there', 'tx'])
  })
  it('takes interrupts, but does not enter a handler that runs here', () => {
    const kernel = createKernel()
    const irq = kernel.irq.allocLine('card')
    const log: string[] = []
    let calls = 0
    handleIrq(kernel, irq, () => {
      log.push('begin')
      if (++calls === 1) onAnotherCpu(kernel, () => kernel.irq.setLevel(irq, true))
      log.push('end')
    })
    kernel.irq.setLevel(irq, true)
    expect(log).toEqual(['begin', 'end', 'begin', 'end'])
  })
  it('says that a schedule is impossible when the other CPU would wait for this one', () => {
    const kernel = createKernel()
    const blocked: string[] = []
    const attempt = (fn: () => void) => {
      try {
        onAnotherCpu(kernel, fn)
      } catch (error) {
        if (!(error instanceof ScheduleBlocked)) throw error
        blocked.push(error.message.split(' ')[0]!)
      }
    }
    const irq = kernel.irq.allocLine('card')
    const dev = {}
    handleIrq(kernel, irq, () => attempt(() => freeIrq(kernel, irq, dev)), 'vnet0', dev)
    kernel.irq.setLevel(irq, true)
    modTimer(
      timerSetup(kernel, (t) => attempt(() => timerDeleteSync(t)), 'x'),
      1,
    )
    hrtimerStart(
      hrtimerSetup(kernel, (t) => attempt(() => hrtimerCancel(t)), 'x'),
      1,
    )
    kernel.runFor(1e9)
    kernel.rtnl.run(() => attempt(() => kernel.rtnl.lock()))
    expect(blocked).toEqual(['freeIrq', 'hrtimerCancel(x)', 'timerDeleteSync(x)', 'rtnl.lock:'])
    expect(kernel.violations).toEqual([])
    // Nothing had been changed: the handler is still there.
    expect(kernel.irq.list()[0]!.names).toEqual(['vnet0'])
  })
})

import {
  createKernel,
  hwEventSetup,
  hwEventStart,
  localBhDisable,
  localBhEnable,
  scheduleWork,
  workSetup,
} from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  NAPIF_STATE_PREFER_BUSY_POLL,
  napiBusyLoop,
  napiDisable,
  napiResumeIrqs,
  napiSchedule,
  napiStateNames,
  napiSuspendIrqs,
} from '../src/index.ts'
import { rules, settle, type Source, started, withPoller } from './source.ts'

const US = 1000

/** Ends a loop after so many rounds. */
const rounds = (n: number) => () => --n <= 0

describe('busy polling', () => {
  it('COAL-07 polls with a budget of 8, without an interrupt, and gives the instance back', () => {
    const { kernel, source } = started()
    const budgets: number[] = []
    source.onPoll = (budget) => budgets.push(budget)
    source.backlog = 20
    expect(napiBusyLoop(source.napi, rounds(5))).toBe(20)
    expect(source.polls).toEqual([8, 8, 4, 0, 0, 0])
    expect(new Set(budgets)).toEqual(new Set([8]))
    expect(source.interrupts).toBe(0)
    expect(source.napi.stats.busyPolls).toBe(6)
    source.arrive(1)
    expect(source.interrupts).toBe(1)
    expect(rules(kernel)).toEqual([])
  })

  it('COAL-07 an interrupt during the loop schedules nothing: the loop is the owner', () => {
    const { kernel, source } = started()
    const arrival = hwEventSetup(kernel, () => source.arrive(1), 'card')
    hwEventStart(arrival, 3 * US)
    expect(napiBusyLoop(source.napi, rounds(10))).toBe(1)
    expect(source.strayInterrupts).toBe(1)
    expect(source.napi.stats.scheduled).toBe(0)
    // What was missed was answered by the last poll.
    settle(kernel)
    expect(source.polls.length).toBe(11)
  })

  it('COAL-07 what is left at the end is polled by the softirq', () => {
    const { kernel, source } = started()
    source.backlog = 50
    expect(napiBusyLoop(source.napi, () => true)).toBe(16)
    settle(kernel)
    expect(source.polls).toEqual([8, 8, 34])
    expect(source.masked).toBe(false)
  })

  it('time goes on while it loops: hardware and softirqs act, works and threads wait', () => {
    const { kernel, source } = started()
    const log: string[] = []
    const work = workSetup(kernel, () => log.push('work'), 'test')
    scheduleWork(work)
    const card = hwEventSetup(kernel, () => log.push('card'), 'card')
    hwEventStart(card, 2 * US)
    napiBusyLoop(source.napi, () => kernel.clock.ktimeGet() >= 50 * US)
    log.push('end')
    expect(kernel.clock.ktimeGet()).toBe(50 * US)
    settle(kernel)
    expect(log).toEqual(['card', 'end', 'work'])
  })

  it('leaves an instance alone that somebody else owns, or that is disabled', () => {
    const { kernel, source } = started()
    localBhDisable(kernel)
    napiSchedule(source.napi)
    expect(napiBusyLoop(source.napi, rounds(3))).toBe(0)
    localBhEnable(kernel)
    settle(kernel)
    expect(source.polls).toEqual([0])
    napiDisable(source.napi)
    expect(napiBusyLoop(source.napi, rounds(3))).toBe(0)
    expect(source.polls).toEqual([0])
  })

  it('COAL-07 preferring it takes an instance away from a softirq that never finishes', () => {
    const { kernel, source } = started()
    source.napi.deferHardIrqs = 10
    source.napi.groFlushTimeout = 100 * US
    source.backlog = 1e6
    localBhDisable(kernel)
    napiSchedule(source.napi)
    expect(napiBusyLoop(source.napi, () => true, 8, true)).toBe(0)
    localBhEnable(kernel)
    // The softirq's full poll let go, because the busy loop asked for it.
    expect(source.polls).toEqual([64])
    expect(napiBusyLoop(source.napi, () => true, 8, true)).toBe(16)
  })

  it.each([
    ['preferring it, by the timer', true, 20 * US],
    ['else by the softirq at once', false, 0],
  ])('COAL-07 with deferral set, what is left at the end is polled: %s', (_how, prefer, at) => {
    const { kernel, source } = started()
    source.napi.deferHardIrqs = 2
    source.napi.groFlushTimeout = 20 * US
    source.backlog = 50
    napiBusyLoop(source.napi, () => true, 8, prefer)
    kernel.runFor(1000 * US)
    expect(source.polls.slice(0, 3)).toEqual([8, 8, 34])
    expect(source.times[2]).toBe(at)
    expect(source.masked).toBe(false)
  })

  it('COAL-07 the timer forgets that a busy loop asked for the instance', () => {
    const { kernel, source } = started()
    source.napi.deferHardIrqs = 1
    source.napi.groFlushTimeout = 20 * US
    const states: string[] = []
    source.onPoll = () => states.push(napiStateNames(source.napi.state))
    source.arrive(1)
    source.napi.state |= NAPIF_STATE_PREFER_BUSY_POLL
    kernel.runFor(1000 * US)
    expect(states).toEqual(['SCHED|LISTED', 'SCHED|LISTED'])
  })

  it('NAPI-06 reports a poll that does not complete here, too', () => {
    const { kernel, napi } = withPoller(() => 1)
    napiBusyLoop(napi, () => true)
    expect(rules(kernel)).toEqual(['NAPI-06', 'NAPI-06'])
  })

  it('an exception in a poll gives the loop up and leaves the instance ready to be stopped', () => {
    const { kernel, napi } = withPoller(() => {
      throw new Error('oops')
    })
    expect(() => napiBusyLoop(napi, () => true)).toThrow('oops')
    expect([kernel.cpu.bhDepth, kernel.cpu.rcuDepth]).toEqual([0, 0])
    napiDisable(napi)
    expect(rules(kernel)).toEqual([])
  })
})

/** One turn of an application's epoll loop: busy polls; suspends interrupts when it got something, resumes if not. */
function epollTurn(source: Source, us: number): number {
  const { napi, kernel } = source
  const end = kernel.clock.ktimeGet() + us * US
  const before = source.handled
  napiBusyLoop(napi, () => source.handled > before || kernel.clock.ktimeGet() >= end, 8, true)
  const got = source.handled - before
  if (got > 0) napiSuspendIrqs(napi)
  else napiResumeIrqs(napi)
  return got
}

describe('on a real clock', () => {
  it('finds what the hardware brings while it loops', () => {
    const { kernel, source } = started({ clock: 'real' })
    const card = hwEventSetup(kernel, () => source.arrive(3), 'card')
    hwEventStart(card, 50 * US)
    expect(napiBusyLoop(source.napi, () => source.handled > 0)).toBe(3)
    expect(source.masked).toBe(false)
    kernel.shutdown()
  })
})

describe('interrupt suspension', () => {
  const suspended = () => {
    const env = started()
    Object.assign(env.source.napi, {
      deferHardIrqs: 2,
      groFlushTimeout: 20 * US,
      irqSuspendTimeout: 500 * US,
    })
    return env
  }

  it('COAL-06 masked while busy polls find work, whatever the application takes between them', () => {
    const { kernel, source } = suspended()
    source.arrive(1)
    for (let i = 0; i < 20; i++) {
      source.arrive(3)
      expect(epollTurn(source, 50)).toBe(3)
      kernel.runFor(300 * US)
    }
    expect(source.interrupts).toBe(1)
    expect(source.masked).toBe(true)
  })

  it('COAL-06 the first turn that finds nothing returns to deferral, and then to interrupts', () => {
    const { kernel, source } = suspended()
    source.arrive(1)
    source.arrive(1)
    epollTurn(source, 50)
    const before = source.polls.length
    expect(epollTurn(source, 50)).toBe(0)
    expect(source.masked).toBe(true)
    const busy = source.polls.length
    expect(busy).toBeGreaterThan(before)
    kernel.runFor(1000 * US)
    expect(source.masked).toBe(false)
    // Of the two empty polls waited for, the loop's last one was the first.
    expect(source.polls.length - busy).toBe(1)
  })

  it('COAL-06 the timeout is the safety net for an application that does not come back', () => {
    const { kernel, source } = suspended()
    source.arrive(1)
    source.arrive(1)
    epollTurn(source, 50)
    const from = source.polls.length
    const at = kernel.clock.ktimeGet()
    source.backlog += 4
    kernel.runFor(499 * US)
    expect(source.polls.length).toBe(from)
    kernel.runFor(2 * US)
    expect(source.polls.slice(from)).toEqual([4])
    expect(source.times[from]).toBe(at + 500 * US)
    kernel.runFor(1000 * US)
    expect(source.masked).toBe(false)
  })

  it('COAL-06 without a timeout set, suspending and resuming do nothing', () => {
    const { kernel, source } = started()
    napiSuspendIrqs(source.napi)
    napiResumeIrqs(source.napi)
    settle(kernel)
    expect(source.polls).toEqual([])
    expect(createKernel().census.take()).toEqual([])
  })
})

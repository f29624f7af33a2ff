import { hrtimerStart, localBhDisable, localBhEnable, rcuReadLock, rcuReadUnlock, udelay } from '@vnet/kernel'
import type { NapiStruct } from './napi-struct.ts'
import { runPoll } from './poll.ts'
import { __napiSchedule, napiSchedule } from './schedule.ts'
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_IN_BUSY_POLL,
  NAPIF_STATE_LISTED,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
} from './state.ts'

/** Most work of one busy poll: small, so that the application sees it soon. @kernel BUSY_POLL_BUDGET net/core/dev.c */
export const BUSY_POLL_BUDGET = 8

/** What one round of a busy loop takes, in µs, on a virtual clock. */
const ROUND_US = 1
/** Events let through in a round: those that arm each other without time passing must not hold it up. */
const MAX_EVENTS = 1000

/**
 * Polls the instance from the caller's own context until `loopEnd()` is true, instead of waiting for an interrupt.
 *
 * Each round polls once, if nobody else owns the instance, asks `loopEnd`, and lets a microsecond pass: hardware,
 * timers and softirqs go on, works and threads wait. At the end one more poll gives the interrupt back to the driver;
 * with `preferBusyPoll` and the instance's deferral set, the timer takes over and interrupts stay masked.
 *
 * @returns the work found
 * @kernel napi_busy_loop() net/core/dev.c
 * @rule COAL-06 COAL-07
 */
export function napiBusyLoop(
  n: NapiStruct,
  loopEnd: () => boolean,
  budget = BUSY_POLL_BUDGET,
  preferBusyPoll = false,
): number {
  const { kernel } = n
  let found = 0
  let owned = false
  rcuReadLock(kernel)
  try {
    for (;;) {
      owned = owned || claim(n, preferBusyPoll)
      if (owned) found += busyPoll(n, budget)
      if (loopEnd()) break
      relax(n)
    }
    if (owned) found += busyPollStop(n, budget, preferBusyPoll)
  } finally {
    n.state &= ~(owned ? NAPIF_STATE_IN_BUSY_POLL : 0)
    rcuReadUnlock(kernel)
  }
  return found
}

/**
 * Tells that the application got what it wanted from a busy loop: interrupts stay masked while it works.
 *
 * The instance's `irqSuspendTimeout` is the safety net, for an application that does not come back.
 *
 * @kernel napi_suspend_irqs() net/core/dev.c
 * @rule COAL-06
 */
export function napiSuspendIrqs(n: NapiStruct): void {
  if (n.irqSuspendTimeout > 0) hrtimerStart(n.timer, n.irqSuspendTimeout)
}

/**
 * Tells that a busy loop found nothing and the application is going to sleep: back to deferral, then to interrupts.
 *
 * @kernel napi_resume_irqs() net/core/dev.c
 * @rule COAL-06
 */
export function napiResumeIrqs(n: NapiStruct): void {
  if (n.irqSuspendTimeout === 0) return
  localBhDisable(n.kernel)
  napiSchedule(n)
  localBhEnable(n.kernel)
}

/** Takes the instance if it is free; asks its owner for it if not, when the caller prefers busy polling. */
function claim(n: NapiStruct, prefer: boolean): boolean {
  if ((n.state & NAPIF_STATE_LISTED) === 0) return false
  if ((n.state & (NAPIF_STATE_DISABLE | NAPIF_STATE_SCHED | NAPIF_STATE_IN_BUSY_POLL)) === 0) {
    n.state |= NAPIF_STATE_SCHED | NAPIF_STATE_IN_BUSY_POLL
    return true
  }
  if (prefer) n.state |= NAPIF_STATE_PREFER_BUSY_POLL
  return false
}

function busyPoll(n: NapiStruct, budget: number): number {
  localBhDisable(n.kernel)
  try {
    n.stats.busyPolls++
    const work = runPoll(n, budget)
    if (n.flushHook !== null) n.flushHook.flush(true)
    return work
  } finally {
    localBhEnable(n.kernel)
  }
}

/** Gives the instance back with one more poll, in which the driver may complete and unmask. */
function busyPollStop(n: NapiStruct, budget: number, prefer: boolean): number {
  // A schedule missed so far is answered by the poll that follows.
  n.state &= ~(NAPIF_STATE_MISSED | NAPIF_STATE_IN_BUSY_POLL)
  localBhDisable(n.kernel)
  try {
    const byTimer = prefer && deferToTimer(n)
    n.stats.busyPolls++
    const work = runPoll(n, budget)
    if (work === budget && !n.didComplete) leaveWork(n, byTimer)
    return work
  } finally {
    localBhEnable(n.kernel)
  }
}

function deferToTimer(n: NapiStruct): boolean {
  n.deferHardIrqsCount = n.deferHardIrqs
  if (n.deferHardIrqsCount === 0 || n.groFlushTimeout === 0) return false
  hrtimerStart(n.timer, n.groFlushTimeout)
  return true
}

/** There is more: the timer polls next, or the softirq at once. */
function leaveWork(n: NapiStruct, byTimer: boolean): void {
  if (n.flushHook !== null) n.flushHook.flush(!byTimer || n.kernel.clock.hz >= 1000)
  if (byTimer) n.state &= ~NAPIF_STATE_SCHED
  else __napiSchedule(n)
}

function relax(n: NapiStruct): void {
  const { clock, events } = n.kernel
  const end = clock.ktimeGet() + ROUND_US * 1000
  for (let i = 0; i < MAX_EVENTS && events.runOne(clock.real ? clock.ktimeGet() : end); i++);
  const left = end - clock.ktimeGet()
  if (left > 0 && !clock.real) udelay(n.kernel, left / 1000)
}

import { hrtimerStart } from '@vnet/kernel'
import { isLinked, unlink } from './list.ts'
import { napiName, type NapiStruct } from './napi-struct.ts'
import { __napiSchedule } from './schedule.ts'
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_IN_BUSY_POLL,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_NPSVC,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
  NAPIF_STATE_SCHED_THREADED,
} from './state.ts'

const RELEASED =
  NAPIF_STATE_MISSED | NAPIF_STATE_SCHED | NAPIF_STATE_SCHED_THREADED | NAPIF_STATE_PREFER_BUSY_POLL

/**
 * Ends polling for now: a poll calls it when it handled less than its budget and nothing is left.
 *
 * Afterwards someone else may poll the instance at any moment: touch nothing its polls share but the interrupt mask.
 *
 * @param workDone - what was handled; a poll that handled exactly its budget may complete and return one less
 * @returns true: unmask the interrupt. false: leave it masked, another poll comes by itself
 * @kernel napi_complete_done() net/core/dev.c
 * @rule NAPI-06 NAPI-09 NAPI-10 NAPI-11 COAL-03 COAL-04
 */
export function napiCompleteDone(n: NapiStruct, workDone: number): boolean {
  if ((n.state & (NAPIF_STATE_NPSVC | NAPIF_STATE_IN_BUSY_POLL)) !== 0) return keptByOwner(n)
  if ((n.state & NAPIF_STATE_SCHED) === 0) return notOwned(n)
  n.completing = true

  const hook = n.flushHook
  let timeout = 0
  let deferred = false
  if (workDone !== 0) {
    if (hook !== null && hook.count > 0) timeout = n.groFlushTimeout
    n.deferHardIrqsCount = n.deferHardIrqs
  }
  if (n.deferHardIrqsCount > 0) {
    n.deferHardIrqsCount--
    timeout = n.groFlushTimeout
    deferred = timeout > 0
  }
  // Held items wait for the timer; without one they would wait for ever.
  if (hook !== null) hook.flush(timeout > 0)

  if (isLinked(n.node)) unlink(n.node)
  // Read again: the flush may have led to a schedule.
  const state = n.state
  if ((state & NAPIF_STATE_MISSED) !== 0) {
    n.state = (state & ~RELEASED) | NAPIF_STATE_SCHED
    __napiSchedule(n)
    return false
  }
  n.state = state & ~RELEASED
  if (timeout > 0) hrtimerStart(n.timer, timeout)
  if (deferred) n.stats.deferred++
  else n.stats.completed++
  const { kernel } = n
  if (kernel.preemptHook !== null) kernel.preemptHook('napi:after-complete')
  return !deferred
}

/**
 * Ends polling as `napiCompleteDone(n, 0)` does.
 *
 * @kernel napi_complete() include/linux/netdevice.h
 */
export function napiComplete(n: NapiStruct): boolean {
  return napiCompleteDone(n, 0)
}

/**
 * The deferral timer, in hardirq context: puts the instance up for polling without owing another poll.
 *
 * @kernel napi_watchdog() net/core/dev.c
 * @rule COAL-05
 */
export function napiWatchdog(n: NapiStruct): void {
  if ((n.state & (NAPIF_STATE_DISABLE | NAPIF_STATE_SCHED)) !== 0) return
  n.state = (n.state | NAPIF_STATE_SCHED) & ~NAPIF_STATE_PREFER_BUSY_POLL
  n.stats.timerFired++
  __napiSchedule(n)
}

/** A busy loop polls on, whatever this poll found; netpoll only wants sent buffers back. */
function keptByOwner(n: NapiStruct): boolean {
  n.completing = true
  if ((n.state & NAPIF_STATE_NPSVC) === 0) return false
  if (n.depth > 0) {
    n.kernel.warnOn('NAPI-04', `${napiName(n)}: completed in a poll with budget 0`)
  } else {
    n.kernel.warnOn('NAPI-01', `${napiName(n)}: completed while disabled`)
  }
  return false
}

function notOwned(n: NapiStruct): boolean {
  n.kernel.warnOn(
    'CTX-04',
    `${napiName(n)}: completed by someone who does not own it: polled without a schedule, or completed twice`,
  )
  return false
}

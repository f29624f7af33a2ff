import { raiseSoftirq, Softirq, wakeUpProcess } from '@vnet/kernel'
import { addTail, isLinked } from './list.ts'
import { isDisabled, napiName, type NapiStruct } from './napi-struct.ts'
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_LISTED,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_SCHED,
  NAPIF_STATE_SCHED_THREADED,
  NAPIF_STATE_THREADED,
} from './state.ts'

/**
 * Takes the instance for polling. An interrupt handler calls it, masks its interrupt if it got true, and then calls
 * `__napiSchedule`. Any context.
 *
 * @returns true: now owned, and `__napiSchedule` must follow. false: owned already, and one more poll is owed; or
 * disabled.
 * @kernel napi_schedule_prep() net/core/dev.c
 * @rule NAPI-01 NAPI-10 NAPI-12
 */
export function napiSchedulePrep(n: NapiStruct): boolean {
  const state = n.state
  if ((state & NAPIF_STATE_DISABLE) !== 0) return false
  if ((state & NAPIF_STATE_SCHED) !== 0) {
    n.state = state | NAPIF_STATE_MISSED
    n.stats.missed++
    return false
  }
  n.state = state | NAPIF_STATE_SCHED
  return true
}

/**
 * Puts an instance that `napiSchedulePrep` took up for polling, by the softirq or by its thread. Any context.
 *
 * From process context, call it with softirqs off: they run when they are on again.
 *
 * @kernel __napi_schedule() net/core/dev.c
 * @rule NAPI-12
 */
export function __napiSchedule(n: NapiStruct): void {
  if (n.kernel.checks && !mayBeScheduled(n)) return
  const { softnet } = n
  n.stats.scheduled++
  if ((n.state & NAPIF_STATE_THREADED) !== 0 && n.thread !== null) {
    n.state |= NAPIF_STATE_SCHED_THREADED
    wakeUpProcess(n.thread)
    return
  }
  // A list with the same node twice would never end.
  if (isLinked(n.node)) return
  addTail(softnet.pollList, n.node)
  if (!softnet.inNetRxAction) raiseSoftirq(n.kernel, Softirq.NET_RX)
}

/**
 * Schedules a poll: `napiSchedulePrep`, and `__napiSchedule` if that got it. For sources with nothing to mask.
 *
 * @returns true when this call scheduled it
 * @kernel napi_schedule() include/linux/netdevice.h
 */
export function napiSchedule(n: NapiStruct): boolean {
  if (!napiSchedulePrep(n)) return false
  __napiSchedule(n)
  return true
}

/**
 * Asks for one more poll if the instance is owned, and does nothing if it is not.
 *
 * @returns true when it was owned
 * @kernel napi_if_scheduled_mark_missed() include/linux/netdevice.h
 */
export function napiIfScheduledMarkMissed(n: NapiStruct): boolean {
  if ((n.state & NAPIF_STATE_DISABLE) !== 0) return true
  if ((n.state & NAPIF_STATE_SCHED) === 0) return false
  n.state |= NAPIF_STATE_MISSED
  n.stats.missed++
  return true
}

function mayBeScheduled(n: NapiStruct): boolean {
  if ((n.state & NAPIF_STATE_LISTED) === 0) {
    n.kernel.warnOn('NAPI-21', `${napiName(n)}: scheduled, but not added, or its memory was written over`)
  } else if (isDisabled(n)) {
    n.kernel.warnOn('NAPI-01', `${napiName(n)}: scheduled while disabled`)
  } else if ((n.state & NAPIF_STATE_SCHED) === 0) {
    n.kernel.warnOn('NAPI-12', `${napiName(n)}: __napiSchedule without napiSchedulePrep`)
  } else if (isLinked(n.node) || (n.state & NAPIF_STATE_SCHED_THREADED) !== 0) {
    n.kernel.warnOn(
      'NAPI-12',
      `${napiName(n)}: __napiSchedule on an instance that waits to be polled already`,
    )
  } else {
    return true
  }
  return false
}

import { kthreadRun, kthreadStop, localBhDisable, localBhEnable, wakeUpProcess } from '@vnet/kernel'
import { saveConfig } from './config.ts'
import { isDisabled, type NapiStruct } from './napi-struct.ts'
import { napiPollOwned } from './poll.ts'
import { __napiSchedule } from './schedule.ts'
import { NAPIF_STATE_SCHED_THREADED, NAPIF_STATE_THREADED } from './state.ts'

/**
 * Has instances polled by threads of their own, named `napi/<owner>-<id>`, or by the softirq again. Process context.
 *
 * It may be done while they work. With an index, it survives deleting and adding again.
 *
 * @kernel netif_set_threaded() net/core/dev.c
 * @rule COAL-08
 */
export function devSetThreaded(napis: NapiStruct | Iterable<NapiStruct>, on: boolean): void {
  const all = Symbol.iterator in napis ? napis : [napis]
  for (const n of all) {
    if (n.threaded === on) continue
    if (on) startThread(n)
    else stopThread(n)
    saveConfig(n)
  }
}

/** Gives the instance its thread; one that is being polled just now changes over at its next schedule. */
export function startThread(n: NapiStruct): void {
  const { kernel } = n
  const outer = kernel.currentModule
  kernel.currentModule = n.module
  try {
    n.thread = kthreadRun(kernel, () => threadedPoll(n), `napi/${n.owner.name}-${n.napiId}`)
  } finally {
    kernel.currentModule = outer
  }
  n.threaded = true
  if (!isDisabled(n)) n.state |= NAPIF_STATE_THREADED
}

/** Takes the thread away; what it had not finished goes to the softirq. */
export function stopThread(n: NapiStruct): void {
  if (n.thread !== null) kthreadStop(n.thread)
  const owned = (n.state & NAPIF_STATE_SCHED_THREADED) !== 0
  n.thread = null
  n.threaded = false
  n.state &= ~(NAPIF_STATE_THREADED | NAPIF_STATE_SCHED_THREADED)
  if (!owned) return
  localBhDisable(n.kernel)
  __napiSchedule(n)
  localBhEnable(n.kernel)
}

/**
 * One wake-up of the thread: one poll. It goes behind whatever else is due before it polls again.
 *
 * @kernel napi_threaded_poll() net/core/dev.c
 * @rule COAL-08 CTX-04
 */
export function threadedPoll(n: NapiStruct): void {
  if ((n.state & NAPIF_STATE_SCHED_THREADED) === 0 || n.stuck) return
  const { kernel } = n
  localBhDisable(kernel)
  try {
    napiPollOwned(n)
  } finally {
    localBhEnable(kernel)
  }
  if (n.repoll && n.thread !== null) wakeUpProcess(n.thread)
}

import { napiComplete, napiCompleteDone } from './complete.ts'
import { isLinked } from './list.ts'
import { napiName, type NapiStruct } from './napi-struct.ts'
import { napiSchedule } from './schedule.ts'
import { NAPIF_STATE_DISABLE, NAPIF_STATE_PREFER_BUSY_POLL, NAPIF_STATE_SCHED } from './state.ts'

/**
 * Polls an instance its caller owns, once, by the rules of the softirq loop. `n.repoll` says whether it wants more.
 *
 * @kernel __napi_poll() net/core/dev.c
 * @rule NAPI-02 NAPI-05 NAPI-06 NAPI-08
 */
export function napiPollOwned(n: NapiStruct): number {
  n.repoll = false
  if ((n.state & NAPIF_STATE_SCHED) === 0) return 0
  const { weight } = n
  const work = runPoll(n, weight)
  if (work === weight && !n.didComplete) usedUp(n, work)
  return work
}

/**
 * Calls the poll function and judges what it did. Returns its work, never more than the budget.
 *
 * @rule CTX-04 NAPI-02 NAPI-04 NAPI-06 NAPI-08
 */
export function runPoll(n: NapiStruct, budget: number): number {
  const { stats, softnet } = n
  stats.polls++
  let work = callPoll(n, budget)
  if (softnet.tracePoll.enabled) softnet.tracePoll.emit(n.owner.name, work, budget)
  // Good is: less than the budget and completed, or exactly the budget and not.
  const good = work === budget ? !n.didComplete : work >= 0 && work < budget && n.didComplete
  if (!good) work = misbehaved(n, work, budget)
  stats.work += work
  softnet.processed += work
  return work
}

function callPoll(n: NapiStruct, budget: number): number {
  const { kernel } = n
  const outerModule = kernel.currentModule
  const outerBudget = n.budget
  const outerCompleting = n.completing
  kernel.currentModule = n.module
  n.budget = budget
  n.completing = false
  // Until it returns: an exception leaves the instance with nobody who would poll it again.
  n.stuck = true
  n.depth++
  try {
    const work = n.poll(n, budget)
    n.stuck = false
    return work
  } finally {
    n.depth--
    n.didComplete = n.completing
    n.completing = outerCompleting
    n.budget = outerBudget
    kernel.currentModule = outerModule
  }
}

/** A poll used all of its weight: it goes on later, unless something else is more urgent. */
function usedUp(n: NapiStruct, work: number): void {
  if ((n.state & NAPIF_STATE_DISABLE) !== 0) {
    napiComplete(n)
    return
  }
  if ((n.state & NAPIF_STATE_PREFER_BUSY_POLL) !== 0) {
    // Without a timer nobody else would poll it again.
    if (napiCompleteDone(n, work)) napiSchedule(n)
    return
  }
  if (n.flushHook !== null) n.flushHook.flush(n.kernel.clock.hz >= 1000)
  if (isLinked(n.node)) {
    n.kernel.warnOn('NAPI-12', `${napiName(n)}: poll used its budget and put itself up for polling as well`)
    return
  }
  n.repoll = true
}

/** Says which rule a poll broke. Without strict mode it goes on as well as it can. */
function misbehaved(n: NapiStruct, work: number, budget: number): number {
  if (budget === 0) {
    // Completing was reported there.
    if (work !== 0) n.kernel.warnOn('NAPI-04', `${napiName(n)}: poll returned ${work} with budget 0`)
    return 0
  }
  if (!(work >= 0 && work <= budget)) {
    n.stuck = true
    n.kernel.warnOn('NAPI-02', `${napiName(n)}: poll returned ${work}, exceeding its budget of ${budget}`)
    n.stuck = false
    return work > budget ? budget : 0
  }
  if (n.didComplete) {
    n.kernel.warnOn('NAPI-08', `${napiName(n)}: poll completed and returned its whole budget of ${budget}`)
  } else if (isLinked(n.node)) {
    n.kernel.warnOn('NAPI-12', `${napiName(n)}: poll put itself up for polling without completing`)
  } else {
    n.stuck = true
    n.kernel.warnOn(
      'NAPI-06',
      `${napiName(n)}: poll returned ${work}, less than its budget of ${budget}, without completing; it is stuck`,
    )
  }
  return work
}

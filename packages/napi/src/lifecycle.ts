import { hrtimerCancel, localBhDisable, localBhEnable, mightSleep, ScheduleBlocked } from '@vnet/kernel'
import { ownerConfig, saveConfig } from './config.ts'
import { napiWatchdog } from './complete.ts'
import { isLinked, unlink } from './list.ts'
import { isDisabled, napiName, type NapiOwner, type NapiPoll, NapiStruct } from './napi-struct.ts'
import { softnet } from './softnet.ts'
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_IN_BUSY_POLL,
  NAPIF_STATE_LISTED,
  NAPIF_STATE_NPSVC,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
  NAPIF_STATE_SCHED_THREADED,
  NAPIF_STATE_THREADED,
} from './state.ts'
import { startThread, stopThread, threadedPoll } from './threaded.ts'

/** Most work of one poll. @kernel NAPI_POLL_WEIGHT include/linux/netdevice.h */
export const NAPI_POLL_WEIGHT = 64

/** Rounds napiDisable gives an owner that never completes: a softirq run ends after ten, so this is ample. */
const PATIENCE = 1000

/** What `netifNapiAdd` takes besides the poll function. */
export interface NapiAddOptions {
  /** Most work of one poll, 1 … 64. @default 64 */
  readonly weight?: number
  /** A stable number, such as that of the queue: settings and id survive deleting and adding again. */
  readonly index?: number
}

/**
 * Makes an instance, disabled, and gives it to its owner. Process context.
 *
 * @kernel netif_napi_add() include/linux/netdevice.h
 * @kernel netif_napi_add_config() include/linux/netdevice.h
 * @rule NAPI-01 NAPI-16 NAPI-20 NAPI-21
 */
export function netifNapiAdd(owner: NapiOwner, poll: NapiPoll, options: NapiAddOptions = {}): NapiStruct {
  const data = softnet(owner.kernel)
  const index = options.index ?? -1
  if (index >= 0) refuseTwice(owner, index)
  const config = ownerConfig(owner)
  const saved = config.saved.get(index)
  const n = new NapiStruct({
    owner,
    softnet: data,
    poll,
    weight: checkedWeight(owner, options.weight ?? NAPI_POLL_WEIGHT),
    napiId: saved?.napiId ?? data.nextId++,
    index,
    watchdog: napiWatchdog,
    remove: netifNapiDel,
  })
  n.deferHardIrqs = saved?.deferHardIrqs ?? config.deferHardIrqs
  n.groFlushTimeout = saved?.groFlushTimeout ?? config.groFlushTimeout
  n.irqSuspendTimeout = saved?.irqSuspendTimeout ?? 0
  data.napis.push(n)
  if (saved?.threaded === true) startThread(n)
  owner.napiAttach?.(n)
  return n
}

/**
 * Deletes a disabled instance; one that was deleted already is left alone. Process context.
 *
 * @kernel netif_napi_del() include/linux/netdevice.h
 * @rule NAPI-19
 */
export function netifNapiDel(n: NapiStruct): void {
  mightSleep(n.kernel, 'netifNapiDel')
  if ((n.state & NAPIF_STATE_LISTED) === 0) return
  const wasEnabled = !isDisabled(n)
  retire(n)
  if (n.thread !== null) stopThread(n)
  n.state = NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC
  const { napis } = n.softnet
  napis.splice(napis.indexOf(n), 1)
  n.owner.napiDetach?.(n)
  if (wasEnabled) n.kernel.warnOn('NAPI-19', `${napiName(n)}: deleted without being disabled`)
}

/**
 * Lets the instance be scheduled. Process context, in `ndoOpen`, before the interrupt is unmasked.
 *
 * @kernel napi_enable() net/core/dev.c
 * @rule NAPI-01 NAPI-15 NAPI-21 OPEN-04
 */
export function napiEnable(n: NapiStruct): void {
  if ((n.state & NAPIF_STATE_LISTED) === 0) {
    n.kernel.warnOn('NAPI-21', `${napiName(n)}: enabled, but not added, or its memory was written over`)
    return
  }
  if (!isDisabled(n)) {
    n.kernel.warnOn('NAPI-15', `${napiName(n)}: enabled twice`)
    return
  }
  n.stuck = false
  n.state &= ~(NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC)
  if (n.threaded) n.state |= NAPIF_STATE_THREADED
}

/**
 * Keeps the instance from being scheduled, and waits for whoever polls it: when it returns, no poll runs or will.
 *
 * Process context, in `ndoStop`. Polls left over are run here. Called from a poll of the instance, or twice in a row,
 * it would wait for ever, and is reported.
 *
 * @throws ScheduleBlocked inside onAnotherCpu(), while the poll stands still here
 * @kernel napi_disable() net/core/dev.c
 * @rule NAPI-01 NAPI-15 STOP-01 STOP-03
 */
export function napiDisable(n: NapiStruct): void {
  waitElsewhere(n)
  let why = whyHopeless(n)
  if (why === '') {
    mightSleep(n.kernel, 'napiDisable')
    n.state |= NAPIF_STATE_DISABLE
    why = waitForOwner(n)
  }
  retire(n)
  if (why !== '') n.kernel.warnOn('NAPI-15', `${napiName(n)}: ${why}`)
}

/** Takes the instance from whoever may have it, and silences its timer. */
function retire(n: NapiStruct): void {
  if (isLinked(n.node)) unlink(n.node)
  n.state |= NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC
  n.state &= ~(
    NAPIF_STATE_DISABLE |
    NAPIF_STATE_THREADED |
    NAPIF_STATE_SCHED_THREADED |
    NAPIF_STATE_PREFER_BUSY_POLL |
    NAPIF_STATE_IN_BUSY_POLL
  )
  hrtimerCancel(n.timer)
  saveConfig(n)
}

/** On another CPU it would wait for the owner that stands still on this one: such a schedule is impossible. */
function waitElsewhere(n: NapiStruct): void {
  if (n.kernel.cpu.otherDepth === 0 || isDisabled(n) || (n.state & NAPIF_STATE_SCHED) === 0) return
  if (n.depth === 0 && (n.state & NAPIF_STATE_SCHED_THREADED) !== 0) return
  throw new ScheduleBlocked(`napiDisable waits for the poll of ${napiName(n)}`)
}

/** Gives the reason when the owner is the caller itself, or nobody. */
function whyHopeless(n: NapiStruct): string {
  if (isDisabled(n)) return 'disabled twice in a row, waits for itself for ever'
  // A poll on another CPU that has completed does not own it any more.
  if (n.depth > 0 && n.kernel.cpu.otherDepth === 0)
    return 'disabled from inside its own poll, waits for itself for ever'
  if ((n.state & NAPIF_STATE_IN_BUSY_POLL) !== 0) return 'disabled from inside a busy loop that has it'
  return ''
}

/** Lets the owner finish; gives the reason when it never will. */
function waitForOwner(n: NapiStruct): string {
  for (let round = 0; round < PATIENCE; round++) {
    // What left it stuck was reported.
    if ((n.state & NAPIF_STATE_SCHED) === 0 || n.stuck) return ''
    if ((n.state & NAPIF_STATE_SCHED_THREADED) !== 0) threadedPoll(n)
    else if (isLinked(n.node)) runSoftirqs(n)
    else return 'taken with napiSchedulePrep, never given to __napiSchedule'
  }
  return `still owned after ${PATIENCE} polls`
}

/** Softirqs run when they are turned on. */
function runSoftirqs(n: NapiStruct): void {
  localBhDisable(n.kernel)
  localBhEnable(n.kernel)
}

function checkedWeight(owner: NapiOwner, weight: number): number {
  if (Number.isInteger(weight) && weight >= 1 && weight <= NAPI_POLL_WEIGHT) return weight
  owner.kernel.warnOn('NAPI-16', `${owner.name}: napi weight ${weight} is not from 1 to ${NAPI_POLL_WEIGHT}`)
  return NAPI_POLL_WEIGHT
}

function refuseTwice(owner: NapiOwner, index: number): void {
  const twin = softnet(owner.kernel).napis.find((n) => n.owner === owner && n.index === index)
  if (twin !== undefined) owner.kernel.warnOn('NAPI-21', `${napiName(twin)}: index ${index} added twice`)
}

import { Callback } from './callback.ts'
import { mightSleep, unwind } from './context.ts'
import { EventKind } from './event-kind.ts'
import { IDLE } from './heap.ts'
import { reportEndlessWait } from './other-cpu.ts'
import type { Kernel } from './kernel.ts'

/**
 * A piece of work for later, in process context, where it may sleep and take rtnl.
 *
 * @kernel struct work_struct include/linux/workqueue_types.h
 */
export class WorkStruct extends Callback<WorkStruct> {}

/**
 * Makes a work; it is not queued.
 *
 * @kernel INIT_WORK() include/linux/workqueue.h
 */
export function workSetup(kernel: Kernel, fn: (work: WorkStruct) => void, owner: string): WorkStruct {
  return new WorkStruct(kernel, EventKind.WORK, fn, owner)
}

/**
 * Queues the work to run soon. Any context. Queued while it runs, it runs once more.
 *
 * @returns false when it was queued already
 * @kernel schedule_work() include/linux/workqueue.h
 */
export function scheduleWork(work: WorkStruct): boolean {
  if (work.event.slot !== IDLE) return false
  work.kernel.events.startNow(work.event)
  return true
}

/**
 * Queues the work to run after a number of ticks.
 *
 * @returns false when it was queued already: its time stays
 * @kernel schedule_delayed_work() include/linux/workqueue.h
 */
export function scheduleDelayedWork(work: WorkStruct, delayJiffies: number): boolean {
  if (work.event.slot !== IDLE) return false
  const { clock, events } = work.kernel
  events.startIn(work.event, delayJiffies * clock.tickNs)
  return true
}

/** True from queueing until the function begins. @kernel work_pending() include/linux/workqueue.h */
export function workPending(work: WorkStruct): boolean {
  return work.event.slot !== IDLE
}

/**
 * Takes the work out of the queue without waiting for it. Any context.
 *
 * @returns true when it was queued
 * @kernel cancel_work() kernel/workqueue.c
 */
export function cancelWork(work: WorkStruct): boolean {
  return work.kernel.events.cancel(work.event)
}

/**
 * Takes the work out of the queue and waits for it. Process context; from inside the work it is reported.
 *
 * @returns true when it was queued
 * @kernel cancel_work_sync() kernel/workqueue.c
 * @rule STOP-01
 */
export function cancelWorkSync(work: WorkStruct): boolean {
  waitFor(work, 'cancelWorkSync')
  return work.kernel.events.cancel(work.event)
}

/**
 * Returns when the work is done: one that is queued runs now. Process context; from inside the work it is reported.
 *
 * @returns true when there was something to wait for
 * @kernel flush_work() kernel/workqueue.c
 * @rule STOP-01
 */
export function flushWork(work: WorkStruct): boolean {
  waitFor(work, 'flushWork')
  if (!work.kernel.events.cancel(work.event)) return false
  runTask(work)
  return true
}

/** Runs a work or a thread from plain process context, and comes back to it even by an exception. @kernel none */
export function runTask(task: Callback<never>): void {
  let done = false
  try {
    task.invoke()
    done = true
  } finally {
    if (!done) unwind(task.kernel, 0, 0, 0)
  }
}

function waitFor(work: WorkStruct, what: string): void {
  mightSleep(work.kernel, what)
  if (work.running)
    reportEndlessWait(work.kernel, 'STOP-01', `${what}(${work.owner}) waits for the work it is called from`)
}

import { Callback } from './callback.ts'
import { EventKind } from './event-kind.ts'
import { DEFERRED, IDLE } from './heap.ts'
import { reportEndlessWait } from './other-cpu.ts'
import { Softirq } from './softirq.ts'
import type { Kernel } from './kernel.ts'

/**
 * A timer that counts in ticks and runs in softirq context. Made by timerSetup(), once, and armed as often as needed.
 *
 * @kernel struct timer_list include/linux/timer_types.h
 */
export class TimerList extends Callback<TimerList> {
  /** The tick it was last armed for. */
  expires = 0
}

/**
 * Makes a timer; it is not armed.
 *
 * `fn` runs in softirq context. `owner` names what the timer belongs to in the census.
 *
 * @kernel timer_setup() include/linux/timer.h
 */
export function timerSetup(kernel: Kernel, fn: (timer: TimerList) => void, owner: string): TimerList {
  return new TimerList(kernel, EventKind.TIMER, fn, owner)
}

/**
 * Arms the timer for a tick, moving it if it is armed. A tick that has begun already means the next one.
 *
 * @returns true when it was armed before
 * @kernel mod_timer() kernel/time/timer.c
 */
export function modTimer(timer: TimerList, expiresJiffies: number): boolean {
  const was = timerPending(timer)
  if (timer.event.slot === DEFERRED) undefer(timer)
  timer.expires = expiresJiffies
  const { clock, events } = timer.kernel
  const next = clock.jiffies + 1
  events.start(timer.event, (expiresJiffies > next ? expiresJiffies : next) * clock.tickNs)
  return was
}

/**
 * Disarms the timer. Its function may be running: then it goes on.
 *
 * @returns true when it was armed
 * @kernel timer_delete() kernel/time/timer.c
 */
export function timerDelete(timer: TimerList): boolean {
  if (timer.event.slot === DEFERRED) {
    undefer(timer)
    return true
  }
  return timer.kernel.events.cancel(timer.event)
}

/**
 * Disarms the timer and waits for its function. From inside that function it would wait for itself: reported.
 *
 * Not in an interrupt handler.
 *
 * @returns true when it was armed
 * @kernel timer_delete_sync() include/linux/timer.h
 * @rule STOP-01 CTX-06
 */
export function timerDeleteSync(timer: TimerList): boolean {
  const kernel = timer.kernel
  if (timer.running)
    reportEndlessWait(
      kernel,
      'STOP-01',
      `timerDeleteSync(${timer.owner}) waits for the timer it is called from`,
    )
  else if (kernel.ctx === 'hardirq')
    kernel.warnOn('CTX-06', `timerDeleteSync(${timer.owner}) in an interrupt handler`)
  return timerDelete(timer)
}

/** True from arming until the function begins. @kernel timer_pending() include/linux/timer.h */
export function timerPending(timer: TimerList): boolean {
  return timer.event.slot !== IDLE
}

/** The timer is due: the TIMER softirq shall run it. The event loop calls it. @kernel none */
export function timerDue(timer: TimerList): void {
  const { softirq } = timer.kernel
  timer.event.slot = DEFERRED
  softirq.expired.push(timer)
  softirq.raise(Softirq.TIMER)
  softirq.runIfPending()
}

/** Runs the timers that are due, in order: the action of the TIMER softirq. @kernel run_timer_softirq() kernel/time/timer.c */
export function runExpiredTimers(kernel: Kernel): void {
  const { expired } = kernel.softirq
  try {
    while (expired.length > 0) {
      const timer = expired.shift()!
      timer.event.slot = IDLE
      timer.invoke()
    }
  } finally {
    // Only after an exception: the others still get their turn.
    if (expired.length > 0) kernel.softirq.raise(Softirq.TIMER)
  }
}

function undefer(timer: TimerList): void {
  const { expired } = timer.kernel.softirq
  expired.splice(expired.indexOf(timer), 1)
  timer.event.slot = IDLE
}

import { Callback } from './callback.ts'
import { EventKind } from './event-kind.ts'
import { DEFERRED, IDLE } from './heap.ts'
import { reportEndlessWait } from './other-cpu.ts'
import type { Ktime } from './clock.ts'
import type { Kernel } from './kernel.ts'

/**
 * A timer that counts in nanoseconds and runs in hardirq context.
 *
 * @kernel struct hrtimer include/linux/hrtimer_types.h
 */
export class Hrtimer extends Callback<Hrtimer> {
  /** When it is due, in nanoseconds since boot. */
  get expires(): Ktime {
    return this.event.expires
  }

  /** Calls the function; the interrupt code does. */
  override invoke(): void {
    this.event.slot = IDLE
    super.invoke()
  }
}

/**
 * Makes an hrtimer; it is not armed. `fn` runs in hardirq context and may start it again.
 *
 * @kernel hrtimer_setup() kernel/time/hrtimer.c
 */
export function hrtimerSetup(kernel: Kernel, fn: (timer: Hrtimer) => void, owner: string): Hrtimer {
  return new Hrtimer(kernel, EventKind.HRTIMER, fn, owner)
}

/**
 * Arms the timer `deltaNs` from now, moving it if it is armed.
 *
 * @kernel hrtimer_start() include/linux/hrtimer.h
 */
export function hrtimerStart(timer: Hrtimer, deltaNs: Ktime): void {
  if (timer.event.slot === DEFERRED) undefer(timer)
  timer.kernel.events.startIn(timer.event, deltaNs)
}

/**
 * Disarms the timer and waits for its function. From inside that function it would wait for itself: reported.
 *
 * @returns true when it was armed
 * @kernel hrtimer_cancel() kernel/time/hrtimer.c
 * @rule STOP-01
 */
export function hrtimerCancel(timer: Hrtimer): boolean {
  if (timer.running) {
    reportEndlessWait(
      timer.kernel,
      'STOP-01',
      `hrtimerCancel(${timer.owner}) waits for the timer it is called from`,
    )
  }
  return hrtimerTryToCancel(timer)
}

/**
 * Disarms the timer without waiting for its function.
 *
 * @returns true when it was armed
 * @kernel hrtimer_try_to_cancel() kernel/time/hrtimer.c
 */
export function hrtimerTryToCancel(timer: Hrtimer): boolean {
  if (timer.event.slot === DEFERRED) {
    undefer(timer)
    return true
  }
  return timer.kernel.events.cancel(timer.event)
}

/** True while the timer is armed or its function runs. @kernel hrtimer_active() kernel/time/hrtimer.c */
export function hrtimerActive(timer: Hrtimer): boolean {
  return timer.event.slot !== IDLE || timer.running
}

/** The timer is due: the next interrupt runs it. The event loop calls it. @kernel hrtimer_interrupt() kernel/time/hrtimer.c */
export function hrtimerDue(timer: Hrtimer): void {
  timer.event.slot = DEFERRED
  timer.kernel.irq.expireHrtimer(timer)
}

function undefer(timer: Hrtimer): void {
  timer.kernel.irq.dropHrtimer(timer)
  timer.event.slot = IDLE
}

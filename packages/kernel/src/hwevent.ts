import { Callback } from './callback.ts'
import { EventKind } from './event-kind.ts'
import { IDLE } from './heap.ts'
import type { Ktime } from './clock.ts'
import type { Kernel } from './kernel.ts'

/**
 * Something that happens outside the CPU at a set time: a card finishes a frame, a cable is cut.
 *
 * Its function has no CPU context. Interrupts it raises are delivered, and softirqs run, when it returns.
 *
 * @kernel none
 */
export class HwEvent extends Callback<HwEvent> {
  /** When it is due, in nanoseconds since boot. */
  get expires(): Ktime {
    return this.event.expires
  }

  /** Calls the function, then delivers what it raised. */
  override invoke(): void {
    const { cpu, irq } = this.kernel
    cpu.hwDepth++
    try {
      super.invoke()
    } finally {
      cpu.hwDepth--
    }
    irq.deliver()
  }
}

/**
 * Makes a hardware event; it is not armed.
 *
 * @kernel none
 */
export function hwEventSetup(kernel: Kernel, fn: (event: HwEvent) => void, owner: string): HwEvent {
  return new HwEvent(kernel, EventKind.HW, fn, owner)
}

/** Lets the event happen `deltaNs` from now, moving it if it is armed. Any context. @kernel none */
export function hwEventStart(event: HwEvent, deltaNs: Ktime): void {
  event.kernel.events.startIn(event.event, deltaNs)
}

/** Keeps the event from happening; true when it was armed. @kernel none */
export function hwEventCancel(event: HwEvent): boolean {
  return event.kernel.events.cancel(event.event)
}

/** True while the event is armed. @kernel none */
export function hwEventPending(event: HwEvent): boolean {
  return event.event.slot !== IDLE
}

import { mightSleep } from './context.ts'
import { reportEndlessWait } from './other-cpu.ts'
import type { IrqHandler } from './irq-line.ts'
import type { Kernel } from './kernel.ts'

/**
 * Installs an interrupt handler. Process context.
 *
 * Be ready first: if the line is asserted already, the handler runs before this returns. Throws Errno EBUSY when
 * the line is taken and not shared by both, EINVAL when there is no such line.
 *
 * @kernel request_irq() include/linux/interrupt.h
 * @rule IRQ-01 OPEN-02
 */
export function requestIrq(
  kernel: Kernel,
  irq: number,
  handler: IrqHandler,
  flags: { readonly shared?: boolean },
  name: string,
  devId: object,
): void {
  mightSleep(kernel, 'requestIrq')
  const shared = flags.shared ?? false
  kernel.irq.request(irq, { handler, name, devId, shared, module: kernel.currentModule, freed: false })
}

/**
 * Removes the handler installed with this `devId`; when it returns, the handler does not run and will not again.
 *
 * Process context; from inside the handler it would wait for itself, and is reported.
 *
 * @kernel free_irq() kernel/irq/manage.c
 * @rule IRQ-03 CTX-06
 */
export function freeIrq(kernel: Kernel, irq: number, devId: object): void {
  wait(kernel, irq, 'freeIrq')
  if (!kernel.irq.free(irq, devId)) {
    kernel.warnOn('IRQ-03', `freeIrq: IRQ ${irq} has no such handler; freed twice?`)
  }
}

/**
 * Masks a line and waits for its handler. Calls nest. Process context; a handler uses disableIrqNosync().
 *
 * @kernel disable_irq() kernel/irq/manage.c
 * @rule IRQ-03 CTX-06
 */
export function disableIrq(kernel: Kernel, irq: number): void {
  wait(kernel, irq, 'disableIrq')
  kernel.irq.disable(irq)
}

/** Masks a line without waiting for its handler. Any context. @kernel disable_irq_nosync() kernel/irq/manage.c */
export function disableIrqNosync(kernel: Kernel, irq: number): void {
  kernel.irq.disable(irq)
}

/**
 * Takes back one disableIrq(); an interrupt that came meanwhile is delivered now. One too many is reported.
 *
 * @kernel enable_irq() kernel/irq/manage.c
 * @rule IRQ-03
 */
export function enableIrq(kernel: Kernel, irq: number): void {
  if (!kernel.irq.enable(irq)) kernel.warnOn('IRQ-03', `Unbalanced enable for IRQ ${irq}`)
}

/**
 * Waits until no handler of this line runs. Process context; from inside the handler it is reported.
 *
 * @kernel synchronize_irq() kernel/irq/manage.c
 * @rule IRQ-03 CTX-06
 */
export function synchronizeIrq(kernel: Kernel, irq: number): void {
  wait(kernel, irq, 'synchronizeIrq')
}

/** A handler that runs is below us on the stack: it cannot end before we do. */
function wait(kernel: Kernel, irq: number, what: string): void {
  if (!kernel.irq.isRunning(irq)) mightSleep(kernel, what)
  else reportEndlessWait(kernel, 'IRQ-03', `${what} waits for the handler of IRQ ${irq} from inside it`)
}

import { IRQ_HANDLED, IRQ_NONE, requestIrq, type IrqReturn, type Kernel } from '@vnet/kernel'

/** Requests a line with a handler that deasserts it, then does what is to be done inside. */
export function handleIrq(
  kernel: Kernel,
  irq: number,
  fn: () => void,
  name = 'vnet0',
  dev: object = {},
): void {
  const handler = (): IrqReturn => {
    kernel.irq.setLevel(irq, false)
    fn()
    return IRQ_HANDLED
  }
  requestIrq(kernel, irq, handler, {}, name, dev)
}

/** A card with a cause register and one line, and a driver that reads and clears it. */
export function card(kernel: Kernel, name: string, irq = kernel.irq.allocLine(name), shared = false) {
  const self = {
    irq,
    cause: 0,
    calls: 0,
    raise() {
      self.cause = 1
      kernel.irq.setLevel(irq, true)
    },
    handler(): IrqReturn {
      if (self.cause === 0) return IRQ_NONE
      self.calls++
      self.cause = 0
      kernel.irq.setLevel(irq, false)
      return IRQ_HANDLED
    },
    request() {
      requestIrq(kernel, irq, self.handler, { shared }, name, self)
      return self
    },
  }
  return self
}

import { IRQ_HANDLED, IRQ_NONE, requestIrq, type IrqReturn, type Kernel } from '@vnet/kernel'

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

import { hwEventCancel, hwEventSetup, hwEventStart, type HwEvent, type Kernel } from '@vnet/kernel'
import type { Coalesce, HwCounters } from './hw.ts'
import { CAUSE_RX, CAUSE_TX } from './regs.ts'

const NS_PER_US = 1_000

/**
 * An interrupt vector of the card: cause, mask and moderation.
 *
 * Causes gather while the vector is masked; the line is high while an unmasked cause is set, so work that
 * arrives between the last poll and the unmask raises it again.
 *
 * @kernel none
 * @rule IRQ-02 IRQ-04 NAPI-13 COAL-01
 */
export class CardVector {
  readonly line: number
  private readonly kernel: Kernel
  private readonly counters: HwCounters
  private readonly rxTimer: HwEvent
  private readonly txTimer: HwEvent
  private cause = 0
  private masked = true
  private asserted = false
  private rxWaiting = 0
  private txWaiting = 0
  private rxFrames = 1
  /** CAUSE_RX when each frame is an interrupt of its own, else 0. */
  private plainRx = 1
  private txFrames = 1
  private rxNs = 0
  private txNs = 0

  constructor(kernel: Kernel, name: string, counters: HwCounters) {
    this.kernel = kernel
    this.counters = counters
    this.line = kernel.irq.allocLine(name)
    this.rxTimer = hwEventSetup(kernel, () => this.rxDue(), name)
    this.txTimer = hwEventSetup(kernel, () => this.txDue(), name)
  }

  setCoalesce(c: Coalesce): void {
    this.rxFrames = c.rxFrames
    this.plainRx = c.rxFrames === 1 ? CAUSE_RX : 0
    this.txFrames = c.txFrames
    this.rxNs = c.rxUsecs * NS_PER_US
    this.txNs = c.txUsecs * NS_PER_US
    // What waits under the old limits might wait for ever under the new ones.
    if (this.rxWaiting > 0) this.rxDue()
    if (this.txWaiting > 0) this.txDue()
  }

  /** One frame was received. */
  received(): void {
    // Without moderation the rest of a burst has been said already.
    if ((this.cause & this.plainRx) === 0) this.countReceived()
  }

  private countReceived(): void {
    this.rxWaiting++
    if (this.rxFrames > 0 && this.rxWaiting >= this.rxFrames) this.rxDue()
    else if (this.rxWaiting === 1 && this.rxNs > 0) hwEventStart(this.rxTimer, this.rxNs)
  }

  /** `n` frames were sent. */
  sent(n: number): void {
    const first = this.txWaiting === 0
    this.txWaiting += n
    if (this.txFrames > 0 && this.txWaiting >= this.txFrames) this.txDue()
    else if (first && this.txNs > 0) hwEventStart(this.txTimer, this.txNs)
  }

  raise(cause: number): void {
    this.cause |= cause
    this.drive()
  }

  readCause(): number {
    const cause = this.cause
    this.cause = 0
    this.drive()
    return cause
  }

  mask(): void {
    this.masked = true
    this.drive()
  }

  unmask(): void {
    this.masked = false
    this.drive()
  }

  reset(): void {
    this.masked = true
    this.cause = 0
    this.rxWaiting = 0
    this.txWaiting = 0
    hwEventCancel(this.rxTimer)
    hwEventCancel(this.txTimer)
    this.drive()
  }

  /** Gives the line back; the card is gone. */
  free(): void {
    this.reset()
    this.kernel.irq.freeLine(this.line)
  }

  private rxDue(): void {
    this.rxWaiting = 0
    if (this.rxNs > 0) hwEventCancel(this.rxTimer)
    this.raise(CAUSE_RX)
  }

  private txDue(): void {
    this.txWaiting = 0
    if (this.txNs > 0) hwEventCancel(this.txTimer)
    this.raise(CAUSE_TX)
  }

  private drive(): void {
    const level = this.cause !== 0 && !this.masked
    if (level === this.asserted) return
    this.asserted = level
    if (level) this.counters.interrupts++
    this.kernel.irq.setLevel(this.line, level)
  }
}

import { IRQ_HANDLED, IRQ_NONE, type IrqReturn } from '@vnet/kernel'
import { NAPIF_STATE_IN_BUSY_POLL } from '@vnet/napi'
import { CAUSE } from '../ref/ref-card.ts'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that get interrupts and their moderation wrong. @kernel none */
export const irqMutants: readonly Mutant[] = [
  mutant(
    'IRQ-01',
    'claims every interrupt of the line for its own',
    class extends RefDriver {
      override interrupt(): IrqReturn {
        super.interrupt()
        return IRQ_HANDLED
      }
    },
  ),
  mutant(
    'IRQ-02',
    'acknowledges one cause when two came together',
    class extends RefDriver {
      forgot = false

      override interrupt(): IrqReturn {
        const cause = this.card.readCause()
        if (cause === 0) return IRQ_NONE
        if ((cause & CAUSE.LINK) !== 0) this.linkChanged()
        if ((cause & (CAUSE.RX | CAUSE.TX)) !== 0) this.schedule()
        this.forgot ||= (cause & CAUSE.LINK) !== 0 && (cause & CAUSE.RX) !== 0
        // What is not acknowledged stays.
        if (this.forgot) this.card.linkChange()
        return IRQ_HANDLED
      }
    },
  ),
  mutant(
    'IRQ-03',
    'frees its interrupt twice',
    class extends RefDriver {
      override releaseIrq(): void {
        super.releaseIrq()
        super.releaseIrq()
      }
    },
  ),
  mutant(
    'IRQ-04',
    'polls for frames when only the link changed',
    class extends RefDriver {
      override interrupt(): IrqReturn {
        const cause = this.card.readCause()
        if (cause === 0) return IRQ_NONE
        if ((cause & CAUSE.LINK) !== 0) this.linkChanged()
        this.schedule()
        return IRQ_HANDLED
      }
    },
  ),
  mutant(
    'COAL-01',
    'tells the card of the time and forgets the number of frames',
    class extends RefDriver {
      frames = 1

      override setCoalesce(usecs: number, frames: number): void {
        super.setCoalesce(usecs, frames)
        this.frames = frames
        if (usecs > 0) this.card.coalesce.frames = 0
      }

      override coalescedFrames(): number {
        return this.frames
      }
    },
  ),
  mutant(
    'COAL-02',
    'takes 0 microseconds and 0 frames',
    class extends RefDriver {
      override setCoalesce(usecs: number, frames: number): void {
        this.card.coalesce = { frames, ns: usecs * 1000 }
      }
    },
  ),
  mutant(
    'COAL-03',
    'switches interrupt deferral off when it finds work',
    class extends RefDriver {
      override poll(budget: number): number {
        const ready = (this.card.rx[this.rxNext]?.length ?? -1) >= 0
        const busy = (this.napi.state & NAPIF_STATE_IN_BUSY_POLL) !== 0
        if (ready && !busy) this.napi.deferHardIrqs = 0
        return super.poll(budget)
      }
    },
  ),
  mutant(
    'COAL-04',
    'defers interrupts when only a timeout is set',
    class extends RefDriver {
      override poll(budget: number): number {
        const { napi } = this
        if (napi.groFlushTimeout > 0 && napi.deferHardIrqs === 0) napi.deferHardIrqs = 1
        return super.poll(budget)
      }
    },
  ),
  mutant(
    'COAL-06',
    'takes the suspension of interrupts back with each poll',
    class extends RefDriver {
      override poll(budget: number): number {
        this.napi.irqSuspendTimeout = 0
        return super.poll(budget)
      }
    },
  ),
  mutant(
    'COAL-07',
    'receives nothing when an application polls it',
    class extends RefDriver {
      override cleanRx(budget: number): number {
        const busy = (this.napi.state & NAPIF_STATE_IN_BUSY_POLL) !== 0
        return busy ? 0 : super.cleanRx(budget)
      }
    },
  ),
  mutant(
    'COAL-08',
    'receives only in a softirq, not in a thread of its own',
    class extends RefDriver {
      override cleanRx(budget: number): number {
        return this.napi.threaded ? 0 : super.cleanRx(budget)
      }
    },
  ),
]

import { modTimer, timerDeleteSync, timerSetup, type TimerList } from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that stop wrongly. @kernel none */
export const stopMutants: readonly Mutant[] = [
  mutant(
    'STOP-01',
    'leaves its timer running when it stops',
    class extends RefDriver {
      declare statsTimer: TimerList | undefined

      tick(): void {
        this.statsTimer ??= timerSetup(this.kernel, () => this.tick(), `${this.dev.name} stats`)
        modTimer(this.statsTimer, this.kernel.clock.jiffies + 2 * this.kernel.clock.hz)
      }

      override start(): void {
        super.start()
        this.tick()
      }

      override destroy(): void {
        super.destroy()
        if (this.statsTimer !== undefined) timerDeleteSync(this.statsTimer)
      }
    },
  ),
  mutant(
    'STOP-02',
    'stops its queues without waiting for a running ndoStartXmit',
    class extends RefDriver {
      override disableQueues(): void {
        nd.netifTxStopAllQueues(this.dev)
      }
    },
  ),
  mutant(
    'STOP-03',
    'empties its rings while NAPI may still look at them',
    class extends RefDriver {
      override quiesce(lost: () => void): void {
        this.card.rxOn = false
        this.disableQueues()
        this.card.txOn = false
        nd.netifCarrierOff(this.dev)
        this.freeTx(lost)
        napi.napiDisable(this.napi)
        this.card.setMask(true)
        this.freeRx()
        this.card.reset()
      }
    },
  ),
  mutant(
    'STOP-04',
    'leaves the receive buffers in the ring when it stops',
    class extends RefDriver {
      override stop(): void {
        const kept = this.rxSkb
        this.rxSkb = []
        super.stop()
        this.rxSkb = kept
      }
    },
  ),
  mutant(
    'STOP-06',
    'loses a descriptor in each hundred stops',
    class extends RefDriver {
      stops = 0

      override avail(): number {
        return Math.max(0, super.avail() - Math.floor(this.stops / 100))
      }

      override stop(): void {
        super.stop()
        this.stops++
      }
    },
  ),
]

import * as napi from '@vnet/napi'
import { netifTxStopQueue, type SkBuff } from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that only fail when something else happens at the wrong moment: `runRaces` must find each. @kernel none */
export const raceMutants: readonly Mutant[] = [
  mutant(
    'TXQ-05',
    'stops the queue without a second look',
    class extends RefDriver {
      override maybeStop(): void {
        if (this.avail() > 0) return
        const { preemptHook } = this.kernel
        if (preemptHook !== null) preemptHook('xmit:before-stop')
        netifTxStopQueue(this.dev.txq[0]!)
      }
    },
  ),
  mutant(
    'NAPI-13',
    'unmasks its interrupt without a second look',
    class extends RefDriver {
      override complete(work: number): void {
        if (!napi.napiCompleteDone(this.napi, work)) return
        const { preemptHook } = this.kernel
        if (preemptHook !== null) preemptHook('napi:before-unmask')
        this.card.readCause()
        this.card.setMask(false)
      }
    },
  ),
  mutant(
    'TXQ-06',
    'takes its second look before the stop, so that a completion between index and stop is not seen',
    class extends RefDriver {
      override maybeStop(): void {
        if (this.avail() > 0) return
        if (this.avail() >= this.wakeAt()) return
        const { preemptHook } = this.kernel
        if (preemptHook !== null) preemptHook('xmit:before-stop')
        netifTxStopQueue(this.dev.txq[0]!)
        if (preemptHook !== null) preemptHook('xmit:after-stop')
      }
    },
  ),
  mutant(
    'SKB-06',
    'frees the receive ring before it waits for the poll that reads it',
    class extends RefDriver {
      ahead: SkBuff | null = null

      override poll(budget: number): number {
        this.ahead = this.rxSkb[this.rxNext] ?? null
        return super.poll(budget)
      }

      override receiveOne(): void {
        // It fetched the first one ahead.
        this.rxSkb[this.rxNext] ??= this.ahead
        super.receiveOne()
      }

      override quiesce(lost: () => void): void {
        this.card.rxOn = false
        this.freeRx()
        super.quiesce(lost)
      }
    },
  ),
]

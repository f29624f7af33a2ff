import { netifTxStopQueue } from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that break the transmit contract. @kernel none */
export const txqMutants: readonly Mutant[] = [
  mutant(
    'TXQ-01',
    'stops the queue only when a frame comes that has no room',
    class extends RefDriver {
      override maybeStop(): void {
        if (this.avail() < 0) netifTxStopQueue(this.dev.txq[0]!)
      }
    },
  ),
]

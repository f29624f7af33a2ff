import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that get the watchdog wrong. @kernel none */
export const wdtMutants: readonly Mutant[] = [
  mutant(
    'WDT-01',
    'takes a received frame for progress in sending',
    class extends RefDriver {
      override deliver(skb: nd.SkBuff): void {
        nd.netifTransUpdate(this.dev)
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'WDT-02',
    'takes a lost carrier for a transmit timeout',
    class extends RefDriver {
      override linkChanged(): void {
        if (!this.card.linkUp && nd.netifCarrierOk(this.dev) && nd.netifTxQueueStopped(this.dev.txq[0]!))
          this.dev.ops.ndoTxTimeout!(this.dev, 0)
        super.linkChanged()
      }
    },
  ),
  mutant(
    'WDT-03',
    'only logs a timeout',
    class extends RefDriver {
      override txTimeout(): void {
        nd.netdevErr(this.dev, 'transmit timed out')
      }
    },
  ),
]

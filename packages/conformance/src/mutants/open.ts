import { IRQ_NONE, freeIrq, type IrqReturn } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that open wrongly. @kernel none */
export const openMutants: readonly Mutant[] = [
  mutant(
    'OPEN-01',
    'sets IFF_UP itself when it has opened',
    class extends RefDriver {
      override open(): void {
        super.open()
        this.dev.flags |= nd.Iff.UP
      }
    },
  ),
  mutant(
    'OPEN-02',
    'asks for its interrupt before the rings exist that the handler looks at',
    class extends RefDriver {
      override open(): void {
        this.requestIrq()
        try {
          this.allocRings()
        } catch (error) {
          freeIrq(this.kernel, this.card.irq, this)
          throw error
        }
        this.start()
      }

      override interrupt(): IrqReturn {
        const { length } = this.card.rx[this.rxNext]!
        return length < -1 ? IRQ_NONE : super.interrupt()
      }
    },
  ),
  mutant(
    'OPEN-03',
    'lets the card receive before it has filled the ring',
    class extends RefDriver {
      override allocRings(): void {
        this.card.maxFrame = this.dev.mtu + nd.ETH_HLEN
        this.card.rxOn = true
        try {
          super.allocRings()
        } catch (error) {
          this.card.rxOn = false
          throw error
        }
      }
    },
  ),
  mutant(
    'OPEN-04',
    'starts its queues first',
    class extends RefDriver {
      override open(): void {
        nd.netifTxStartAllQueues(this.dev)
        super.open()
      }
    },
  ),
  mutant(
    'OPEN-05',
    'keeps its buffers when it cannot have the interrupt',
    class extends RefDriver {
      override open(): void {
        this.allocRings()
        this.requestIrq()
        this.start()
      }
    },
  ),
  mutant(
    'OPEN-05',
    'keeps its interrupt when it cannot have the buffers',
    class extends RefDriver {
      override open(): void {
        this.requestIrq()
        this.allocRings()
        this.start()
      }
    },
  ),
  mutant(
    'OPEN-06',
    'clears its counters at each open',
    class extends RefDriver {
      override open(): void {
        super.open()
        for (const key of Object.keys(this.counters) as (keyof typeof this.counters)[])
          this.counters[key] = 0n
      }
    },
  ),
  mutant(
    'OPEN-07',
    'turns the carrier on at each open',
    class extends RefDriver {
      override open(): void {
        super.open()
        nd.netifCarrierOn(this.dev)
      }
    },
  ),
]

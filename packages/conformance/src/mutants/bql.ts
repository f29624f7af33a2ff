import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that report wrongly to the byte queue limits. @kernel none */
export const bqlMutants: readonly Mutant[] = [
  mutant(
    'BQL-01',
    'counts the checksum of the wire when a frame is finished, but not when it is queued',
    class extends RefDriver {
      override completed(packets: number, bytes: number): void {
        super.completed(packets, bytes + packets * 4)
      }
    },
  ),
  mutant(
    'BQL-02',
    'reports each finished frame by itself',
    class extends RefDriver {
      override freeSent(skb: nd.SkBuff): void {
        nd.netdevTxCompletedQueue(this.dev.txq[0]!, 1, skb.len)
        super.freeSent(skb)
      }

      override completed(packets: number): void {
        super.completed(packets, 0)
      }
    },
  ),
  mutant(
    'BQL-03',
    'does not reset the limit when it stops',
    class extends RefDriver {
      override resetLimit(): void {
        if (nd.netifRunning(this.dev)) super.resetLimit()
      }
    },
  ),
  mutant(
    'BQL-04',
    'takes away the stop of the limit when frames are finished',
    class extends RefDriver {
      override completed(packets: number, bytes: number): void {
        super.completed(packets, bytes)
        this.dev.txq[0]!.state &= ~nd.QueueState.STACK_XOFF
      }
    },
  ),
  mutant(
    'BQL-05',
    'sets the least the limit can be to all its ring can hold',
    class extends RefDriver {
      override open(): void {
        super.open()
        const { dql } = this.dev.txq[0]!
        dql.minLimit = Math.max(dql.minLimit, 64 * 1514)
      }
    },
  ),
]

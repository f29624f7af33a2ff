import { mightSleep, type IrqReturn } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that mix up the contexts. @kernel none */
export const ctxMutants: readonly Mutant[] = [
  mutant(
    'CTX-01',
    'resets itself in a work without taking rtnl',
    class extends RefDriver {
      override reset(): void {
        nd.netifSetRealNumTxQueues(this.dev, 1)
        if (nd.netifRunning(this.dev)) this.restart(() => this.counters.txErrors++)
      }
    },
  ),
  mutant(
    'CTX-02',
    'pads with memory it may have to wait for',
    class extends RefDriver {
      override pad(skb: nd.SkBuff): boolean {
        // Checks that send from hardware mean something else.
        if (skb.len < nd.ETH_ZLEN && this.kernel.cpu.hwDepth === 0)
          mightSleep(this.kernel, 'kmalloc(GFP_KERNEL)')
        return super.pad(skb)
      }
    },
  ),
  mutant(
    'CTX-03',
    'asks the card for its counters and waits for the answer',
    class extends RefDriver {
      override getStats(s: nd.RtnlLinkStats64): void {
        mightSleep(this.kernel, 'a mailbox command')
        super.getStats(s)
      }
    },
  ),
  mutant(
    'CTX-04',
    'looks for received frames in ndoStartXmit too',
    class extends RefDriver {
      override xmit(skb: nd.SkBuff): nd.NetdevTx {
        this.cleanRx(16)
        return super.xmit(skb)
      }
    },
  ),
  mutant(
    'CTX-06',
    'frees what was sent in its interrupt handler, as if it were a process',
    class extends RefDriver {
      override interrupt(): IrqReturn {
        this.cleanTx(0)
        return super.interrupt()
      }

      override freeSent(skb: nd.SkBuff): void {
        nd.consumeSkb(skb)
      }
    },
  ),
  mutant(
    'CTX-07',
    'takes the lock of its poll with softirqs on to read the counters',
    class extends RefDriver {
      readonly lock = { name: 'ref-stats' }

      override poll(budget: number): number {
        this.kernel.lockdep.acquired(this.lock, false)
        this.kernel.lockdep.released(this.lock)
        return super.poll(budget)
      }

      override stop(): void {
        this.kernel.lockdep.acquired(this.lock, false)
        this.kernel.lockdep.released(this.lock)
        super.stop()
      }
    },
  ),
  mutant(
    'CTX-08',
    'passes packets up with its receive lock held',
    class extends RefDriver {
      readonly lock = { name: 'ref-rx' }

      override deliver(skb: nd.SkBuff): void {
        this.kernel.lockdep.acquired(this.lock, true)
        super.deliver(skb)
        this.kernel.lockdep.released(this.lock)
      }
    },
  ),
]

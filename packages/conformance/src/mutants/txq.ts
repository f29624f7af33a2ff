import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that stop and wake their queue wrongly, or lose count of the ring. @kernel none */
export const txqMutants: readonly Mutant[] = [
  mutant(
    'TXQ-01',
    'stops the queue only when a frame comes that has no room',
    class extends RefDriver {
      override maybeStop(): void {}
    },
  ),
  mutant(
    'TXQ-02',
    'counts a drop when it returns BUSY',
    class extends RefDriver {
      override xmit(skb: nd.SkBuff): nd.NetdevTx {
        if (this.avail() === 0) this.counters.txDropped++
        return super.xmit(skb)
      }
    },
  ),
  mutant(
    'TXQ-03',
    'forgets to free frames of the full length',
    class extends RefDriver {
      override freeSent(skb: nd.SkBuff): void {
        if (skb.len < 1514) super.freeSent(skb)
      }
    },
  ),
  mutant(
    'TXQ-04',
    'keeps the last packet it sent until the next one is done',
    class extends RefDriver {
      kept: nd.SkBuff | null = null

      override freeSent(skb: nd.SkBuff): void {
        if (this.kept !== null) super.freeSent(this.kept)
        this.kept = skb
      }

      override freeTx(lost: () => void): void {
        super.freeTx(lost)
        if (this.kept !== null) super.freeSent(this.kept)
        this.kept = null
      }
    },
  ),
  mutant(
    'TXQ-05',
    'stops its queue without a second look',
    class extends RefDriver {
      override maybeStop(): void {
        if (this.avail() >= 1) return
        if (this.kernel.preemptHook !== null) this.kernel.preemptHook('xmit:before-stop')
        nd.netifTxStopQueue(this.dev.txq[0]!)
      }
    },
  ),
  mutant(
    'TXQ-06',
    'looks whether the queue is stopped before it moves its index, and wakes by that',
    class extends RefDriver {
      override cleanTx(_budget: number): void {
        const txq = this.dev.txq[0]!
        const stopped = nd.netifTxQueueStopped(txq)
        if (this.kernel.preemptHook !== null) this.kernel.preemptHook('reclaim:after-index')
        const { packets, bytes } = this.reclaim()
        if (packets === 0) return
        if (stopped) this.completed(packets, bytes)
        else nd.netdevTxCompletedQueue(txq, packets, bytes)
      }
    },
  ),
  mutant(
    'TXQ-07',
    'wakes its queue as soon as one descriptor is free',
    class extends RefDriver {
      override wakeAt(): number {
        return 1
      }
    },
  ),
  mutant(
    'TXQ-08',
    'takes fragmented packets, but stops its queue only when no descriptor at all is left',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        this.dev.features |= nd.NETIF_F.SG
        this.dev.hwFeatures |= nd.NETIF_F.SG
      }

      override xmit(skb: nd.SkBuff): nd.NetdevTx {
        const { nrFrags } = skb.shinfo
        if (this.avail() > 0 && (nrFrags + 1 > this.avail() || !nd.skbLinearize(skb))) {
          this.counters.txDropped++
          nd.devKfreeSkbAny(skb)
          return nd.NETDEV_TX_OK
        }
        return super.xmit(skb)
      }
    },
  ),
  mutant(
    'TXQ-09',
    'starts its queues after a change where it should wake them',
    class extends RefDriver {
      override enableQueues(): void {
        nd.netifTxStartAllQueues(this.dev)
      }
    },
  ),
  mutant(
    'TXQ-10',
    'wakes its queue whatever the carrier says',
    class extends RefDriver {
      override completed(packets: number, bytes: number): void {
        const txq = this.dev.txq[0]!
        nd.netdevTxCompletedQueue(txq, packets, bytes)
        if (nd.netifTxQueueStopped(txq) && nd.netifRunning(this.dev) && this.avail() >= this.wakeAt())
          nd.netifTxWakeQueue(txq)
      }
    },
  ),
  mutant(
    'TXQ-11',
    'trusts its queue to be stopped when the ring is full',
    class extends RefDriver {
      override isFull(): boolean {
        return false
      }
    },
  ),
  mutant(
    'TXQ-12',
    'lets a short frame overtake a long one',
    class extends RefDriver {
      override queue(skb: nd.SkBuff): void {
        super.queue(skb)
        const { tx } = this.card
        const i = (this.txNext - 1 + this.txSize) % this.txSize
        const before = (i - 1 + this.txSize) % this.txSize
        const waits = i !== this.txClean && !tx[before]!.done
        if (!waits || tx[i]!.length > 100 || tx[before]!.length < 1000) return
        ;[tx[i], tx[before]] = [tx[before]!, tx[i]!]
        ;[this.txSkb[i], this.txSkb[before]] = [this.txSkb[before]!, this.txSkb[i]!]
      }
    },
  ),
  mutant(
    'TXQ-14',
    'does not count a frame that is too long',
    class extends RefDriver {
      override xmit(skb: nd.SkBuff): nd.NetdevTx {
        const { txErrors } = this.counters
        const rc = super.xmit(skb)
        this.counters.txErrors = txErrors
        return rc
      }
    },
  ),
  mutant(
    'TXQ-15',
    'pads a clone in the bytes it shares',
    class extends RefDriver {
      override pad(skb: nd.SkBuff): boolean {
        const missing = nd.ETH_ZLEN - skb.len
        if (missing <= 0 || skb.dataLen > 0 || skb.end - skb.tail < missing) return super.pad(skb)
        skb.mem.fill(0, skb.tail, skb.tail + missing)
        nd.skbPut(skb, missing)
        return true
      }
    },
  ),
  mutant(
    'TXQ-16',
    'adds up the bytes of packets it has freed',
    class extends RefDriver {
      bytesFreed = 0

      override freeSent(skb: nd.SkBuff): void {
        super.freeSent(skb)
        this.bytesFreed += skb.len
      }
    },
  ),
  mutant(
    'TXQ-17',
    'sends short frames as they are',
    class extends RefDriver {
      override pad(): boolean {
        return true
      }
    },
  ),
  mutant(
    'TXQ-17',
    'pads short frames with whatever is in memory',
    class extends RefDriver {
      override pad(skb: nd.SkBuff): boolean {
        const { len } = skb
        if (!super.pad(skb)) return false
        skb.mem.fill(0x6b, skb.data + len, skb.data + Math.max(len, nd.ETH_ZLEN))
        return true
      }
    },
  ),
  mutant(
    'TXQ-18',
    'rings the doorbell for each frame of a burst',
    class extends RefDriver {
      override queue(skb: nd.SkBuff): void {
        super.queue(skb)
        if (nd.netdevXmitMore(this.dev)) this.card.doorbell()
      }
    },
  ),
  mutant(
    'TXQ-18',
    'leaves a burst in the ring when it cannot send the last frame of it',
    class extends RefDriver {
      override endBurst(): void {}
    },
  ),
]

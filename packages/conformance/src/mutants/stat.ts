import type { EthtoolOps } from '@vnet/ethtool'
import { freeIrq } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that count wrongly. @kernel none */
export const statMutants: readonly Mutant[] = [
  mutant(
    'STAT-01',
    'counts what is left of a received frame after its header was pulled',
    class extends RefDriver {
      override deliver(skb: nd.SkBuff): void {
        this.counters.rxBytes -= BigInt(nd.ETH_HLEN)
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'STAT-02',
    'counts the bytes of a frame when it is put into the ring',
    class extends RefDriver {
      override sent(bytes: number): void {
        this.counters.txBytes += BigInt(bytes)
        super.sent(bytes)
      }

      override reclaim(): { packets: number; bytes: number } {
        const done = super.reclaim()
        this.counters.txBytes -= BigInt(done.bytes)
        return done
      }
    },
  ),
  mutant(
    'STAT-03',
    'does not count frames that the stack will drop as not its own',
    class extends RefDriver {
      override deliver(skb: nd.SkBuff): void {
        const mine = this.dev.devAddr.every((byte, i) => skb.mem[skb.data + i] === byte)
        if (!mine && (skb.mem[skb.data]! & 1) === 0) this.counters.rxPackets--
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'STAT-04',
    'counts long frames in detail, and not in the total',
    class extends RefDriver {
      override getStats(s: nd.RtnlLinkStats64): void {
        super.getStats(s)
        s.rxErrors = BigInt(this.card.runts)
      }
    },
  ),
  mutant(
    'STAT-05',
    'begins to count anew when its rings get another size',
    class extends RefDriver {
      override setRings(tx: number, rx: number): void {
        super.setRings(tx, rx)
        this.counters.rxPackets = 0n
      }
    },
  ),
  mutant(
    'STAT-06',
    'reads its byte counters from a card that is off when the device is down',
    class extends RefDriver {
      override getStats(s: nd.RtnlLinkStats64): void {
        super.getStats(s)
        if (!nd.netifRunning(this.dev)) s.rxBytes = s.txBytes = 0n
      }
    },
  ),
  mutant(
    'STAT-07',
    'repeats rx_packets in ethtool -S',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getStrings: () => ['rx_packets'],
          getEthtoolStats: () => [this.counters.rxPackets],
        }
      }
    },
  ),
  mutant(
    'STAT-08',
    'writes the low half of a counter before it passes a long frame up, and the high half after',
    class extends RefDriver {
      override deliver(skb: nd.SkBuff): void {
        const now = this.counters.rxBytes
        if (skb.len < 128) {
          super.deliver(skb)
          return
        }
        const before = now - BigInt(skb.len)
        this.counters.rxBytes = (before & ~0xffn) | (now & 0xffn)
        super.deliver(skb)
        this.counters.rxBytes = now
      }
    },
  ),
  mutant(
    'STAT-09',
    'counts only frames of more than 60 bytes for the queue',
    class extends RefDriver {
      long = 0n

      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getStrings: () => ['rx_queue_0_packets'],
          getEthtoolStats: () => [this.long],
        }
      }

      override deliver(skb: nd.SkBuff): void {
        if (skb.len > nd.ETH_ZLEN) this.long++
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'STAT-10',
    'says 0 for each counter of the MAC that it does not keep',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getEthMacStats: () => ({ FramesTransmittedOK: 0n, FramesReceivedOK: 0n }),
        }
      }
    },
  ),
  mutant(
    'STAT-11',
    'shows one of its statistics only while it is up',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        const shown = <T>(all: readonly T[]): readonly T[] => (nd.netifRunning(this.dev) ? all : all.slice(1))
        return {
          ...super.ethtoolOps(),
          getStrings: () => shown(['doorbells', 'interrupts']),
          getEthtoolStats: () => shown([BigInt(this.card.doorbells), BigInt(this.card.interrupts)]),
        }
      }
    },
  ),
  mutant(
    'STAT-12',
    'reads a counter of the card that reading clears, and forgets what it read',
    class extends RefDriver {
      override getStats(s: nd.RtnlLinkStats64): void {
        super.getStats(s)
        this.card.runts = 0
      }
    },
  ),
  mutant(
    'STAT-13',
    'counts nowhere the frames a stop finds in the ring',
    class extends RefDriver {
      override stop(): void {
        this.quiesce(() => {})
        freeIrq(this.kernel, this.card.irq, this)
      }
    },
  ),
  mutant(
    'STAT-14',
    'stops its queue by setting the bit itself',
    class extends RefDriver {
      override maybeStop(): void {
        const txq = this.dev.txq[0]!
        if (this.avail() > 0) return
        txq.state |= nd.QueueState.DRV_XOFF
        txq.transStart = this.kernel.clock.ktimeGet()
        if (this.kernel.preemptHook !== null) this.kernel.preemptHook('xmit:after-stop')
        if (this.avail() >= this.wakeAt()) nd.netifTxStartQueue(txq)
      }
    },
  ),
  mutant(
    'STAT-15',
    'drops what a stop finds in the ring without a reason',
    class extends RefDriver {
      override freeUnsent(skb: nd.SkBuff): void {
        nd.kfreeSkb(skb)
      }
    },
  ),
]

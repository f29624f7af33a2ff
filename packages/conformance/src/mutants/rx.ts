import {
  ETH_P_ARP,
  NET_IP_ALIGN,
  NET_SKB_PAD,
  PACKET_HOST,
  allocSkb,
  ethTypeTrans,
  groReceiveSkb,
  kfreeSkb,
  netifRx,
  skbReserve,
  type RtnlLinkStats64,
  type SkBuff,
} from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Makes receive buffers with another headroom than it should. */
abstract class OtherHeadroom extends RefDriver {
  abstract headroom(): number

  override refill(i: number): boolean {
    if (!super.refill(i)) return false
    const size = this.bufferSize()
    const skb = allocSkb(this.kernel, size + NET_SKB_PAD + NET_IP_ALIGN)!
    kfreeSkb(this.rxSkb[i]!)
    skbReserve(skb, this.headroom())
    skb.dev = this.dev
    this.rxSkb[i] = skb
    this.card.rx[i] = { mem: skb.mem, offset: skb.data, room: size, length: -1 }
    return true
  }
}

/** Drivers that receive wrongly. @kernel none */
export const rxMutants: readonly Mutant[] = [
  mutant(
    'RX-01',
    'leaves the protocol of ARP frames in the order of the wire on a little-endian machine',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        const type = ethTypeTrans(skb, this.dev)
        skb.protocol = type === ETH_P_ARP ? 0x0608 : type
        groReceiveSkb(this.gro, skb)
      }
    },
  ),
  mutant(
    'RX-02',
    'says of every frame that it is for this host',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        skb.protocol = ethTypeTrans(skb, this.dev)
        skb.pktType = PACKET_HOST
        groReceiveSkb(this.gro, skb)
      }
    },
  ),
  mutant(
    'RX-03',
    'marks a packet after passing it up',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        super.deliver(skb)
        skb.mark = 1
      }
    },
  ),
  mutant(
    'RX-04',
    'queues each packet a second time with netifRx',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        skb.protocol = ethTypeTrans(skb, this.dev)
        netifRx(skb)
      }
    },
  ),
  mutant(
    'RX-05',
    'leaves a slot of the ring empty when no buffer can be had',
    class extends RefDriver {
      override recycle(i: number): void {
        kfreeSkb(this.rxSkb[i]!)
        this.rxSkb[i] = null
        this.card.rx[i]!.length = -1
      }
    },
  ),
  mutant(
    'RX-06',
    'counts missed frames as dropped',
    class extends RefDriver {
      override getStats(s: RtnlLinkStats64): void {
        super.getStats(s)
        s.rxDropped += s.rxMissedErrors
        s.rxMissedErrors = 0n
      }
    },
  ),
  mutant(
    'RX-07',
    'leaves no room for a VLAN tag',
    class extends RefDriver {
      override start(): void {
        this.card.tagRoom = 0
        super.start()
      }
    },
  ),
  mutant(
    'RX-08',
    'does not count frames shorter than a header',
    class extends RefDriver {
      override getStats(s: RtnlLinkStats64): void {
        super.getStats(s)
        s.rxLengthErrors -= BigInt(this.card.runts)
        s.rxErrors -= BigInt(this.card.runts)
      }
    },
  ),
  mutant(
    'RX-09',
    'forgets to tell the card of subscribed groups',
    class extends RefDriver {
      override setRxMode(): void {
        super.setRxMode()
        this.card.multicast = []
      }
    },
  ),
  mutant(
    'RX-10',
    'leaves out the two bytes that align the IP header',
    class extends OtherHeadroom {
      override headroom(): number {
        return NET_SKB_PAD
      }
    },
  ),
  mutant(
    'RX-11',
    'leaves no headroom but the two bytes of alignment',
    class extends OtherHeadroom {
      override headroom(): number {
        return NET_IP_ALIGN
      }
    },
  ),
]

import {
  SkbDropReason,
  devKfreeSkbAny,
  consumeSkb,
  pagePoolCreate,
  pagePoolDestroy,
  skbGet,
  skbPut,
  skbReserve,
  skbTailroom,
  skbTrim,
  type SkBuff,
} from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that handle buffers wrongly. @kernel none */
export const skbMutants: readonly Mutant[] = [
  mutant(
    'SKB-01',
    'cuts a packet by hand and forgets its length',
    class extends RefDriver {
      override freeSent(skb: SkBuff): void {
        skb.tail--
        super.freeSent(skb)
      }
    },
  ),
  mutant(
    'SKB-02',
    'puts a trailer where there is no room',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        skbPut(skb, skbTailroom(skb) + 1)
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'SKB-03',
    'reserves headroom when the frame is already there',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        skbReserve(skb, 2)
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'SKB-04',
    'trims a packet that it shares',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        skbTrim(skbGet(skb), skb.len)
        consumeSkb(skb)
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'SKB-05',
    'ends sent packets as dropped',
    class extends RefDriver {
      override freeSent(skb: SkBuff): void {
        devKfreeSkbAny(skb, SkbDropReason.QUEUE_PURGE)
      }
    },
  ),
  mutant(
    'SKB-06',
    'frees what it sent twice',
    class extends RefDriver {
      override freeSent(skb: SkBuff): void {
        super.freeSent(skb)
        super.freeSent(skb)
      }
    },
  ),
  mutant(
    'PP-01',
    'shares one pool between two instances',
    class extends RefDriver {
      override open(): void {
        const pool = pagePoolCreate(this.kernel, { name: this.dev.name, count: 4 })
        pool.owner = this.napi
        pool.owner = {}
        pagePoolDestroy(pool)
        super.open()
      }
    },
  ),
  mutant(
    'PP-02',
    'destroys its pool twice',
    class extends RefDriver {
      override open(): void {
        const pool = pagePoolCreate(this.kernel, { name: this.dev.name, count: 4 })
        pagePoolDestroy(pool)
        pagePoolDestroy(pool)
        super.open()
      }
    },
  ),
]

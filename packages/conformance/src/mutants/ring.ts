import { testFrame } from '../frames.ts'
import { RefDriver } from '../ref/ref-driver.ts'
import { RefDescRing, RefFifo, refCirc, refRings } from '../ref/ref-ring.ts'
import type { RingsUnderTest } from '../rings.ts'
import { groReceiveSkb, ethTypeTrans, netdevAllocSkb, skbPut, type SkBuff } from '@vnet/netdev'
import { mutant, mutantSpec, type Mutant } from './mutant.ts'

function ringMutant(id: string, fault: string, rings: RingsUnderTest): Mutant {
  return mutantSpec(id, fault, (good) => ({ ...good, rings: { ...refRings, ...rings } }))
}

class NeverFull extends RefDescRing {
  override post(n: number): void {
    this.prod = (this.prod + n) >>> 0
  }
}

class AnySize extends RefDescRing {
  override checkSize(): void {
    if (this.size < 0) throw new RangeError('negative')
  }
}

class CardPosts extends RefDescRing {
  override complete(n: number): void {
    if (n > this.pending()) this.prod = (this.cons + n) >>> 0
    this.cons = (this.cons + n) >>> 0
  }
}

class Stack<T> extends RefFifo<T> {
  override consume(): T | undefined {
    if (this.empty) return undefined
    const last = (this.at + --this.length) % this.size
    const entry = this.slots[last]
    this.slots[last] = undefined
    return entry
  }
}

class ForgetfulResize<T> extends RefFifo<T> {
  override resize(size: number): void {
    super.resize(size, () => undefined)
  }
}

class Keeper<T> extends RefFifo<T> {
  override consume(): T | undefined {
    const { at } = this
    const entry = super.consume()
    this.slots[at] = entry
    return entry
  }
}

/** Rings and drivers that break the rules of rings. @kernel none */
export const ringMutants: readonly Mutant[] = [
  ringMutant('RING-01', 'posts past the size of the ring', { desc: (size) => new NeverFull(size) }),
  ringMutant('RING-02', 'counts the slot between tail and head as free', {
    circ: { ...refCirc, space: (head, tail, size) => size - refCirc.cnt(head, tail, size) },
  }),
  ringMutant('RING-03', 'masks an index with a size that is no power of two', {
    desc: (size) => new AnySize(size),
  }),
  ringMutant('RING-04', 'gives the newest entry out first, as snull did', {
    fifo: <T>(size: number) => new Stack<T>(size),
  }),
  ringMutant('RING-05', 'lets the card move the index of the driver', {
    desc: (size) => new CardPosts(size),
  }),
  mutant(
    'RING-06',
    'shows the card a descriptor before it is filled',
    class extends RefDriver {
      override queue(skb: SkBuff): void {
        const i = this.txNext
        this.sent(skb.len)
        this.txNext = this.card.txTail = (i + 1) % this.txSize
        if (this.kernel.preemptHook !== null) this.kernel.preemptHook('xmit:after-index')
        this.txSkb[i] = skb
        this.card.tx[i] = { mem: skb.mem, offset: skb.data, length: skb.len, done: false }
      }
    },
  ),
  ringMutant('RING-08', 'counts room across the wrap', { circ: { ...refCirc, spaceToEnd: refCirc.space } }),
  ringMutant('RING-09', 'forgets the entries that no longer fit', {
    fifo: <T>(size: number) => new ForgetfulResize<T>(size),
  }),
  ringMutant('RING-10', 'moves the index and leaves the entry in its slot', {
    fifo: <T>(size: number) => new Keeper<T>(size),
  }),
  mutant(
    'RING-12',
    'takes the empty slot of a full ring for one more frame',
    class extends RefDriver {
      override cleanRx(budget: number): number {
        const full = this.card.rxHead === this.card.rxTail
        const work = super.cleanRx(budget)
        if (full && this.rxSize > 4 && work === this.rxSize - 1) this.again()
        return work
      }

      again(): void {
        const skb = netdevAllocSkb(this.dev, 60)!
        skb.mem.set(testFrame(60, 0), skbPut(skb, 60))
        skb.protocol = ethTypeTrans(skb, this.dev)
        groReceiveSkb(this.gro, skb)
      }
    },
  ),
]

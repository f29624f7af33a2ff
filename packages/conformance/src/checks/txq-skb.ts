import {
  consumeSkb, devQueueXmit, devQueueXmitList, pagePoolAlloc, pagePoolCreate, pagePoolDestroy, skbAddRxFrag, skbBytes, skbClone, skbTrim,
  type PagePool, type SkBuff,
} from '@vnet/netdev' // prettier-ignore
import type { Check } from '../check.ts'
import { testFrame } from '../frames.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { noLimit } from './observe.ts'
import { numbers, sorted } from './txq.ts'

/** A frame in as many pieces as there can be. */
function fragmented(t: Testbed, pool: PagePool, n: number): SkBuff {
  const skb = t.makeSkb(testFrame(60, n))
  for (let piece = 0; piece < 16; piece++)
    t.expect(skbAddRxFrag(skb, pool, pagePoolAlloc(pool), 0, 32), 'the kit found no page')
  return skb
}

/** Reads of `skb.len` after the packet was freed. */
function lateReads(t: Testbed, skb: SkBuff): () => number {
  let { len } = skb
  let freed = false
  let late = 0
  const { id } = skb
  Object.defineProperty(skb, 'len', {
    configurable: true,
    enumerable: true,
    get: () => {
      if (freed) late++
      return len
    },
    set: (next: number) => {
      len = next
      freed = false
    },
  })
  t.kernel.trace.on('skb:*', (e) => {
    if (e.fields['id'] === id) freed = true
  })
  return () => late
}

/** What a driver may do with a packet. @kernel none */
export const txqSkbChecks: readonly Check[] = [
  {
    id: 'TXQ-08',
    title: 'keeps room for the packet with the most fragments',
    needs: ['txRing'],
    run(t) {
      const dev = t.start({ txRing: 64 })
      const pool = pagePoolCreate(t.kernel, { name: 'kit', count: 512 })
      t.card('slow')(10_000)
      noLimit(dev)
      for (let n = 0; n < 80; n++)
        devQueueXmit(n % 4 === 3 ? fragmented(t, pool, n) : t.makeSkb(testFrame(60, n)))
      t.run(SECOND)
      t.equal(sorted(t.cable.wire), numbers(80), 'frames on the wire')
      t.equal(
        t.cable.wire.filter((f) => f.length === 60 + 16 * 32).length,
        20,
        'fragmented ones of full length',
      )
      pagePoolDestroy(pool)
    },
  },
  {
    id: 'TXQ-14',
    title: 'frees and counts a frame it cannot send, and says OK',
    run(t) {
      const dev = t.start()
      let busy = 0
      t.kernel.trace.on('net:net_dev_xmit', (e) => (busy += e.fields['rc'] === 0 ? 0 : 1))
      const before = t.alive().length
      for (let n = 0; n < 4; n++) t.send(testFrame(dev.mtu + 1000, n))
      t.run(SECOND)
      const { txDropped, txErrors } = t.stats()
      t.equal(
        BigInt(t.cable.wire.length) + txDropped + txErrors,
        4n,
        'frames that are too long: sent, dropped or errors',
      )
      t.equal([busy, t.alive().length], [0, before], 'times BUSY, and things alive')
    },
  },
  {
    id: 'TXQ-15',
    title: 'does not write to the shared part of a clone',
    run(t) {
      t.start()
      const bytes = testFrame(100, 1).fill(0xa5, 14)
      const original = t.makeSkb(bytes)
      for (const length of [100, 20]) {
        const clone = skbClone(original)!
        skbTrim(clone, length)
        devQueueXmit(clone)
      }
      t.run(100 * MS)
      t.equal([...skbBytes(original)], [...bytes], 'bytes of the original')
      t.equal(t.cable.wire.length, 2, 'frames on the wire')
      consumeSkb(original)
    },
  },
  {
    id: 'TXQ-16',
    title: 'reads the length of a packet before it may be freed',
    run(t) {
      t.start()
      const reads: (() => number)[] = []
      for (const length of [14, 60, 1000]) {
        const skb = t.makeSkb(testFrame(length))
        reads.push(lateReads(t, skb))
        devQueueXmit(skb)
      }
      t.run(100 * MS)
      t.equal(
        reads.map((late) => late()),
        [0, 0, 0],
        'reads of skb.len after the packet was freed',
      )
    },
  },
  {
    id: 'TXQ-17',
    title: 'pads short frames to 60 bytes with zeros',
    needs: ['padding'],
    run(t) {
      t.start()
      for (let n = 0; n < 80; n++) t.send(testFrame(64, n).fill(0xff, 14))
      t.run(100 * MS)
      const { length } = t.cable.wire
      for (const short of [14, 17, 59]) t.send(testFrame(short, 0).fill(0xee, 14))
      t.run(100 * MS)
      const frames = t.cable.wire.slice(length)
      t.equal(
        frames.map((f) => f.length),
        [60, 60, 60],
        'lengths on the wire',
      )
      const pads = frames.map((f) => f.subarray(Math.max(14, f.lastIndexOf(0xee) + 1)))
      t.equal(
        pads.filter((pad) => pad.some((b) => b !== 0)),
        [],
        'pads that are not all 0',
      )
    },
  },
  {
    id: 'TXQ-18',
    title: 'rings the doorbell once for a burst',
    needs: ['xmitMore'],
    run(t) {
      const dev = t.start({ txRing: 64 })
      noLimit(dev)
      const before = t.card('doorbells')()
      const burst = numbers(16).map((n) => t.makeSkb(testFrame(60, n)))
      burst.forEach((skb, n) => (skb.next = burst[n + 1] ?? null))
      devQueueXmitList(burst[0]!)
      t.equal(t.card('doorbells')() - before, 1, 'doorbells for 16 frames')
      t.run(100 * MS)
      t.equal(sorted(t.cable.wire), numbers(16), 'frames on the wire')
    },
  },
  {
    id: 'TXQ-18',
    title: 'rings the doorbell for a burst whose last frame it cannot send',
    run(t) {
      const dev = t.start()
      noLimit(dev)
      const burst = [60, 60, 60, 4000].map((length, n) => t.makeSkb(testFrame(length, n)))
      burst.forEach((skb, n) => (skb.next = burst[n + 1] ?? null))
      devQueueXmitList(burst[0]!)
      t.run(100 * MS)
      t.equal(
        t.cable.wire.filter((frame) => frame.length === 60).length,
        3,
        'frames on the wire that it can send',
      )
    },
  },
]

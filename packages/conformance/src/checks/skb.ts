import { Errno } from '@vnet/kernel'
import {
  NET_RX_SUCCESS,
  POISON_FREE,
  SkBuffHead,
  allocSkb,
  consumeSkb,
  devAddPack,
  kfreeSkb,
  napiBuildSkb,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolDestroy,
  pagePoolPut,
  skbClone,
  skbCopy,
  skbGet,
  skbHeadroom,
  skbPull,
  skbPush,
  skbPut,
  skbQueuePurge,
  skbQueueTail,
  skbReserve,
  skbTailroom,
  skbTrim,
  skbUnclone,
  type SkBuff,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { ETH_P_TEST, frameNumber, testFrame } from '../frames.ts'
import { MS, SECOND, Testbed } from '../testbed.ts'

/** A small sk_buff on the kernel of the check. */
function small(t: Testbed): SkBuff {
  const skb = allocSkb(t.kernel, 128)
  if (skb === null) throw new Errno('ENOMEM')
  return skb
}

/** What a kernel of its own reports while `fn` runs: breaking a rule on purpose is not the driver's fault. */
function reported(t: Testbed, fn: (other: Testbed) => void): { rules: string[]; messages: string } {
  const other = new Testbed(t.spec, t.seed)
  fn(other)
  const { violations } = other.kernel
  return {
    rules: [...new Set(violations.map((v) => v.rule))],
    messages: violations.map((v) => v.message).join('; '),
  }
}

/** Lets the driver send and receive a little: what it does wrong to packets, the kernel reports. */
function traffic(t: Testbed): void {
  t.start()
  t.sendMany(20)
  t.inject(20)
  t.run(5 * MS)
  t.equal([t.cable.wire.length, t.received.length], [20, 20], 'frames sent and received')
}

const ordered = (s: SkBuff): boolean =>
  s.head <= s.data && s.data <= s.tail && s.tail <= s.end && s.len === s.tail - s.data

/** Buffers. @kernel none */
const skbOnlyChecks: readonly Check[] = [
  {
    id: 'SKB-01',
    title: 'keeps head, data, tail and end in order whatever is done to a packet',
    run(t) {
      const skb = small(t)
      const model: number[] = []
      skbReserve(skb, 40)
      for (let step = 0; step < 300; step++) {
        const n = t.kernel.rng.below(12)
        const kind = t.kernel.rng.below(4)
        if (kind === 0 && n <= skbTailroom(skb)) {
          skb.mem.fill(step, skb.tail, skbPut(skb, n) + n)
          for (let k = 0; k < n; k++) model.push(step & 0xff)
        } else if (kind === 1 && n <= skbHeadroom(skb)) {
          const at = skbPush(skb, n)
          skb.mem.fill(step, at, at + n)
          for (let k = 0; k < n; k++) model.unshift(step & 0xff)
        } else if (kind === 2) {
          t.equal(
            skbPull(skb, n) === null,
            n > model.length,
            `pulling ${n} of ${model.length} bytes is refused`,
          )
          if (n <= model.length) model.splice(0, n)
        } else if (kind === 3 && n > 0) {
          skbTrim(skb, n * 5)
          model.splice(n * 5)
        }
        t.expect(
          ordered(skb),
          `step ${step}: head ${skb.head}, data ${skb.data}, tail ${skb.tail}, end ${skb.end}, len ${skb.len}`,
        )
        t.equal(skb.mem.slice(skb.data, skb.tail).join(), model.join(), `bytes after step ${step}`)
      }
      consumeSkb(skb)
      traffic(t)
    },
  },
  {
    id: 'SKB-02',
    title: 'stays within its buffers: past the end or before the head is reported with both numbers',
    run(t) {
      const seen = reported(t, (other) => {
        const skb = small(other)
        skbPut(skb, skbTailroom(skb) + 1)
        skbPush(skb, skbHeadroom(skb) + 1)
        other.equal([skb.len, skbPull(skb, 1)], [0, null], 'bytes added, and what pulling past the end gives')
        consumeSkb(skb)
      })
      t.equal(seen.rules, ['SKB-02'], 'rules reported')
      t.expect(
        /\(129\).* 128 /.test(seen.messages) && /\(1\).* 0 /.test(seen.messages),
        `no pair of numbers in: ${seen.messages}`,
      )
      traffic(t)
    },
  },
  {
    id: 'SKB-03',
    title: 'reserves headroom only in an empty buffer',
    run(t) {
      const seen = reported(t, (other) => {
        const skb = small(other)
        skbReserve(skb, 16)
        other.equal(skbHeadroom(skb), 16, 'headroom')
        skbPut(skb, 4)
        skbReserve(skb, 16)
        consumeSkb(skb)
      })
      t.equal(seen.rules, ['SKB-03'], 'rules reported')
      traffic(t)
    },
  },
  {
    id: 'SKB-04',
    title: 'does not change a packet that others hold',
    run(t) {
      const seen = reported(t, (other) => {
        const skb = small(other)
        skbPut(skb, 10)
        skbGet(skb)
        skbTrim(skb, 5)
        other.equal(skb.len, 10, 'bytes of a shared packet after trimming it')
        consumeSkb(skb)
        skbTrim(skb, 5)
        other.equal(skb.len, 5, 'bytes when it is ours alone')
        consumeSkb(skb)
      })
      t.equal(seen.rules, ['SKB-04'], 'rules reported')
      traffic(t)
    },
  },
  {
    id: 'SKB-04',
    title: 'shares data with a clone, and nothing with a copy',
    run(t) {
      const skb = small(t)
      skb.mem.fill(1, skb.data, skbPut(skb, 20) + 20)
      const clone = skbClone(skb)!
      const copy = skbCopy(skb)!
      skbPull(clone, 4)
      t.equal([skb.len, clone.len], [20, 16], 'bytes of a packet and of its clone, of which 4 were pulled')
      t.equal(
        [clone.mem === skb.mem, clone.head === skb.head, copy.head === skb.head],
        [true, true, false],
        'shared: memory, clone, copy',
      )
      t.expect(skbUnclone(clone), 'no memory for bytes of its own')
      clone.mem[clone.data] = 9
      t.equal(
        skb.mem.slice(skb.data, skb.tail).join(),
        new Uint8Array(20).fill(1).join(),
        'the first packet after writing to the clone made private',
      )
      for (const each of [skb, clone, copy]) consumeSkb(each)
    },
  },
  {
    id: 'SKB-05',
    title: 'ends a sent packet as consumed, not as dropped',
    run(t) {
      t.start()
      const ends: string[] = []
      t.kernel.trace.on('skb:kfree_skb', (e) => ends.push(`${String(e.fields['reason'])}`))
      let consumed = 0
      t.kernel.trace.on('skb:consume_skb', () => consumed++)
      t.sendMany(20)
      t.run(SECOND)
      t.equal(ends, [], 'drops among 20 frames sent')
      t.expect(consumed >= 20, `${consumed} packets ended as consumed, fewer than the 20 sent`)
    },
  },
  {
    id: 'SKB-06',
    title: 'frees every packet once, and touches none afterwards',
    run(t) {
      const seen = reported(t, (other) => {
        const skb = small(other)
        skbPut(skb, 8)
        consumeSkb(skb)
        other.equal(skb.mem[skb.data], POISON_FREE, 'first byte of a freed packet')
        consumeSkb(skb)
      })
      t.equal(seen.rules, ['SKB-06'], 'rules reported when a packet is freed twice')
      t.start({ txRing: 16, rxRing: 16 })
      const queue = new SkBuffHead()
      devAddPack(t.kernel, {
        type: ETH_P_TEST,
        dev: t.dev,
        func(skb) {
          skbQueueTail(queue, skb)
          return NET_RX_SUCCESS
        },
      })
      for (let round = 0; round < 5; round++) {
        t.sendMany(30)
        t.inject(10)
        t.run(MS)
        // Every second time something is left on its way.
        if (round % 2 === 1) {
          t.sendMany(10)
          t.down()
          t.up()
        }
        skbQueuePurge(queue)
      }
      t.run(SECOND)
      t.down()
      const left = t.kernel.census
        .take()
        .filter((e) => e.kind === 'skb')
        .map((e) => e.name)
      t.equal(left, [], 'packets alive when the device is closed')
    },
  },
]

/** Pools of receive buffers. @kernel none */
const poolChecks: readonly Check[] = [
  {
    id: 'PP-01',
    title: 'takes from a pool only for the instance that owns it',
    run(t) {
      const seen = reported(t, (other) => {
        const pool = pagePoolCreate(other.kernel, { name: 'kit', count: 4 })
        const [mine, yours] = [{}, {}]
        pool.owner = mine
        const page = pagePoolAlloc(pool, mine)
        other.expect(page >= 0, 'the owner gets no page')
        other.equal(pagePoolAlloc(pool, yours), -1, 'page another instance gets')
        pagePoolPut(pool, page)
        pagePoolDestroy(pool)
      })
      t.equal(seen.rules, ['PP-01'], 'rules reported')
      traffic(t)
    },
  },
  {
    id: 'PP-02',
    title: 'has a pool live until its last buffer is back',
    run(t) {
      const pool = pagePoolCreate(t.kernel, { name: 'kit', count: 4 })
      const [held, built] = [pagePoolAlloc(pool), pagePoolAlloc(pool)]
      const skb = napiBuildSkb(pool, built, 64, 60)!
      let done = 0
      pagePoolDestroy(pool, () => done++)
      t.equal([done, pool.destroyed], [0, false], 'ended with two pages out')
      pagePoolPut(pool, held)
      t.equal([done, pool.destroyed], [0, false], 'ended with one page in a packet')
      kfreeSkb(skb)
      t.equal([done, pool.destroyed], [1, true], 'ended with the last page')
    },
  },
  {
    id: 'PP-02',
    title: 'closes while the stack still holds received packets',
    run(t) {
      t.start()
      const queue = new SkBuffHead()
      devAddPack(t.kernel, {
        type: ETH_P_TEST,
        dev: t.dev,
        func(skb) {
          skbQueueTail(queue, skb)
          return NET_RX_SUCCESS
        },
      })
      t.inject(testFrame(60, 1), testFrame(60, 2))
      t.run(MS)
      t.down()
      t.run(MS)
      const held: number[] = []
      for (let skb = queue.first; skb !== null; skb = skb.next) {
        held.push(frameNumber(skb.mem.subarray(skb.data - 14, skb.tail)))
      }
      t.equal(held, [1, 2], 'packets the stack holds, after closing')
      t.up()
      t.inject(1)
      t.run(MS)
      skbQueuePurge(queue)
      t.equal(t.received.length, 3, 'frames received, before and after')
    },
  },
]

/** Buffers and pools. @kernel none */
export const skbChecks: readonly Check[] = [...skbOnlyChecks, ...poolChecks]

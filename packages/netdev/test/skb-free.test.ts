import { createKernel, hwEventSetup, hwEventStart, type Kernel, requestIrq } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  consumeSkb,
  devConsumeSkbAny,
  devKfreeSkbAny,
  devKfreeSkbIrq,
  kfreeSkb,
  kfreeSkbList,
  napiConsumeSkb,
  napiConsumeSkbRing,
  netdevAllocSkb,
  type SkBuff,
  skbCacheOf,
  skbClone,
  skbCloned,
  skbCopy,
  SkbDropReason,
  skbGet,
  skbHeadroom,
  skbPull,
  skbPut,
  skbSetBytes,
  skbTailroom,
} from '../src/index.ts'
import { expectNoneAlive, hex, lenientKernel, rxDev, violation } from './skb-helpers.ts'

function make(kernel: Kernel, size = 128): SkBuff {
  return allocSkb(kernel, size)!
}

/** The fields that are plain values: objects here hold the whole memory. */
function plain(skb: SkBuff): Record<string, unknown> {
  const entries = Object.entries(skb).filter(([key, value]) => key !== 'id' && typeof value !== 'object')
  return { ...Object.fromEntries(entries), noDev: skb.dev === null, noNext: skb.next === null }
}

/** Runs `fn` in an interrupt handler. */
function inHardirq(kernel: Kernel, fn: () => void): void {
  const irq = kernel.irq.allocLine('test')
  requestIrq(kernel, irq, () => (fn(), 1), {}, 'test', {})
  const event = hwEventSetup(kernel, () => kernel.irq.pulse(irq), 'test')
  hwEventStart(event, 0)
  kernel.step()
}

describe('the end of a packet', () => {
  it.each([true, false])(
    'SKB-05 a transmit ring is consumed in order round its end, and no slot keeps a packet (checks %s)',
    (checks) => {
      const kernel = createKernel({ strict: false, checks })
      const ring: (SkBuff | null)[] = Array.from({ length: 8 }, () => make(kernel))
      const [kept, held] = [ring[3]!, skbGet(ring[7]!)]
      const clone = skbClone(ring[0]!)!
      // 6, 7, 0, 1, 2 of the slots, at the end of the free-running indexes.
      napiConsumeSkbRing(ring, -2, 5, 64)
      expect(ring.map((skb) => skb === null)).toEqual([true, true, true, false, false, false, true, true])
      expect([kept.users, held.users, clone.users]).toEqual([1, 1, 1])
      for (const skb of [held, clone]) consumeSkb(skb)
      napiConsumeSkbRing(ring, 3, 3, 0)
      expectNoneAlive(kernel)
      expect(kernel.violations).toEqual([])
    },
  )

  it('SKB-05 only drops show in the drop monitor, with their reason', () => {
    const kernel = createKernel()
    const seen: string[] = []
    kernel.trace.on('skb:*', (e) => seen.push(`${e.name} ${e.fields['reason'] ?? ''}`))
    kfreeSkb(make(kernel), SkbDropReason.QDISC_DROP)
    consumeSkb(make(kernel))
    napiConsumeSkb(make(kernel), 64)
    napiConsumeSkb(make(kernel), 0)
    devKfreeSkbAny(make(kernel))
    expect(seen).toEqual([
      'skb:kfree_skb QDISC_DROP',
      'skb:consume_skb ',
      'skb:consume_skb ',
      'skb:consume_skb ',
      'skb:kfree_skb NOT_SPECIFIED',
    ])
    expect(skbCacheOf(kernel).drops[SkbDropReason.QDISC_DROP]).toBe(1)
  })

  it('SKB-06 a double free is reported with the birthplace', () => {
    const kernel = createKernel()
    const skb = netdevAllocSkb(rxDev(kernel, 'vnet0'), 60)!
    consumeSkb(skb)
    expect(violation(() => kfreeSkb(skb))).toBe('SKB-06: kfreeSkb: skb#1 of vnet0 was already freed')
    expect(violation(() => consumeSkb(skb))).toMatch(/^SKB-06/)
    expect(violation(() => devKfreeSkbIrq(skb))).toMatch(/^SKB-06/)
  })

  it('SKB-06 a second free in a lenient kernel changes nothing', () => {
    const kernel = lenientKernel()
    const skb = make(kernel)
    kfreeSkb(skb)
    kfreeSkb(skb)
    expect(kernel.violations.map((v) => v.rule)).toEqual(['SKB-06'])
    const a = make(kernel)
    const b = make(kernel)
    expect(a.shinfo !== b.shinfo).toBe(true)
    kfreeSkb(a)
    kfreeSkb(b)
    expectNoneAlive(kernel)
  })

  it('SKB-06 use after free is reported', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    kfreeSkb(skb)
    const calls = [
      () => skbPut(skb, 1),
      () => skbPull(skb, 1),
      () => skbClone(skb),
      () => skbCopy(skb),
      () => skbGet(skb),
    ]
    for (const call of calls)
      expect(violation(call)).toMatch(/^SKB-06: \w+ on skb#1 of kernel after it was freed/)
  })

  it('SKB-06 freed data is overwritten with 0x6b, and a later write is found at the next allocation', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbSetBytes(skb, Uint8Array.of(1, 2, 3))
    const { mem, data } = skb
    kfreeSkb(skb)
    expect(hex(mem.subarray(data, data + 4))).toBe('6b6b6b6b')
    mem[data + 9] = 7
    expect(violation(() => make(kernel))).toMatch(
      /^SKB-06: a buffer was written to after it was freed: byte 8, last skb#1 of kernel/,
    )
  })

  it('SKB-06 the data of a clone lives until the last of both is freed, whichever goes first', () => {
    for (const order of [0, 1]) {
      const kernel = createKernel()
      const skb = make(kernel)
      skbSetBytes(skb, Uint8Array.of(5))
      const pair = [skb, skbClone(skb)!]
      kfreeSkb(pair[order]!)
      const left = pair[1 - order]!
      expect(left.mem[left.data]).toBe(5)
      expect(skbCloned(left)).toBe(false)
      kfreeSkb(left)
      expectNoneAlive(kernel)
    }
  })

  it('SKB-06 the census names what is alive, its owner and the module that made it', () => {
    const kernel = createKernel()
    kernel.currentModule = 'leaky'
    const skb = netdevAllocSkb(rxDev(kernel, 'vnet0'), 60)!
    const clone = skbClone(skb)!
    kernel.currentModule = null
    const alive = kernel.census.take().filter((entry) => entry.kind === 'skb')
    expect(alive).toEqual([
      { kind: 'skb', name: 'skb#1 of vnet0', module: 'leaky' },
      { kind: 'skb', name: 'skb#2 of vnet0', module: 'leaky' },
    ])
    kfreeSkb(skb)
    kfreeSkb(clone)
    expectNoneAlive(kernel)
  })

  it('SKB-06 with stacks on, a report says where the packet was made', () => {
    const kernel = createKernel()
    skbCacheOf(kernel).stacks = true
    const skb = make(kernel)
    kfreeSkb(skb)
    expect(violation(() => kfreeSkb(skb))).toMatch(/born at make .*skb-free\.test\.ts/)
  })

  it('CTX-06 the plain free in an interrupt handler is reported, the "any" one is not', () => {
    const kernel = lenientKernel()
    const [a, b, c] = [make(kernel), make(kernel), make(kernel)]
    const order: number[] = []
    kernel.trace.on('skb:*', (e) => order.push(e.fields['id'] as number))
    inHardirq(kernel, () => {
      devKfreeSkbAny(a!)
      devConsumeSkbAny(b!)
      expect(a!.users).toBe(1)
      expect(kernel.violations).toEqual([])
      kfreeSkb(c!)
    })
    expect(kernel.violations.map((v) => v.rule)).toEqual(['CTX-06'])
    expect(order[0]).toBe(c!.id)
    expect(order.slice(1).sort()).toEqual([a!.id, b!.id])
    expect(skbCacheOf(kernel).drops[SkbDropReason.NOT_SPECIFIED]).toBe(2)
    expectNoneAlive(kernel)
  })

  it('frees a list, each with the reason', () => {
    const kernel = createKernel()
    const first = make(kernel)
    first.next = make(kernel)
    first.next.next = make(kernel)
    kfreeSkbList(first, SkbDropReason.QUEUE_PURGE)
    expect(skbCacheOf(kernel).drops[SkbDropReason.QUEUE_PURGE]).toBe(3)
    expectNoneAlive(kernel)
  })
})

describe('memory', () => {
  it('an allocation that cannot be had is null: too large, injected, or out of memory', () => {
    const kernel = createKernel({ memoryBytes: 1024 * 1024 })
    expect(allocSkb(kernel, 69633)).toBeNull()
    const cache = skbCacheOf(kernel)
    cache.fail = () => true
    expect(allocSkb(kernel, 60)).toBeNull()
    cache.fail = null
    const all: SkBuff[] = []
    for (let skb = allocSkb(kernel, 60000); skb !== null; skb = allocSkb(kernel, 60000)) all.push(skb)
    expect(all.length).toBeGreaterThan(3)
    for (const skb of all) kfreeSkb(skb)
    expect(allocSkb(kernel, 60000)).not.toBeNull()
    expect(kernel.violations).toEqual([])
  })

  it('uses the same buffers again: steady traffic takes no new memory', () => {
    const kernel = createKernel()
    const sizes = [60, 1500, 9000, 65000]
    for (const size of sizes) kfreeSkb(make(kernel, size))
    const before = kernel.mem.allocated
    const clone = skbClone(make(kernel))!
    kfreeSkb(clone)
    const objects = skbCacheOf(kernel).all.size
    for (let i = 0; i < 1000; i++) {
      const skb = make(kernel, sizes[i % 4])
      kfreeSkb(skbClone(skb)!)
      kfreeSkb(skb)
    }
    expect(kernel.mem.allocated).toBe(before)
    expect(skbCacheOf(kernel).all.size).toBe(objects)
  })

  it('a fresh packet carries nothing of the one before it', () => {
    const kernel = createKernel({ strict: false })
    const skb = make(kernel)
    const blank = plain(skb)
    skbPut(skb, 60)
    Object.assign(skb, {
      protocol: 1,
      pktType: 2,
      ipSummed: 3,
      priority: 4,
      queueMapping: 5,
      hash: 6,
      mark: 7,
    })
    Object.assign(skb, {
      gsoSize: 8,
      napiId: 3,
      tstamp: 5,
      vlanPresent: true,
    })
    Object.assign(skb, { macHeader: 1, networkHeader: 2, transportHeader: 3 })
    skb.dev = rxDev(kernel)
    kfreeSkb(skb)
    const again = make(kernel)
    expect(again === skb).toBe(true)
    expect(again.tstamp).toBe(0)
    // Where a stamp is kept is stale without one.
    expect({ ...plain(again), time: 0 }).toEqual(blank)
  })

  it('RX-10 RX-11 netdevAllocSkb leaves headroom and aligns the IP header', () => {
    const kernel = createKernel()
    const skb = netdevAllocSkb(rxDev(kernel), 1514)!
    expect(skbHeadroom(skb)).toBe(66)
    expect((skb.data + 14) % 4).toBe(0)
    expect(skbTailroom(skb)).toBeGreaterThanOrEqual(1514)
  })
})

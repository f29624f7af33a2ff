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
  netdevAllocSkb,
  pskbExpandHead,
  type SkBuff,
  skbCacheOf,
  skbClone,
  skbCloned,
  skbCopy,
  SkbDropReason,
  skbGet,
  skbHeadroom,
  skbPull,
  skbPush,
  skbPut,
  skbPutPadto,
  skbReserve,
  skbSetBytes,
  skbShared,
  skbTailroom,
  skbTrim,
  skbUnclone,
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

describe('offsets', () => {
  it('SKB-01 skbReserve past the end is refused with both numbers', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    expect(violation(() => skbReserve(skb, 129))).toBe(
      'SKB-01: skbReserve(129) on skb#1 of kernel with 128 bytes of tailroom',
    )
    expect(violation(() => skbReserve(skb, -1))).toMatch(/^SKB-01/)
    expect(skbHeadroom(skb)).toBe(0)
  })

  it('SKB-01 skbTrim and skbPut need the data in one piece', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbPut(skb, 10)
    skb.len += 5
    skb.dataLen = 5
    expect(violation(() => skbTrim(skb, 3))).toMatch(/^SKB-01: skbTrim\(3\).*5 bytes in fragments/)
    expect(violation(() => skbPut(skb, 3))).toMatch(/^SKB-01: skbPut\(3\).*5 bytes in fragments/)
    expect(skbTailroom(skb)).toBe(0)
  })

  it('SKB-01 offsets that somebody wrote by hand are found when the packet is freed', () => {
    const kernel = lenientKernel()
    const spoilt: ((skb: SkBuff) => void)[] = [
      (skb) => (skb.len = 5),
      (skb) => (skb.tail += 1),
      (skb) => (skb.data = skb.head - 1),
      (skb) => ((skb.tail = skb.end + 1), (skb.len = skb.tail - skb.data)),
    ]
    for (const spoil of spoilt) {
      const skb = make(kernel)
      skbPut(skb, 4)
      spoil(skb)
      kfreeSkb(skb)
    }
    expect(kernel.violations.map((v) => v.rule)).toEqual(['SKB-01', 'SKB-01', 'SKB-01', 'SKB-01'])
    expect(kernel.violations[0]!.message).toMatch(
      /^somebody before kfreeSkb left skb#1 of kernel with head \d+, data \d+, tail \d+, end \d+, len 5 of which 0 in fragments$/,
    )
    expectNoneAlive(kernel)
  })

  it('SKB-02 skbPut past the end is reported with both numbers and adds nothing', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbPut(skb, 100)
    expect(violation(() => skbPut(skb, 29))).toBe(
      'SKB-02: skbPut(29) on skb#1 of kernel with 28 bytes of tailroom',
    )
    expect(violation(() => skbPut(skb, -1))).toMatch(/^SKB-02/)
    expect(skb.len).toBe(100)
    skbPut(skb, 28)
    expect(skb.tail).toBe(skb.end)
  })

  it('SKB-02 skbPush before the head is reported with both numbers and adds nothing', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbReserve(skb, 13)
    expect(violation(() => skbPush(skb, 14))).toBe(
      'SKB-02: skbPush(14) on skb#1 of kernel with 13 bytes of headroom',
    )
    expect(skb.len).toBe(0)
    expect(skbPush(skb, 13)).toBe(skb.head)
  })

  it('SKB-02 skbPull past the length returns null and takes nothing', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbPut(skb, 20)
    expect(skbPull(skb, 21)).toBeNull()
    expect(skb.len).toBe(20)
    expect(skbPull(skb, 20)).toBe(skb.tail)
    expect(skbPull(skb, 0)).toBe(skb.tail)
  })

  it('SKB-02 a lenient kernel records the misuse and leaves the packet whole, with checks on or off', () => {
    for (const checks of [true, false]) {
      const kernel = lenientKernel({ checks })
      const skb = make(kernel)
      skbPut(skb, 200)
      skbPush(skb, 1)
      skbSetBytes(skb, new Uint8Array(500))
      expect(kernel.violations.map((v) => v.rule)).toEqual(['SKB-02', 'SKB-02', 'SKB-02'])
      expect([skb.len, skb.data, skb.tail]).toEqual([0, skb.head, skb.head])
      kfreeSkb(skb)
      expectNoneAlive(kernel)
    }
  })

  it('SKB-03 skbReserve needs an empty packet', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbPut(skb, 4)
    expect(violation(() => skbReserve(skb, 2))).toBe(
      'SKB-03: skbReserve(2) on skb#1 of kernel, which holds 4 bytes already',
    )
  })
})

describe('sharing', () => {
  it('SKB-04 a shared packet is not modified', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbPut(skb, 20)
    skbGet(skb)
    expect(skbShared(skb)).toBe(true)
    const calls = [
      () => skbPut(skb, 1),
      () => skbPush(skb, 1),
      () => skbPull(skb, 1),
      () => skbTrim(skb, 1),
      () => skbReserve(skb, 1),
      () => skbPutPadto(skb, 60),
      () => pskbExpandHead(skb, 1, 1),
    ]
    for (const call of calls) expect(violation(call)).toMatch(/^SKB-04: \w+ on skb#1 of kernel, which 2 hold/)
    kfreeSkb(skb)
    expect(skbShared(skb)).toBe(false)
    skbPut(skb, 1)
    kfreeSkb(skb)
    expectNoneAlive(kernel)
  })

  it('SKB-04 a clone shares the bytes and has offsets of its own; a copy shares nothing', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbReserve(skb, 16)
    skbSetBytes(skb, Uint8Array.of(1, 2, 3, 4))
    skb.protocol = 0x0806
    skb.networkHeader = skb.data + 2
    const clone = skbClone(skb)!
    const copy = skbCopy(skb)!
    expect([skbCloned(skb), skbCloned(clone), skbCloned(copy)]).toEqual([true, true, false])
    skbPull(clone, 2)
    skb.mem[skb.data + 2] = 99
    expect([skb.len, clone.len, copy.len]).toEqual([4, 2, 4])
    expect(clone.mem[clone.data]).toBe(99)
    expect(copy.mem[copy.data + 2]).toBe(3)
    expect([clone.protocol, copy.protocol]).toEqual([0x0806, 0x0806])
    expect(copy.networkHeader - copy.data).toBe(2)
    expect(skbHeadroom(copy)).toBe(16)
    for (const each of [skb, clone, copy]) kfreeSkb(each)
    expectNoneAlive(kernel)
  })

  it('TXQ-15 skbUnclone gives the caller bytes of its own and leaves the other alone', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skbSetBytes(skb, Uint8Array.of(1, 2, 3))
    const clone = skbClone(skb)!
    expect(skbUnclone(clone)).toBe(true)
    clone.mem[clone.data] = 9
    expect(skb.mem[skb.data]).toBe(1)
    expect([skbCloned(skb), skbCloned(clone)]).toEqual([false, false])
    kfreeSkb(skb)
    kfreeSkb(clone)
    expectNoneAlive(kernel)
  })

  it('TXQ-17 padding a clone leaves no old memory in the pad and does not write to the original', () => {
    const kernel = createKernel()
    const skb = make(kernel)
    skb.mem.fill(0xee, skb.head, skb.end)
    skbPut(skb, 14)
    const clone = skbClone(skb)!
    expect(skbPutPadto(clone, 60)).toBe(true)
    expect(clone.len).toBe(60)
    expect(hex(clone.mem.subarray(clone.data, clone.tail))).toBe('ee'.repeat(14) + '00'.repeat(46))
    expect(skb.mem[skb.tail]).toBe(0xee)
    kfreeSkb(skb)
    kfreeSkb(clone)
    expectNoneAlive(kernel)
  })

  it('TXQ-17 failing to pad frees the packet', () => {
    const kernel = createKernel()
    const skb = make(kernel, 14)
    const clone = skbClone(skb)!
    skbCacheOf(kernel).fail = () => true
    expect(skbPutPadto(clone, 60)).toBe(false)
    expect(clone.users).toBe(0)
    expect(skbCacheOf(kernel).drops[SkbDropReason.NOMEM]).toBe(1)
    kfreeSkb(skb)
    expectNoneAlive(kernel)
  })
})

describe('the end of a packet', () => {
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
    expect(violation(() => kfreeSkb(skb))).toMatch(/born at at make .*skb-rules\.test\.ts/)
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
    const objects = skbCacheOf(kernel).all.size
    for (let i = 0; i < 1000; i++) kfreeSkb(make(kernel, sizes[i % 4]))
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
      gsoSegs: 9,
      gsoType: 1,
      cb: 2,
      napiId: 3,
      state: 4,
      tstamp: 5,
      vlanPresent: true,
    })
    Object.assign(skb, { macHeader: 1, networkHeader: 2, transportHeader: 3 })
    skb.dev = rxDev(kernel)
    kfreeSkb(skb)
    const again = make(kernel)
    expect(again === skb).toBe(true)
    expect(plain(again)).toEqual(blank)
  })

  it('RX-10 RX-11 netdevAllocSkb leaves headroom and aligns the IP header', () => {
    const kernel = createKernel()
    const skb = netdevAllocSkb(rxDev(kernel), 1514)!
    expect(skbHeadroom(skb)).toBe(66)
    expect((skb.data + 14) % 4).toBe(0)
    expect(skbTailroom(skb)).toBeGreaterThanOrEqual(1514)
  })
})

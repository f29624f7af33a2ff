import { createKernel, type Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  kfreeSkb,
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
import { expectNoneAlive, hex, lenientKernel, violation } from './skb-helpers.ts'

function make(kernel: Kernel, size = 128): SkBuff {
  return allocSkb(kernel, size)!
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

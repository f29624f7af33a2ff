import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FqCodelQdisc,
  kfreeSkb,
  type NetDevice,
  netdevAllocSkb,
  NET_XMIT_CN,
  NET_XMIT_SUCCESS,
  type SkBuff,
  skbPut,
} from '../../src/index.ts'
import { liveSkbs, makeDev } from '../helpers.ts'

const MS = 1_000_000

/** An IPv4/UDP frame of a flow told by its source port, which ECN may mark. */
function packet(dev: NetDevice<any>, flow: number, mark = 0, length = 100, tos = 0): SkBuff {
  const skb = netdevAllocSkb(dev, length)!
  const at = skbPut(skb, length)
  const { mem } = skb
  mem.fill(0, at, at + length)
  mem.set([0x08, 0x00, 0x45, tos, 0, length - 14, 0, 0, 0, 0, 64, 17], at + 12)
  mem.set([10, 0, 0, 1, 10, 0, 0, 2, flow >> 8, flow & 0xff, 0, 9], at + 26)
  const sum = headerSum(mem, at + 14)
  mem[at + 24] = ~sum >>> 8
  mem[at + 25] = ~sum
  skb.protocol = 0x0800
  skb.dev = dev
  skb.macHeader = skb.data
  skb.networkHeader = skb.data + 14
  skb.mark = mark
  return skb
}

function headerSum(mem: Uint8Array, at: number): number {
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += (mem[at + i]! << 8) | mem[at + i + 1]!
  return (sum & 0xffff) + (sum >>> 16)
}

function setup(): {
  dev: NetDevice<any>
  qdisc: FqCodelQdisc
  wait: (ms: number) => void
  left: () => number
} {
  const { kernel, dev } = makeDev()
  const qdisc = new FqCodelQdisc(dev, dev.txq[0]!)
  return { dev, qdisc, wait: (ms) => kernel.runFor(ms * MS), left: () => liveSkbs(kernel) }
}

/** Takes one out, tells its mark, frees it. */
function take(qdisc: FqCodelQdisc): number | null {
  const skb = qdisc.dequeue()
  if (skb === null) return null
  const { mark } = skb
  kfreeSkb(skb)
  return mark
}

describe('fq_codel', () => {
  it('lets flows take turns by bytes, however many packets one of them has', () => {
    const { dev, qdisc, left } = setup()
    for (let i = 0; i < 40; i++) qdisc.enqueue(packet(dev, 1, 1, 1514))
    for (let i = 0; i < 3; i++) qdisc.enqueue(packet(dev, 2, 2, 1514))
    const order = Array.from({ length: 8 }, () => take(qdisc))
    expect(order).toEqual([1, 2, 1, 2, 1, 2, 1, 1])
    qdisc.reset()
    expect([left(), qdisc.drops]).toEqual([0, 35])
  })

  it('serves a flow that was idle before those that always have something', () => {
    const { dev, qdisc, left } = setup()
    for (let i = 0; i < 30; i++) qdisc.enqueue(packet(dev, 1, 1, 1514))
    expect([take(qdisc), take(qdisc)]).toEqual([1, 1])
    qdisc.enqueue(packet(dev, 2, 2))
    expect(take(qdisc)).toBe(2)
    qdisc.reset()
    expect(left()).toBe(0)
  })

  it('drops nothing while packets wait less than 5 ms, and drops more and more when they wait for 100 ms', () => {
    const { dev, qdisc, wait, left } = setup()
    for (let i = 0; i < 500; i++) qdisc.enqueue(packet(dev, 1, i, 1514))
    for (let i = 0; i < 4; i++) {
      wait(1)
      take(qdisc)
    }
    expect(qdisc.drops).toBe(0)
    const drops: number[] = []
    for (let ms = 0; ms < 400; ms++) {
      wait(1)
      const before = qdisc.drops
      if (take(qdisc) !== null && qdisc.drops > before) drops.push(ms)
    }
    expect(drops[0]).toBeGreaterThan(99)
    const gaps = drops.slice(1).map((at, i) => at - drops[i]!)
    expect(gaps.length).toBeGreaterThan(3)
    // interval / sqrt(count): 100, 70, 57, 50 … ms
    expect(gaps.slice(0, 3).map((gap) => Math.round(gap / 5) * 5)).toEqual([100, 70, 60])
    qdisc.reset()
    expect(left()).toBe(0)
  })

  it('marks packets that understand the mark instead of dropping them, and keeps their checksum right', () => {
    const { dev, qdisc, wait, left } = setup()
    for (let i = 0; i < 300; i++) qdisc.enqueue(packet(dev, 1, i, 1514, 2))
    let marked = 0
    for (let ms = 0; ms < 300; ms++) {
      wait(1)
      const skb = qdisc.dequeue()
      if (skb === null) break
      if ((skb.mem[skb.data + 15]! & 3) === 3) marked++
      expect(headerSum(skb.mem, skb.data + 14)).toBe(0xffff)
      kfreeSkb(skb)
    }
    expect(marked).toBeGreaterThan(1)
    expect([qdisc.drops, qdisc.flowStats.ecnMark]).toEqual([0, marked])
    expect(left()).toBe(0)
  })

  it('takes from the flow with most bytes when it is full, and tells its sender', () => {
    const { dev, qdisc, left } = setup()
    for (let i = 0; i < qdisc.limit; i++) expect(qdisc.enqueue(packet(dev, 1))).toBe(NET_XMIT_SUCCESS)
    expect(qdisc.enqueue(packet(dev, 2))).toBe(NET_XMIT_SUCCESS)
    expect([qdisc.drops, qdisc.qlen]).toEqual([64, qdisc.limit + 1 - 64])
    while (qdisc.qlen < qdisc.limit) qdisc.enqueue(packet(dev, 1))
    expect(qdisc.enqueue(packet(dev, 1))).toBe(NET_XMIT_CN)
    expect(qdisc.flowStats.dropOverlimit).toBe(128)
    qdisc.reset()
    expect([left(), qdisc.flowStats.memoryUsage]).toEqual([0, 0])
  })

  it('accounts for every packet, whatever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(0)), { maxLength: 300 }),
        (steps) => {
          const { dev, qdisc, wait, left } = setup()
          let queued = 0
          let taken = 0
          const last = new Map<number, number>()
          for (const [serial, flow] of steps.entries()) {
            if (flow > 0) queued += qdisc.enqueue(packet(dev, flow, flow * 1000 + serial)) === 0 ? 1 : 0
            else {
              wait(3)
              const mark = take(qdisc)
              if (mark === null) continue
              taken++
              // In a flow, the order is kept.
              const of = Math.floor(mark / 1000)
              expect(mark).toBeGreaterThan(last.get(of) ?? 0)
              last.set(of, mark)
            }
          }
          expect(qdisc.qlen).toBe(queued - taken - qdisc.drops)
          expect(qdisc.backlog).toBe(qdisc.qlen * 100)
          qdisc.reset()
          expect([left(), qdisc.flowStats.newFlowsLen, qdisc.flowStats.oldFlowsLen]).toEqual([0, 0, 0])
        },
      ),
      { numRuns: 50 },
    )
  })
})

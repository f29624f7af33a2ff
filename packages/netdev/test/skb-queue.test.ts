import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  kfreeSkb,
  SkBuffHead,
  type SkBuff,
  skbCacheOf,
  skbDequeue,
  skbDequeueTail,
  SkbDropReason,
  skbPeek,
  skbQueueEmpty,
  skbQueueHead,
  skbQueueLen,
  skbQueuePurge,
  skbQueueSpliceTail,
  skbQueueTail,
  skbUnlink,
} from '../src/index.ts'
import { expectNoneAlive, lenientKernel, violation } from './skb-helpers.ts'

const ops = fc.array(fc.constantFrom('tail', 'head', 'pop', 'popTail', 'unlink', 'splice'), { maxLength: 80 })

function ids(list: SkBuffHead): number[] {
  const out: number[] = []
  let last: SkBuff | null = null
  for (let skb = list.first; skb !== null; skb = skb.next) {
    expect(skb.prev === last).toBe(true)
    out.push(skb.id)
    last = skb
  }
  expect(list.last === last).toBe(true)
  return out
}

describe('sk_buff_head', () => {
  it('is a list like an array', () => {
    const kernel = createKernel()
    fc.assert(
      fc.property(ops, (steps) => {
        const list = new SkBuffHead()
        const model: number[] = []
        const make = (): SkBuff => allocSkb(kernel, 0)!
        for (const op of steps) {
          if (op === 'tail' || op === 'head') {
            const skb = make()
            if (op === 'tail') skbQueueTail(list, skb)
            else skbQueueHead(list, skb)
            if (op === 'tail') model.push(skb.id)
            else model.unshift(skb.id)
          } else if (op === 'splice') {
            const other = new SkBuffHead()
            const skb = make()
            skbQueueTail(other, skb)
            skbQueueSpliceTail(other, list)
            skbQueueSpliceTail(other, list)
            model.push(skb.id)
            expect(skbQueueLen(other)).toBe(0)
          } else if (op === 'unlink') {
            const skb = list.first?.next ?? list.first
            if (skb === null) continue
            skbUnlink(skb, list)
            model.splice(model.indexOf(skb.id), 1)
            kfreeSkb(skb)
          } else {
            const skb = op === 'pop' ? skbDequeue(list) : skbDequeueTail(list)
            expect(skb?.id).toBe(op === 'pop' ? model.shift() : model.pop())
            if (skb !== null) kfreeSkb(skb)
          }
          expect(ids(list)).toEqual(model)
          expect(skbQueueLen(list)).toBe(model.length)
          expect(skbQueueEmpty(list)).toBe(model.length === 0)
          expect(skbPeek(list)?.id).toBe(model[0])
        }
        skbQueuePurge(list)
        expectNoneAlive(kernel)
      }),
    )
    expect(skbCacheOf(kernel).drops[SkbDropReason.QUEUE_PURGE]).toBeGreaterThan(0)
  })

  it('SKB-06 a packet on two lists, or freed while on one, is reported', () => {
    const kernel = createKernel()
    const [a, b] = [new SkBuffHead(), new SkBuffHead()]
    const [one, two] = [allocSkb(kernel, 0)!, allocSkb(kernel, 0)!]
    skbQueueTail(a, one)
    skbQueueTail(a, two)
    expect(violation(() => skbQueueTail(b, one))).toBe('SKB-06: skb#1 of kernel is already on a list')
    expect(violation(() => skbQueueHead(a, two))).toMatch(/already on a list/)
    expect(violation(() => kfreeSkb(one))).toMatch(/^SKB-06: kfreeSkb: skb#1 of kernel is still on a list/)
  })

  it('SKB-06 a freed packet cannot be queued', () => {
    const kernel = lenientKernel()
    const list = new SkBuffHead()
    const skb = allocSkb(kernel, 0)!
    kfreeSkb(skb)
    skbQueueTail(list, skb)
    expect(kernel.violations.map((v) => v.rule)).toEqual(['SKB-06'])
    expect(list.qlen).toBe(0)
  })
})

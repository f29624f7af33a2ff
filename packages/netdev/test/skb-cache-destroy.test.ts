import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { allocSkb, kfreeSkb, skbCacheDestroy, skbPut } from '../src/index.ts'

describe('the memory of packets, when a kernel ends', () => {
  it('is given back, and the census shows nothing', () => {
    const kernel = createKernel({ regionBytes: 1 << 20 })
    for (const size of [100, 1500, 9000]) kfreeSkb(allocSkb(kernel, size)!)
    expect(kernel.census.take().length).toBeGreaterThan(0)
    expect(skbCacheDestroy(kernel)).toBe(true)
    expect(kernel.census.take()).toEqual([])
  })

  it('stays while a packet is held', () => {
    const kernel = createKernel({ regionBytes: 1 << 20 })
    const skb = allocSkb(kernel, 100)!
    expect(skbCacheDestroy(kernel)).toBe(false)
    kfreeSkb(skb)
    expect(skbCacheDestroy(kernel)).toBe(true)
  })

  it('can be had again', () => {
    const kernel = createKernel({ regionBytes: 1 << 20 })
    kfreeSkb(allocSkb(kernel, 100)!)
    skbCacheDestroy(kernel)
    const skb = allocSkb(kernel, 100)!
    expect(skbPut(skb, 50)).toBeGreaterThanOrEqual(0)
    kfreeSkb(skb)
    expect(kernel.violations).toEqual([])
  })
})

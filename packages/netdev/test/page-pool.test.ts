import { createKernel, Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  kfreeSkb,
  MAX_SKB_FRAGS,
  napiBuildSkb,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolDestroy,
  pagePoolOffset,
  pagePoolPut,
  skbAddRxFrag,
  skbBytes,
  skbClone,
  skbHeadroom,
} from '../src/index.ts'
import { expectNoneAlive, lenientKernel, violation } from './skb-helpers.ts'

function pools(kernel: ReturnType<typeof createKernel>): string[] {
  return kernel.census
    .take()
    .filter((entry) => entry.kind === 'page_pool')
    .map((entry) => entry.name)
}

describe('page pool', () => {
  it('hands out each page once, then none', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 5, bufSize: 256 })
    const pages = Array.from({ length: 5 }, () => pagePoolAlloc(pool))
    expect([...pages].sort()).toEqual([0, 1, 2, 3, 4])
    expect(pagePoolAlloc(pool)).toBe(-1)
    expect(pool.allocFailed).toBe(1)
    expect(pages.map((page) => pagePoolOffset(pool, page) - pool.base)).toEqual(
      pages.map((page) => page * 256),
    )
    for (const page of pages) pagePoolPut(pool, page)
    expect(pool.outstanding).toBe(0)
  })

  it('builds a packet on a page without copying, and takes the page back when it is freed', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'vnet0-rx0', count: 2 })
    const page = pagePoolAlloc(pool)
    pool.region.u8.set([1, 2, 3], pagePoolOffset(pool, page) + 66)
    const skb = napiBuildSkb(pool, page, 66, 3)!
    expect(Array.from(skbBytes(skb))).toEqual([1, 2, 3])
    expect([skb.region, skb.data]).toEqual([pool.region.id, pagePoolOffset(pool, page) + 66])
    expect(skbHeadroom(skb)).toBe(66)
    expect(skb.dev).toBeNull()
    expect(kernel.census.take().find((entry) => entry.kind === 'skb')?.name).toBe('skb#1 of vnet0-rx0')
    kfreeSkb(skb)
    expectNoneAlive(kernel, pool)
  })

  it('carves from a region of somebody else', () => {
    const kernel = createKernel()
    const region = kernel.mem.addRegion(new SharedArrayBuffer(65536))
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4, bufSize: 2048, region, regionOffset: 4096 })
    const page = pagePoolAlloc(pool)
    expect(pagePoolOffset(pool, page)).toBe(4096 + page * 2048)
    const skb = napiBuildSkb(pool, page, 0, 60)!
    expect(skb.region).toBe(region.id)
    kfreeSkb(skb)
    pagePoolDestroy(pool)
    expect(pool.destroyed).toBe(true)
  })

  it('refuses sizes that make no sense', () => {
    const kernel = createKernel()
    const bad = [
      { count: 0 },
      { count: 1.5 },
      { count: 1 << 20 },
      { count: 4, bufSize: 100 },
      { count: 4, bufSize: 0 },
    ]
    for (const params of bad) expect(() => pagePoolCreate(kernel, { name: 'p', ...params })).toThrow(Errno)
    const region = kernel.mem.addRegion(new ArrayBuffer(4096))
    expect(() => pagePoolCreate(kernel, { name: 'p', count: 4, region })).toThrow(/do not fit the region/)
    expect(() => pagePoolCreate(createKernel({ memoryBytes: 4096 }), { name: 'p', count: 64 })).toThrow(Errno)
  })

  it('RX-05 fault hooks make the next page or packet fail, and nothing is lost', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 2 })
    pool.fail = () => true
    expect(pagePoolAlloc(pool)).toBe(-1)
    pool.fail = null
    const page = pagePoolAlloc(pool)
    pool.failBuild = () => true
    expect(napiBuildSkb(pool, page, 0, 60)).toBeNull()
    pool.failBuild = null
    pagePoolPut(pool, page)
    expectNoneAlive(kernel, pool)
  })

  it('the fault hooks work with the checks off as well', () => {
    const kernel = createKernel({ checks: false })
    const pool = pagePoolCreate(kernel, { name: 'p', count: 2 })
    let left = 2
    pool.fail = () => --left > 0
    expect([pagePoolAlloc(pool), pagePoolAlloc(pool) >= 0]).toEqual([-1, true])
  })

  it('PP-01 a pool belongs to one NAPI instance', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4 })
    const [mine, other] = [{}, {}]
    pool.owner = mine
    pool.owner = mine
    expect(violation(() => (pool.owner = other))).toMatch(/^PP-01: page pool p already belongs/)
    expect(pagePoolAlloc(pool, mine)).toBeGreaterThanOrEqual(0)
    expect(violation(() => pagePoolAlloc(pool, other))).toMatch(/^PP-01: pagePoolAlloc from page pool p/)
    expect(pagePoolAlloc(pool)).toBeGreaterThanOrEqual(0)
    pool.owner = null
    pool.owner = other
    expect(pagePoolAlloc(pool, other)).toBeGreaterThanOrEqual(0)
  })

  it('PP-02 a pool destroyed early waits for its pages, then is gone', () => {
    const kernel = createKernel()
    const before = kernel.mem.allocated
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4 })
    const [a, b] = [pagePoolAlloc(pool), pagePoolAlloc(pool)]
    const skb = napiBuildSkb(pool, a, 0, 60)!
    const clone = skbClone(skb)!
    let done = 0
    pagePoolDestroy(pool, () => done++)
    expect([done, pool.destroyed, pools(kernel)]).toEqual([0, false, ['p, waits for 2 pages']])
    pagePoolPut(pool, b)
    kfreeSkb(skb)
    expect(done).toBe(0)
    kfreeSkb(clone)
    expect([done, pool.destroyed, pools(kernel)]).toEqual([1, true, []])
    expect(kernel.mem.allocated).toBe(before)
    expectNoneAlive(kernel)
  })

  it('PP-02 making and destroying pools again and again leaves nothing behind', () => {
    const kernel = createKernel()
    for (let i = 0; i < 50; i++) pagePoolDestroy(pagePoolCreate(kernel, { name: 'p', count: 64 }))
    expect(kernel.mem.allocated).toBe(0)
    expect(pools(kernel)).toEqual([])
  })

  it('PP-02 taking from a destroyed pool and destroying it twice are reported', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4 })
    pagePoolDestroy(pool)
    expect(violation(() => pagePoolAlloc(pool))).toMatch(/^PP-02: .*was destroyed/)
    expect(violation(() => pagePoolDestroy(pool))).toMatch(/^PP-02: .*already destroyed/)
    const lenient = lenientKernel()
    const other = pagePoolCreate(lenient, { name: 'p', count: 4 })
    pagePoolDestroy(other)
    pagePoolDestroy(other)
    expect(pagePoolAlloc(other)).toBe(-1)
  })

  it('PP-02 a page number the pool does not have is reported', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4 })
    for (const page of [-1, 4, 0.5])
      expect(violation(() => pagePoolPut(pool, page))).toMatch(/^PP-02: pagePoolPut/)
  })

  it('SKB-06 putting a page back twice, or one that is in a packet, is reported', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4 })
    const page = pagePoolAlloc(pool)
    pagePoolPut(pool, page)
    expect(violation(() => pagePoolPut(pool, page))).toBe(
      `SKB-06: pagePoolPut: page ${page} of page pool p is free`,
    )
    const used = pagePoolAlloc(pool)
    const skb = napiBuildSkb(pool, used, 0, 60)!
    expect(violation(() => pagePoolPut(pool, used))).toMatch(/is part of a packet/)
    expect(violation(() => napiBuildSkb(pool, used, 0, 60))).toMatch(/^SKB-06: napiBuildSkb/)
    kfreeSkb(skb)
    expect(violation(() => napiBuildSkb(pool, used, 0, 60))).toMatch(/is free/)
  })

  it('SKB-06 a card that writes to a page after it was put back is found', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 1 })
    const page = pagePoolAlloc(pool)
    pagePoolPut(pool, page)
    pool.region.u8[pagePoolOffset(pool, page) + 100] = 1
    expect(violation(() => pagePoolAlloc(pool))).toMatch(
      /^SKB-06: page 0 of p was written to after it was freed: byte 100/,
    )
  })

  it('SKB-02 a frame longer than the page is refused, checks on or off', () => {
    for (const checks of [true, false]) {
      const kernel = lenientKernel({ checks })
      const pool = pagePoolCreate(kernel, { name: 'p', count: 4, bufSize: 256 })
      const page = pagePoolAlloc(pool)
      expect(napiBuildSkb(pool, page, 66, 191)).toBeNull()
      expect(napiBuildSkb(pool, page, -1, 10)).toBeNull()
      expect(kernel.violations.map((v) => v.rule)).toEqual(['SKB-02', 'SKB-02'])
      kfreeSkb(napiBuildSkb(pool, page, 66, 190)!)
      expectNoneAlive(kernel, pool)
    }
  })
})

describe('fragments', () => {
  it('a packet takes 17 more pages and gives all of them back', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 32, bufSize: 128 })
    const skb = allocSkb(kernel, 64)!
    for (let i = 0; i < MAX_SKB_FRAGS; i++) {
      const page = pagePoolAlloc(pool)
      pool.region.u8[pagePoolOffset(pool, page) + 5] = i
      expect(skbAddRxFrag(skb, pool, page, 5, 1)).toBe(true)
    }
    const one = pagePoolAlloc(pool)
    expect(skbAddRxFrag(skb, pool, one, 0, 1)).toBe(false)
    pagePoolPut(pool, one)
    expect(Array.from(skbBytes(skb))).toEqual(Array.from({ length: 17 }, (_, i) => i))
    expect([skb.len, skb.dataLen, skb.shinfo.nrFrags]).toEqual([17, 17, 17])
    kfreeSkb(skb)
    expectNoneAlive(kernel, pool)
  })

  it('SKB-02 SKB-06 a piece past its page, and a page that is not the driver’s, are reported', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 4, bufSize: 128 })
    const skb = allocSkb(kernel, 64)!
    const page = pagePoolAlloc(pool)
    expect(violation(() => skbAddRxFrag(skb, pool, page, 100, 29))).toMatch(/^SKB-02: skbAddRxFrag/)
    pagePoolPut(pool, page)
    expect(violation(() => skbAddRxFrag(skb, pool, page, 0, 10))).toMatch(
      /^SKB-06: skbAddRxFrag: page \d of page pool p is free/,
    )
    kfreeSkb(skb)
    expectNoneAlive(kernel, pool)
  })
})

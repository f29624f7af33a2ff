import { Errno, type Kernel, type MemoryBlock, type MemoryRegion } from '@vnet/kernel'
import { BUFFER_FREE, BUFFER_IN_SKB, BUFFER_WITH_DRIVER, BufferStack, addBuffers } from './buffer-stack.ts'
import { birthStack, skbNumber, skbResetFields } from './skb-alloc.ts'
import { type SkbCache, checkPoison, putBuffer, skbCacheOf } from './skb-cache.ts'
import type { SkBuff } from './skbuff.ts'

/** What `pagePoolCreate` needs. @kernel struct page_pool_params include/net/page_pool/types.h */
export interface PagePoolParams {
  /** Shown in messages and leak reports, e.g. 'vnet0-rx0'. */
  name: string
  /** Buffers, all taken at once. */
  count: number
  /** Bytes of one, a multiple of 64. Default 2048. */
  bufSize?: number
  /** Bytes left free before a received frame; only kept here for the driver. Default 0. */
  headroom?: number
  /** Memory to carve from, e.g. one shared with a worker; default is the kernel's own. */
  region?: MemoryRegion
  /** Where in `region` the first buffer starts. */
  regionOffset?: number
}

/**
 * Receive buffers of one NAPI instance: equal pieces of one memory, known by number, with a stack of the free ones.
 *
 * Each page has its sk_buff made beforehand, so building a packet on it allocates nothing.
 *
 * @kernel struct page_pool include/net/page_pool/types.h
 * @rule PP-01 PP-02
 */
export class PagePool {
  declare readonly kernel: Kernel
  declare readonly cache: SkbCache
  declare readonly checks: boolean
  declare readonly name: string
  declare readonly module: string | null
  declare readonly count: number
  declare readonly bufSize: number
  declare readonly headroom: number
  declare readonly region: MemoryRegion
  /** Offset of page 0 in `region`. */
  declare readonly base: number
  /** The pages, and which of them are free. */
  declare readonly home: BufferStack
  /** Allocations that failed. */
  declare allocFailed: number
  /** Being destroyed; waits for pages that are out. */
  declare dying: boolean
  declare destroyed: boolean
  declare onDestroyed: (() => void) | null
  declare readonly block: MemoryBlock | null
  #owner: object | null
  #fail: (() => boolean) | null
  #failBuild: (() => boolean) | null

  constructor(
    cache: SkbCache,
    params: PagePoolParams,
    region: MemoryRegion,
    base: number,
    block: MemoryBlock | null,
  ) {
    this.kernel = cache.kernel
    this.cache = cache
    this.checks = cache.checks
    this.name = params.name
    this.module = cache.kernel.currentModule
    this.count = params.count
    this.bufSize = params.bufSize ?? 2048
    this.headroom = params.headroom ?? 0
    this.region = region
    this.base = base
    this.home = new BufferStack(this.bufSize, cache.checks, this)
    this.allocFailed = 0
    this.dying = false
    this.destroyed = false
    this.onDestroyed = null
    this.block = block
    this.#owner = null
    this.#fail = null
    this.#failBuild = null
  }

  /** The NAPI instance that takes from this pool. It can be set to null and anew, but not from one to another. @rule PP-01 */
  get owner(): object | null {
    return this.#owner
  }

  set owner(owner: object | null) {
    if (this.checks && this.#owner !== null && owner !== null && owner !== this.#owner) {
      this.kernel.warnOn(
        'PP-01',
        `page pool ${this.name} already belongs to another NAPI instance: make one pool for each`,
      )
      return
    }
    this.#owner = owner
  }

  /** Pages that are not in the pool now. */
  get outstanding(): number {
    return this.count - this.home.free
  }

  /** For tests: true makes the next `pagePoolAlloc` fail. */
  get fail(): (() => boolean) | null {
    return this.#fail
  }

  set fail(fail: (() => boolean) | null) {
    this.#fail = fail
    this.watch()
  }

  /** For tests: true makes the next `napiBuildSkb` fail. */
  get failBuild(): (() => boolean) | null {
    return this.#failBuild
  }

  set failBuild(fail: (() => boolean) | null) {
    this.#failBuild = fail
    this.watch()
  }

  /** Decides whether the pool's calls take the long way. */
  watch(): void {
    this.home.watched = this.checks || this.dying || this.#fail !== null || this.#failBuild !== null
  }
}

/**
 * Makes a pool with all its buffers. Process context.
 *
 * Throws Errno: EINVAL for sizes that make no sense, ENOMEM.
 *
 * @kernel page_pool_create() net/core/page_pool.c
 * @rule PP-01
 */
export function pagePoolCreate(kernel: Kernel, params: PagePoolParams): PagePool {
  const bufSize = params.bufSize ?? 2048
  const { count } = params
  if (!Number.isInteger(count) || count < 1 || count > 32768) {
    throw new Errno('EINVAL', `page pool ${params.name}: ${count} buffers`)
  }
  if (!Number.isInteger(bufSize) || bufSize < 64 || bufSize % 64 !== 0) {
    throw new Errno(
      'EINVAL',
      `page pool ${params.name}: a buffer of ${bufSize} bytes is not a multiple of 64`,
    )
  }
  const given = params.region
  const block = given === undefined ? kernel.mem.alloc(count * bufSize, 64) : null
  const region = given ?? block!.region
  const base = block === null ? (params.regionOffset ?? 0) : block.offset
  if (base % 4 !== 0 || base + count * bufSize > region.u8.length) {
    throw new Errno(
      'EINVAL',
      `page pool ${params.name}: ${count} x ${bufSize} bytes at ${base} do not fit the region`,
    )
  }
  const cache = skbCacheOf(kernel)
  const pool = new PagePool(cache, params, region, base, block)
  addBuffers(cache, pool.home, region, base, count)
  for (const shinfo of pool.home.buffers) markOwner(pool, shinfo.native!)
  cache.pools.add(pool)
  return pool
}

/**
 * Takes a page. Softirq context of the owner, or while the device opens.
 *
 * @param owner - the taking NAPI instance, when the caller wants PP-01 checked
 * @returns its number, or -1 when none is free
 * @kernel page_pool_dev_alloc_pages() include/net/page_pool/helpers.h
 * @rule PP-01
 */
export function pagePoolAlloc(pool: PagePool, owner: object | null = null): number {
  const { home } = pool
  const free = home.free - 1
  if ((home.watched && !mayAlloc(pool, owner)) || free < 0) {
    pool.allocFailed++
    return -1
  }
  home.free = free
  const page = home.stack[free]!
  if (home.watched) noteAlloc(pool, page)
  return page
}

/** Where a page starts in the pool's region: half of its bus address. Hot path. @kernel page_pool_get_dma_addr() include/net/page_pool/helpers.h */
export function pagePoolOffset(pool: PagePool, page: number): number {
  return pool.base + page * pool.bufSize
}

/**
 * Gives back a page that was taken and not built into a packet.
 *
 * @kernel page_pool_put_full_page() include/net/page_pool/helpers.h
 * @rule PP-02 SKB-06
 */
export function pagePoolPut(pool: PagePool, page: number): void {
  if (pool.checks && !driverHas(pool, page, 'pagePoolPut')) return
  putBuffer(pool.home.buffers[page]!)
}

/**
 * Takes the pool down. Pages that are out come back later: the pool ends with the last one.
 *
 * @param done - called then, at once when none is out
 * @kernel page_pool_destroy() net/core/page_pool.c
 * @rule PP-02
 */
export function pagePoolDestroy(pool: PagePool, done: (() => void) | null = null): void {
  if (pool.dying) {
    pool.kernel.warnOn('PP-02', `page pool ${pool.name} was already destroyed`)
    return
  }
  pool.dying = true
  pool.onDestroyed = done
  pool.watch()
  pageReturned(pool)
}

/**
 * Makes a packet of a page: no copy, and the page goes back to its pool when the packet is freed.
 *
 * `dev` is null until `ethTypeTrans`.
 *
 * @param headroom - where the frame starts in the page
 * @param len - bytes of the frame
 * @returns null when it failed: the page is still the driver's
 * @kernel napi_build_skb() net/core/skbuff.c
 * @rule PP-01 PP-02
 */
export function napiBuildSkb(pool: PagePool, page: number, headroom: number, len: number): SkBuff | null {
  const { home } = pool
  if (home.watched && !mayBuild(pool, page)) return null
  if (headroom < 0 || len < 0 || headroom + len > home.size) return badBuild(pool, headroom, len)
  const skb = home.skbs[page]!
  const { head } = skb
  const data = head + headroom
  skb.data = data
  skb.tail = data + len
  skb.end = head + home.size
  skb.len = len
  skb.truesize = home.size + 576 // SKB_OVERHEAD
  skbResetFields(skb)
  if (home.watched) noteBirth(pool, page, skb)
  return skb
}

/** Apart: what is rare must not use up the bytecode V8 inlines. */
function badBuild(pool: PagePool, headroom: number, len: number): null {
  pool.kernel.warnOn(
    'SKB-02',
    `napiBuildSkb of ${headroom} + ${len} bytes on a page of ${pool.bufSize} of ${pool.name}`,
  )
  return null
}

/** A page becomes part of a packet as a fragment; `skbAddRxFrag` calls it. Under `checks` only. @kernel none */
export function pageToSkb(pool: PagePool, page: number): boolean {
  if (!driverHas(pool, page, 'skbAddRxFrag')) return false
  pool.home.states[page] = BUFFER_IN_SKB
  return true
}

/** A page came back: the last one ends a pool that is being destroyed. @kernel page_pool_return_page() net/core/page_pool.c @rule PP-02 */
export function pageReturned(pool: PagePool): void {
  if (pool.dying && !pool.destroyed && pool.home.free === pool.count) finish(pool)
}

function markOwner(pool: PagePool, skb: SkBuff): void {
  skb.birthOwner = pool.name
  skb.birthModule = pool.module
}

function noteBirth(pool: PagePool, page: number, skb: SkBuff): void {
  if (!pool.checks) return
  pool.home.states[page] = BUFFER_IN_SKB
  skbNumber(skb)
  markOwner(pool, skb)
  if (pool.cache.stacks) skb.birthStack = birthStack()
}

function noteAlloc(pool: PagePool, page: number): void {
  if (!pool.checks) return
  checkPoison(pool.home.buffers[page]!, pool.cache)
  pool.home.states[page] = BUFFER_WITH_DRIVER
}

function mayBuild(pool: PagePool, page: number): boolean {
  if (pool.checks && !driverHas(pool, page, 'napiBuildSkb')) return false
  return pool.failBuild === null || !pool.failBuild()
}

function mayAlloc(pool: PagePool, owner: object | null): boolean {
  if (pool.dying) {
    pool.kernel.warnOn('PP-02', `pagePoolAlloc from page pool ${pool.name}, which was destroyed`)
    return false
  }
  if (owner !== null && pool.owner !== null && owner !== pool.owner) {
    pool.kernel.warnOn(
      'PP-01',
      `pagePoolAlloc from page pool ${pool.name} by a NAPI instance that does not own it`,
    )
    return false
  }
  return pool.fail === null || !pool.fail()
}

function driverHas(pool: PagePool, page: number, what: string): boolean {
  if (!Number.isInteger(page) || page < 0 || page >= pool.count) {
    pool.kernel.warnOn('PP-02', `${what}: page pool ${pool.name} has ${pool.count} pages, no page ${page}`)
    return false
  }
  const state = pool.home.states[page]
  if (state === BUFFER_WITH_DRIVER) return true
  const where = state === BUFFER_FREE ? 'is free' : 'is part of a packet'
  pool.kernel.warnOn('SKB-06', `${what}: page ${page} of page pool ${pool.name} ${where}`)
  return false
}

function finish(pool: PagePool): void {
  const { cache } = pool
  pool.destroyed = true
  for (const shinfo of pool.home.buffers) if (shinfo.native !== null) cache.all.delete(shinfo.native)
  cache.pools.delete(pool)
  if (pool.block !== null) pool.kernel.mem.free(pool.block)
  const done = pool.onDestroyed
  pool.onDestroyed = null
  if (done !== null) done()
}

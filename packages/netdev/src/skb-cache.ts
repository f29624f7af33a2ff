import type { Kernel, MemoryBlock, Tracepoint } from '@vnet/kernel'
import { BUFFER_FREE, BUFFER_IN_SKB, BufferStack, addBuffers } from './buffer-stack.ts'
import { type PagePool, pageReturned } from './page-pool.ts'
import type { RxState } from './rx-state.ts'
import { SKB_DROP_REASON_MAX } from './drop-reason.ts'
import { FlowKeys } from './flow.ts'
import { SKB_MAX_ALLOC, SkBuff, type SkbSharedInfo } from './skbuff.ts'

/** Bytes a buffer of each size class holds; the last one takes a 64 KiB packet with headroom. @kernel none */
export const SKB_CLASS_SIZES: readonly number[] = [512, 2048, 16384, SKB_MAX_ALLOC]
/** How many buffers of each class are carved from memory at a time. */
const CHUNK_BUFFERS: readonly number[] = [64, 64, 8, 4]
/** What freed bytes are overwritten with. @kernel POISON_FREE include/linux/poison.h @rule SKB-06 */
export const POISON_FREE = 0x6b
/** Buffers start on a cache line. */
const BUFFER_ALIGN = 64

/**
 * All sk_buffs of one kernel: free buffers by size, spare objects for clones, and a list of what is alive.
 *
 * Buffers are carved from `kernel.mem` when first needed and stay here; steady traffic allocates nothing.
 *
 * @kernel skbuff_cache net/core/skbuff.c
 */
export class SkbCache {
  declare readonly kernel: Kernel
  /** `kernel.checks`, one load nearer. */
  declare readonly checks: boolean
  declare readonly classes: readonly BufferStack[]
  /** The first of them, for the packets that come most often. */
  declare readonly small: BufferStack
  /** sk_buffs without a buffer of their own, for clones. */
  declare readonly spare: SkBuff[]
  declare spareCount: number
  /** Every sk_buff there is, for the census. */
  declare readonly all: Set<SkBuff>
  /** The memory the buffers lie in. */
  declare readonly blocks: MemoryBlock[]
  /** The page pools not yet gone, for the census. */
  declare readonly pools: Set<PagePool>
  declare nextId: number
  /** Packets dropped, by reason. */
  declare readonly drops: Float64Array
  /** Freed in hardirq; the NET_TX softirq ends them. */
  declare completionQueue: SkBuff | null
  declare completionOpen: boolean
  /** True when the long way must be taken: rules are checked, or a fault is injected. */
  declare watched: boolean
  /** Note a stack with each birth. Slow; only in strict mode. */
  declare stacks: boolean
  /** The receive path's state, so that a packet finds it without a look-up. */
  declare rx: RxState | null
  /** Scratch for `skbGetHash`. */
  declare readonly flowKeys: FlowKeys
  declare readonly tpKfree: Tracepoint
  declare readonly tpConsume: Tracepoint
  #fail: (() => boolean) | null

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.checks = kernel.checks
    this.classes = SKB_CLASS_SIZES.map((size) => new BufferStack(size, kernel.checks, null))
    this.small = this.classes[0]!
    this.spare = []
    this.spareCount = 0
    this.all = new Set()
    this.blocks = []
    this.pools = new Set()
    this.nextId = 0
    this.drops = new Float64Array(SKB_DROP_REASON_MAX)
    this.completionQueue = null
    this.completionOpen = false
    this.watched = kernel.checks
    this.#fail = null
    this.stacks = false
    this.rx = null
    this.flowKeys = new FlowKeys()
    this.tpKfree = kernel.trace.point('skb:kfree_skb', ['protocol', 'len', 'id', 'reason'])
    this.tpConsume = kernel.trace.point('skb:consume_skb', ['protocol', 'len', 'id'])
    kernel.census.add('skb', () => this.alive())
    kernel.census.add('page_pool', () =>
      [...this.pools].map((pool) => ({ name: poolName(pool), module: pool.module })),
    )
  }

  /** For tests: true makes the next allocation or clone fail. */
  get fail(): (() => boolean) | null {
    return this.#fail
  }

  set fail(fail: (() => boolean) | null) {
    this.#fail = fail
    this.watched = this.checks || fail !== null
  }

  /** The sk_buffs somebody holds, with their birthplace: what a leak check prints. @rule SKB-06 */
  alive(): { name: string; module: string | null }[] {
    const list: { name: string; module: string | null }[] = []
    for (const skb of this.all) {
      if (skb.users > 0) list.push({ name: skbName(skb), module: skb.birthModule })
    }
    return list
  }
}

function poolName(pool: PagePool): string {
  return pool.dying ? `${pool.name}, waits for ${pool.outstanding} pages` : pool.name
}

/** The packet memory of a kernel. Keep it near a hot path: finding it costs a map access. @kernel none */
export function skbCacheOf(kernel: Kernel): SkbCache {
  return kernel.subsys('skb', newCache)
}

function newCache(kernel: Kernel): SkbCache {
  return new SkbCache(kernel)
}

/** How a message calls an sk_buff: its number and who it was made for. @kernel none @rule SKB-06 */
export function skbName(skb: SkBuff): string {
  const owner = skb.birthOwner !== '' ? skb.birthOwner : (skb.dev?.name ?? 'kernel')
  return `skb#${skb.id} of ${owner}${skb.birthStack === '' ? '' : `, born at ${skb.birthStack}`}`
}

/** The smallest class that holds `size` bytes, or -1. @kernel none */
function sizeClassFor(size: number): number {
  if (size <= 512) return 0
  if (size <= 2048) return 1
  if (size <= 16384) return 2
  return size <= SKB_MAX_ALLOC ? 3 : -1
}

/** Takes a buffer with its resting sk_buff, whose fields are stale but for the buffer's. Null when there is no memory. @kernel none */
export function takeBuffer(cache: SkbCache, size: number): SkBuff | null {
  const index = sizeClassFor(size)
  const home = cache.classes[index]
  if (home === undefined || (cache.fail !== null && cache.fail())) return null
  if (home.free === 0 && !growClass(cache, index)) return null
  home.free--
  const shinfo = home.buffers[home.stack[home.free]!]!
  if (cache.checks) {
    checkPoison(shinfo, cache)
    home.states[shinfo.page] = BUFFER_IN_SKB
  }
  return shinfo.native
}

/** Puts a buffer nobody refers to any more back where it came from. @kernel skb_free_head() net/core/skbuff.c */
export function putBuffer(shinfo: SkbSharedInfo): void {
  const { home } = shinfo
  if (home.watched) return putWatched(home, shinfo)
  const { free } = home
  home.stack[free] = shinfo.page
  home.free = free + 1
}

function putWatched(home: BufferStack, shinfo: SkbSharedInfo): void {
  if (shinfo.native!.cache.checks) {
    home.states[shinfo.page] = BUFFER_FREE
    poison(shinfo)
  }
  home.stack[home.free] = shinfo.page
  home.free++
  if (home.pool !== null) pageReturned(home.pool)
}

/** Fills a buffer with the poison byte. @kernel none @rule SKB-06 */
export function poison(shinfo: SkbSharedInfo): void {
  shinfo.u8.fill(POISON_FREE, shinfo.base, shinfo.base + shinfo.size)
}

/** Reports when somebody wrote to a buffer after it was freed. @kernel none @rule SKB-06 */
export function checkPoison(shinfo: SkbSharedInfo, cache: SkbCache): void {
  // The whole of a packet-sized buffer; of a larger one the part where packets start.
  const { pool } = shinfo.home
  const words = shinfo.i32
  const from = shinfo.base >> 2
  const to = from + (Math.min(shinfo.size, 2048) >> 2)
  for (let i = from; i < to; i++) {
    if (words[i] !== 0x6b6b6b6b) {
      const owner = pool !== null ? `page ${shinfo.page} of ${pool.name}` : 'a buffer'
      const last = shinfo.native === null ? '' : `, last ${skbName(shinfo.native)}`
      cache.kernel.warnOn(
        'SKB-06',
        `${owner} was written to after it was freed: byte ${(i - from) * 4}${last}`,
      )
      return
    }
  }
}

/** A spare sk_buff for a clone; it gets its buffer from the caller. @kernel none */
export function takeSpare(cache: SkbCache, shinfo: SkbSharedInfo): SkBuff {
  if (cache.spareCount === 0) return newSkb(cache, shinfo)
  cache.spareCount--
  const skb = cache.spare[cache.spareCount]!
  adoptBuffer(skb, shinfo)
  return skb
}

/** Keeps an sk_buff that has no buffer of its own. @kernel none */
export function putSpare(cache: SkbCache, skb: SkBuff): void {
  cache.spare[cache.spareCount] = skb
  cache.spareCount++
}

/** Points an sk_buff at a buffer; its offsets are the caller's to set. @kernel none */
export function adoptBuffer(skb: SkBuff, shinfo: SkbSharedInfo): void {
  skb.shinfo = shinfo
  skb.mem = shinfo.u8
  skb.region = shinfo.region
  // One that rests with its buffer relies on that.
  skb.head = shinfo.base
}

/** Makes an sk_buff object; only when a buffer or a clone is made for the first time. @kernel none */
export function newSkb(cache: SkbCache, shinfo: SkbSharedInfo): SkBuff {
  const skb = new SkBuff(cache, shinfo)
  skb.id = cache.all.size + 1
  cache.all.add(skb)
  return skb
}

function growClass(cache: SkbCache, index: number): boolean {
  const home = cache.classes[index]!
  const count = CHUNK_BUFFERS[index]!
  const block = allocBlock(cache.kernel, home.size * count)
  if (block === null) return false
  cache.blocks.push(block)
  addBuffers(cache, home, block.region, block.offset, count)
  return true
}

/**
 * Gives the memory of all packets back; for a kernel that ends. While somebody holds a packet nothing is given back.
 *
 * @returns false when a packet is still held
 * @kernel kmem_cache_destroy() mm/slab_common.c
 */
export function skbCacheDestroy(kernel: Kernel): boolean {
  const cache = skbCacheOf(kernel)
  if (cache.alive().length > 0) return false
  for (const home of cache.classes) home.free = 0
  for (const block of cache.blocks.splice(0)) kernel.mem.free(block)
  return true
}

/** Memory of the packet cache itself: it belongs to no module. */
function allocBlock(kernel: Kernel, bytes: number): MemoryBlock | null {
  const module = kernel.currentModule
  kernel.currentModule = null
  try {
    return kernel.mem.alloc(bytes, BUFFER_ALIGN)
  } catch {
    return null
  } finally {
    kernel.currentModule = module
  }
}

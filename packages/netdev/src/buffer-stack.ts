import { type MemoryRegion } from '@vnet/kernel'
import type { PagePool } from './page-pool.ts'
import { type SkbCache, newSkb, poison } from './skb-cache.ts'
import { type SkBuff, SkbSharedInfo } from './skbuff.ts'

// Fields are only declared, and set in the constructor: see skbuff.ts.

/** A buffer is free, with the driver (pages of a pool only), or part of a packet. @kernel none */
export const BUFFER_FREE = 0
/** @see BUFFER_FREE @kernel none */
export const BUFFER_WITH_DRIVER = 1
/** @see BUFFER_FREE @kernel none */
export const BUFFER_IN_SKB = 2

/**
 * Buffers of one size and a stack of the free ones' numbers: a page pool's pages, or one size class of the cache.
 *
 * Numbers, so that giving a buffer back stores no reference and costs the garbage collector nothing.
 *
 * @kernel none
 */
export class BufferStack {
  /** Numbers of the free buffers; the top is at `free - 1`. */
  declare stack: Int32Array
  declare free: number
  /** True when the long way must be taken: rules are checked, a fault is injected, or the pool is on its way out. */
  declare watched: boolean
  declare readonly buffers: SkbSharedInfo[]
  /** The sk_buff that rests with each buffer, so that taking the one brings the other. Hot, see {@link restOn}. */
  declare readonly skbs: SkBuff[]
  declare readonly size: number
  declare readonly pool: PagePool | null
  /** What each buffer is doing; only kept when rules are checked. */
  declare states: Uint8Array

  constructor(size: number, watched: boolean, pool: PagePool | null) {
    this.stack = new Int32Array(0)
    this.free = 0
    this.watched = watched
    this.buffers = []
    this.skbs = []
    this.size = size
    this.pool = pool
    this.states = new Uint8Array(0)
  }
}

/** Adds `count` buffers that lie one after the other from `base`, all free, the first on top. @kernel none */
export function addBuffers(
  cache: SkbCache,
  home: BufferStack,
  region: MemoryRegion,
  base: number,
  count: number,
): void {
  const first = home.buffers.length
  makeRoom(home, first + count)
  for (let i = 0; i < count; i++) {
    const shinfo = new SkbSharedInfo(region, base + i * home.size, first + i, home)
    home.buffers.push(shinfo)
    restOn(shinfo, newSkb(cache, shinfo))
    if (cache.checks) poison(shinfo)
    home.stack[home.free + i] = first + count - 1 - i
  }
  home.free += count
}

/** Lets an sk_buff rest with a buffer: it comes along when the buffer is taken again. @kernel none */
export function restOn(shinfo: SkbSharedInfo, skb: SkBuff): void {
  shinfo.native = skb
  shinfo.home.skbs[shinfo.page] = skb
}

/** Twice as much each time, so that a million buffers are not copied thousands of times. */
function makeRoom(home: BufferStack, count: number): void {
  if (count <= home.stack.length) return
  const room = Math.max(count, home.stack.length * 2)
  const stack = new Int32Array(room)
  stack.set(home.stack)
  home.stack = stack
  const states = new Uint8Array(room)
  states.set(home.states)
  home.states = states
}

import { Errno } from './errno.ts'
import { FreeList } from './freelist.ts'
import type { Kernel } from './kernel.ts'

/** Bytes in a page. @kernel PAGE_SIZE include/vdso/page.h */
export const PAGE_SIZE = 4096
/** The least a region is made of, unless the kernel was told otherwise. */
const REGION_BYTES = 8 * 1024 * 1024
/** Blocks start and end at multiples of this: a cache line. */
const GRAIN = 64
const DEFAULT_LIMIT = 256 * 1024 * 1024

/**
 * One piece of memory that cards and drivers can both reach, with the views everyone uses.
 *
 * A bus address is two u32: this region's id, and the byte offset in it.
 *
 * @kernel none
 */
export class MemoryRegion {
  /** Its place in `kernel.mem.regions`; never used again, even when the region is removed. */
  readonly id: number
  readonly buffer: ArrayBufferLike
  readonly u8: Uint8Array
  readonly i32: Int32Array

  constructor(id: number, buffer: ArrayBufferLike) {
    this.id = id
    this.buffer = buffer
    this.u8 = new Uint8Array(buffer)
    this.i32 = new Int32Array(buffer, 0, buffer.byteLength >>> 2)
  }
}

/** Memory handed out by `PhysMemory.alloc()`. */
export interface MemoryBlock {
  readonly region: MemoryRegion
  /** Where it starts in the region, in bytes. */
  readonly offset: number
  /** How many bytes were asked for. */
  readonly bytes: number
}

class Block implements MemoryBlock {
  readonly region: MemoryRegion
  readonly offset: number
  readonly bytes: number
  readonly reserved: number
  readonly module: string | null

  constructor(region: MemoryRegion, offset: number, bytes: number, reserved: number, module: string | null) {
    this.region = region
    this.offset = offset
    this.bytes = bytes
    this.reserved = reserved
    this.module = module
  }
}

/**
 * The memory of a kernel. It has none until somebody asks, and then grows region by region up to a limit.
 *
 * @kernel mm/page_alloc.c
 */
export class PhysMemory {
  /** All regions by id. One that was removed stays in its place with no bytes. */
  readonly regions: MemoryRegion[] = []
  /** Other threads can see it. */
  readonly shared: boolean
  readonly #kernel: Kernel
  readonly #limit: number
  readonly #regionBytes: number
  readonly #free = new Map<number, FreeList>()
  readonly #blocks = new Set<MemoryBlock>()
  #allocated = 0
  #owned = 0

  constructor(kernel: Kernel, limit: number | undefined, regionBytes: number = REGION_BYTES, shared = false) {
    this.#kernel = kernel
    this.#limit = limit ?? DEFAULT_LIMIT
    this.#regionBytes = regionBytes
    this.shared = shared
    kernel.census.add('memory', () => [...this.#blocks].map((b) => describe(b as Block)))
  }

  /** Bytes handed out and not given back, as asked for. */
  get allocated(): number {
    return this.#allocated
  }

  /** The most this memory grows to, in bytes; regions of others do not count. */
  get limit(): number {
    return this.#limit
  }

  /**
   * Takes zeroed memory whose offset is a multiple of `align`, a power of two.
   *
   * Throws Errno ENOMEM when the limit is reached, EINVAL for a bad size or alignment.
   *
   * @kernel dma_alloc_coherent() include/linux/dma-mapping.h
   */
  alloc(bytes: number, align: number = PAGE_SIZE): MemoryBlock {
    if (!Number.isSafeInteger(bytes) || bytes <= 0)
      throw new Errno('EINVAL', `cannot allocate ${bytes} bytes`)
    if (!(align > 0 && align <= REGION_BYTES && (align & (align - 1)) === 0)) {
      throw new Errno('EINVAL', `alignment ${align} is not a power of two up to ${REGION_BYTES}`)
    }
    const reserved = Math.ceil(bytes / GRAIN) * GRAIN
    for (const [id, list] of this.#free) {
      const offset = list.take(reserved, align)
      if (offset >= 0) return this.#hand(this.regions[id]!, offset, bytes, reserved)
    }
    const region = this.#grow(reserved)
    return this.#hand(region, this.#free.get(region.id)!.take(reserved, align), bytes, reserved)
  }

  /** Gives memory back. Giving it back twice is reported. @kernel dma_free_coherent() include/linux/dma-mapping.h @rule SKB-06 */
  free(block: MemoryBlock): void {
    if (!this.#blocks.delete(block)) {
      this.#kernel.warnOn('SKB-06', `memory ${describe(block).name} given back twice, or never handed out`)
      return
    }
    this.#allocated -= block.bytes
    this.#free.get(block.region.id)?.give(block.offset, (block as Block).reserved)
  }

  /** Makes memory of others reachable, such as a mapped ring; `alloc()` never takes from it. */
  addRegion(buffer: ArrayBufferLike): MemoryRegion {
    const region = new MemoryRegion(this.regions.length, buffer)
    this.regions.push(region)
    return region
  }

  /** Takes away a region added with `addRegion()`: its id then stands for no bytes. */
  removeRegion(region: MemoryRegion): void {
    if (this.#free.has(region.id)) throw new Errno('EBUSY', `region ${region.id} is the kernel's own`)
    if (this.regions[region.id] !== region) throw new Errno('ENOENT', `region ${region.id} is not here`)
    this.regions[region.id] = new MemoryRegion(region.id, new ArrayBuffer(0))
  }

  #grow(reserved: number): MemoryRegion {
    const left = this.#limit - this.#owned
    if (reserved > left) {
      throw new Errno(
        'ENOMEM',
        `out of memory: ${reserved} bytes wanted, ${left} of ${this.#limit} left to grow`,
      )
    }
    const size = Math.min(Math.max(this.#regionBytes, reserved), Math.floor(left / GRAIN) * GRAIN)
    const region = this.addRegion(makeBuffer(size, this.shared))
    this.#owned += size
    this.#free.set(region.id, new FreeList(size))
    return region
  }

  #hand(region: MemoryRegion, offset: number, bytes: number, reserved: number): MemoryBlock {
    // What was there before is nobody's business, and must not depend on who was there.
    region.u8.fill(0, offset, offset + reserved)
    const block = new Block(region, offset, bytes, reserved, this.#kernel.currentModule)
    this.#blocks.add(block)
    this.#allocated += bytes
    return block
  }
}

function makeBuffer(size: number, shared: boolean): ArrayBufferLike {
  try {
    return shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size)
  } catch {
    throw new Errno('ENOMEM', `the host has no ${size} bytes`)
  }
}

function describe(block: MemoryBlock): { name: string; module: string | null } {
  const name = `${block.region.id}:0x${block.offset.toString(16)}+${block.bytes}`
  return { name, module: (block as Partial<Block>).module ?? null }
}

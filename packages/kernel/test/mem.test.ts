import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKernel, Errno, PAGE_SIZE } from '@vnet/kernel'
import type { MemoryBlock } from '@vnet/kernel'
import { broken } from './broken.ts'

const MIB = 1024 * 1024
const errno = (fn: () => unknown): string => {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno) return error.code
    throw error
  }
  return 'none'
}

describe('PhysMemory', () => {
  it('has no region until somebody asks, and then one of 8 MiB', () => {
    const { mem } = createKernel()
    expect(mem.regions).toEqual([])
    const block = mem.alloc(100)
    expect(mem.regions).toEqual([block.region])
    expect(block).toMatchObject({ offset: 0, bytes: 100 })
    expect(block.region.u8.length).toBe(8 * MIB)
    expect(block.region.i32.length).toBe(2 * MIB)
    expect(mem.allocated).toBe(100)
  })
  it('starts a block at a page, or at the alignment asked for', () => {
    const { mem } = createKernel()
    mem.alloc(1)
    expect(mem.alloc(1).offset).toBe(PAGE_SIZE)
    expect(mem.alloc(1, 64).offset).toBe(64)
    expect(mem.alloc(1, 1).offset).toBe(128)
    expect(mem.alloc(1, 65536).offset).toBe(65536)
  })
  it('hands out zeroed memory, also after somebody else wrote there', () => {
    const { mem } = createKernel()
    const first = mem.alloc(3000)
    first.region.u8.fill(0xaa, first.offset, first.offset + 3000)
    mem.free(first)
    const second = mem.alloc(3000)
    expect(second.offset).toBe(first.offset)
    expect(second.region.u8.subarray(second.offset, second.offset + 3000).every((x) => x === 0)).toBe(true)
  })
  it('grows by another region when the first is full, and by a larger one for a larger wish', () => {
    const { mem } = createKernel()
    mem.alloc(8 * MIB)
    expect(mem.alloc(1).region.id).toBe(1)
    const large = mem.alloc(20 * MIB)
    expect(large.region).toMatchObject({ id: 2 })
    expect(large.region.u8.length).toBe(20 * MIB)
    expect(mem.regions.map((region) => region.id)).toEqual([0, 1, 2])
  })
  it('refuses with ENOMEM past the limit, and serves again after a free', () => {
    const { mem } = createKernel({ memoryBytes: 2 * MIB })
    expect(mem.limit).toBe(2 * MIB)
    const block = mem.alloc(2 * MIB)
    expect(errno(() => mem.alloc(1))).toBe('ENOMEM')
    mem.free(block)
    expect(mem.alloc(2 * MIB).offset).toBe(0)
    expect(mem.regions.length).toBe(1)
  })
  it('refuses bad sizes and alignments with EINVAL', () => {
    const { mem } = createKernel()
    for (const bytes of [0, -1, 1.5, NaN, Infinity]) expect(errno(() => mem.alloc(bytes))).toBe('EINVAL')
    for (const align of [0, 3, -64, 48, NaN]) expect(errno(() => mem.alloc(64, align))).toBe('EINVAL')
    expect(mem.allocated).toBe(0)
  })
  it('SKB-06 reports memory given back twice', () => {
    const { mem } = createKernel()
    const block = mem.alloc(100)
    mem.free(block)
    expect(broken(() => mem.free(block))).toBe(
      'SKB-06 memory 0:0x0+100 given back twice, or never handed out',
    )
    expect(mem.allocated).toBe(0)
  })
  it('takes memory of others in, never allocates from it, and lets it go', () => {
    const kernel = createKernel()
    const { mem } = kernel
    const foreign = mem.addRegion(new SharedArrayBuffer(MIB))
    expect(mem.regions[foreign.id]).toBe(foreign)
    const own = mem.alloc(100)
    expect(own.region).not.toBe(foreign)
    mem.removeRegion(foreign)
    expect(mem.regions[foreign.id]!.u8.length).toBe(0)
    expect(mem.addRegion(new ArrayBuffer(8)).id).toBe(2)
    expect(errno(() => mem.removeRegion(foreign))).toBe('ENOENT')
    expect(errno(() => mem.removeRegion(own.region))).toBe('EBUSY')
  })
  it('LIFE-11 the census lists what is handed out, with the module that asked', () => {
    const kernel = createKernel()
    kernel.currentModule = 'vnet'
    const block = kernel.mem.alloc(4096)
    kernel.currentModule = null
    expect(kernel.census.take()).toEqual([{ kind: 'memory', name: '0:0x0+4096', module: 'vnet' }])
    kernel.mem.free(block)
    expect(kernel.census.take()).toEqual([])
  })
  it('blocks alive never overlap, and everything can be given back', () => {
    const wish = fc.record({
      bytes: fc.integer({ min: 1, max: 40_000 }),
      align: fc.constantFrom(64, 4096, 8192),
    })
    const command = fc.oneof(wish, fc.record({ give: fc.nat() }))
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
        const { mem } = createKernel({ memoryBytes: 512 * 1024 })
        let alive: MemoryBlock[] = []
        for (const c of commands) {
          if ('give' in c) {
            const block = alive[c.give % Math.max(alive.length, 1)]
            if (block === undefined) continue
            mem.free(block)
            alive = alive.filter((other) => other !== block)
          } else {
            try {
              const block = mem.alloc(c.bytes, c.align)
              expect(block.offset % c.align).toBe(0)
              expect(block.offset + block.bytes).toBeLessThanOrEqual(block.region.u8.length)
              expect(alive.some((other) => overlap(block, other))).toBe(false)
              alive.push(block)
            } catch (error) {
              expect(error).toMatchObject({ code: 'ENOMEM' })
            }
          }
          expect(mem.allocated).toBe(alive.reduce((sum, block) => sum + block.bytes, 0))
        }
        for (const block of alive) mem.free(block)
        expect(mem.alloc(512 * 1024).offset).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it('grows by as much as the kernel was told, or by what is asked for', () => {
    const { mem } = createKernel({ regionBytes: 64 * 1024 })
    const small = [mem.alloc(1000), mem.alloc(1000)]
    expect(small.map((block) => block.region.u8.length)).toEqual([64 * 1024, 64 * 1024])
    expect(mem.alloc(MIB).region.u8.length).toBe(MIB)
  })
})

function overlap(a: MemoryBlock, b: MemoryBlock): boolean {
  return a.region === b.region && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FreeList } from '../src/freelist.ts'

const SIZE = 512

describe('FreeList', () => {
  it('behaves as a map of used bytes: first fit, no overlap, neighbours grow together', () => {
    const command = fc.oneof(
      fc.record({ take: fc.integer({ min: 1, max: 20 }), align: fc.constantFrom(8, 16, 32, 128) }),
      fc.record({ give: fc.nat(30) }),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (commands) => {
        const list = new FreeList(SIZE)
        const used = new Uint8Array(SIZE)
        const taken: { offset: number; bytes: number }[] = []
        for (const c of commands) {
          if ('take' in c) {
            const bytes = c.take * 8
            const offset = list.take(bytes, c.align)
            expect(offset).toBe(firstFit(used, bytes, c.align))
            if (offset < 0) continue
            used.fill(1, offset, offset + bytes)
            taken.push({ offset, bytes })
          } else if (taken.length > 0) {
            const [block] = taken.splice(c.give % taken.length, 1)
            list.give(block!.offset, block!.bytes)
            used.fill(0, block!.offset, block!.offset + block!.bytes)
          }
          expect([list.bytes, list.length]).toEqual([used.filter((x) => x === 0).length, stretches(used)])
        }
        for (const block of taken) list.give(block.offset, block.bytes)
        expect([list.length, list.bytes]).toEqual([1, SIZE])
      }),
      { numRuns: 60 },
    )
  })
})

function firstFit(used: Uint8Array, bytes: number, align: number): number {
  for (let offset = 0; offset + bytes <= used.length; offset += align) {
    if (used.subarray(offset, offset + bytes).every((x) => x === 0)) return offset
  }
  return -1
}

function stretches(used: Uint8Array): number {
  return used.filter((x, i) => x === 0 && (i === 0 || used[i - 1] === 1)).length
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FragQueue } from '../../src/ipv6/reassembly.ts'

/** A piece by its place, in units of 8 bytes. */
interface Piece {
  readonly start: number
  readonly len: number
  readonly more: boolean
}

/** What the queue shall do, byte by byte: 'conflict' ends the packet. */
function model(pieces: readonly Piece[]): { verdicts: string[]; whole: boolean } {
  const have = new Set<number>()
  let end: number | null = null
  let most = 0
  const verdicts: string[] = []
  for (const { start, len, more } of pieces) {
    const stop = start + len
    const badEnd = more ? end !== null && stop > end : end !== null ? stop !== end : stop < most
    const units = Array.from({ length: len }, (_, i) => start + i)
    const known = units.filter((unit) => have.has(unit)).length
    if (badEnd || (known > 0 && known < len)) return { verdicts: [...verdicts, 'conflict'], whole: false }
    if (known === len) {
      verdicts.push('duplicate')
      continue
    }
    for (const unit of units) have.add(unit)
    if (!more) end = stop
    most = Math.max(most, stop)
    if (end !== null && have.size === end && most === end)
      return { verdicts: [...verdicts, 'complete'], whole: true }
    verdicts.push('kept')
  }
  return { verdicts, whole: false }
}

const bytesOf = (start: number, len: number): Uint8Array =>
  Uint8Array.from({ length: len * 8 }, (_, i) => (start * 8 + i) & 0xff)

describe('reassembly', () => {
  it('does with every order of pieces what a set of bytes does', () => {
    const piece = fc.record({
      start: fc.integer({ min: 0, max: 8 }),
      len: fc.integer({ min: 1, max: 4 }),
      more: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const queue = new FragQueue()
        const expected = model(pieces)
        const verdicts: string[] = []
        for (const { start, len, more } of pieces) {
          const verdict = queue.add(start * 8, bytesOf(start, len), more)
          verdicts.push(verdict)
          if (verdict === 'conflict' || verdict === 'complete') break
        }
        expect(verdicts).toEqual(expected.verdicts)
        if (expected.whole) {
          const whole = queue.assemble()
          expect(whole).toEqual(bytesOf(0, whole.length / 8))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('puts shuffled pieces of a packet together', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.nat()), (lengths, chance) => {
        let start = 0
        const pieces = lengths.map((len, i) => {
          const piece = { start, len, more: i < lengths.length - 1 }
          start += len
          return piece
        })
        const shuffled = pieces
          .map((piece) => ({ piece, key: chance.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ piece }) => piece)
        const queue = new FragQueue()
        const verdicts = shuffled.map((p) => queue.add(p.start * 8, bytesOf(p.start, p.len), p.more))
        expect(verdicts.at(-1)).toBe('complete')
        expect(queue.assemble()).toEqual(bytesOf(0, start))
      }),
    )
  })

  it('refuses a piece without bytes', () => {
    expect(new FragQueue().add(0, new Uint8Array(0), true)).toBe('conflict')
  })
})

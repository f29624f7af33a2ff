import { describe, expect, it } from 'vitest'
import { circCnt, circCntToEnd, circSpace, circSpaceToEnd } from '../src/index.ts'

const SIZES = [2, 4, 8, 16]

function forAllPairs(check: (head: number, tail: number, size: number) => void): void {
  for (const size of SIZES) {
    for (let head = 0; head < size; head++) for (let tail = 0; tail < size; tail++) check(head, tail, size)
  }
}

/** Counts by walking, one slot at a time. */
function walk(from: number, to: number, size: number): number {
  let n = 0
  for (let at = from; at !== to; at = (at + 1) % size) n++
  return n
}

describe('circular buffer arithmetic', () => {
  it('RING-02 leaves one slot empty: count and space add up to size - 1', () => {
    forAllPairs((head, tail, size) => {
      expect(circCnt(head, tail, size)).toBe(walk(tail, head, size))
      expect(circCnt(head, tail, size) + circSpace(head, tail, size)).toBe(size - 1)
    })
  })

  it('RING-08 to-end counts never cross the wrap and miss nothing before it', () => {
    forAllPairs((head, tail, size) => {
      expect(circCntToEnd(head, tail, size)).toBe(Math.min(circCnt(head, tail, size), size - tail))
      expect(circSpaceToEnd(head, tail, size)).toBe(Math.min(circSpace(head, tail, size), size - head))
    })
  })

  it('RING-08 two runs, to the end and then from 0, cover everything', () => {
    forAllPairs((head, tail, size) => {
      const first = circCntToEnd(head, tail, size)
      expect(first + circCntToEnd(head, (tail + first) & (size - 1), size)).toBe(circCnt(head, tail, size))
    })
  })

  it('takes indexes that run free past the size', () => {
    expect(circCnt(21, 18, 8)).toBe(3)
    expect(circCntToEnd(21, 14, 8)).toBe(2)
    expect(circSpaceToEnd(22, 20, 8)).toBe(2)
  })
})

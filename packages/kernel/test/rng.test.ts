import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKernel, Rng } from '@vnet/kernel'

const take = (rng: Rng, n: number) => Array.from({ length: n }, () => rng.u32())

describe('Rng', () => {
  it('gives the published first numbers of xoshiro128** from state 1, 2, 3, 4', () => {
    const rng = new Rng(0)
    rng.restore([1, 2, 3, 4])
    expect(take(rng, 6)).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492])
  })
  it('gives the same numbers for the same seed, others for another', () => {
    expect(take(new Rng(7), 50)).toEqual(take(new Rng(7), 50))
    expect(take(new Rng(7), 50)).not.toEqual(take(new Rng(8), 50))
    expect(take(createKernel({ seed: 7 }).rng, 5)).toEqual(take(createKernel({ seed: 7 }).rng, 5))
  })
  it('goes on from a stored state, also through JSON', () => {
    const rng = new Rng(3)
    take(rng, 10)
    const state = JSON.parse(JSON.stringify(rng.state()))
    const expected = take(rng, 10)
    const other = new Rng(99)
    other.restore(state)
    expect(take(other, 10)).toEqual(expected)
  })
  it('refuses the state it could never leave', () => {
    expect(() => new Rng(1).restore([0, 0, 0, 0])).toThrow(RangeError)
  })
  it('every seed gives numbers that are unsigned 32-bit integers and not all alike', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const numbers = take(new Rng(seed), 20)
        for (const n of numbers) expect(n === n >>> 0).toBe(true)
        expect(new Set(numbers).size).toBeGreaterThan(15)
      }),
    )
  })
  it('below(n) stays below n and reaches every value about as often', () => {
    const rng = new Rng(5)
    const hits = new Array<number>(7).fill(0)
    for (let i = 0; i < 70_000; i++) hits[rng.below(7)]!++
    for (const n of hits) expect(Math.abs(n - 10_000)).toBeLessThan(500)
    // Here a plain remainder would take the lowest third half of the time.
    const third = 2 ** 30
    let low = 0
    for (let i = 0; i < 30_000; i++) if (rng.below(3 * third) < third) low++
    expect(Math.abs(low - 10_000)).toBeLessThan(500)
    expect(rng.below(1)).toBe(0)
    for (const bad of [0, -1, 1.5, NaN, 2 ** 33]) expect(() => rng.below(bad)).toThrow(RangeError)
  })
  it('chance(0) never happens, chance(1) always, chance(0.25) a quarter of the time', () => {
    const rng = new Rng(9)
    let hits = 0
    for (let i = 0; i < 20_000; i++) {
      expect(rng.chance(0)).toBe(false)
      expect(rng.chance(1)).toBe(true)
      if (rng.chance(0.25)) hits++
    }
    expect(Math.abs(hits - 5000)).toBeLessThan(300)
  })
  it('a fork is independent of what its parent does next', () => {
    const a = new Rng(4)
    const b = new Rng(4)
    const forkA = a.fork()
    const forkB = b.fork()
    take(a, 10)
    expect(take(forkA, 5)).toEqual(take(forkB, 5))
  })
})

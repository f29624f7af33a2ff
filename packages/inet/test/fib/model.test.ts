import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fib4Route, FibTable } from '../../src/index.ts'
import { fibTableInsert } from '../../src/fib/table.ts'

const KEY = { tos: 0, scope: 0, oif: null, skipLinkdown: null }

function mask(len: number): number {
  return len === 0 ? 0 : (0xffffffff << (32 - len)) >>> 0
}

function make(dst: number, len: number, priority: number, gateway: number): Fib4Route {
  return new Fib4Route({
    dst: (dst & mask(len)) >>> 0,
    dstLen: len,
    tos: 0,
    table: 254,
    protocol: 4,
    scope: 0,
    type: 1,
    flags: 0,
    priority,
    gateway,
    oif: null,
    prefsrc: 0,
    metrics: new Map(),
    nhScope: 253,
  })
}

/** Few bits vary, so that prefixes nest and meet. */
const address = fc.integer({ min: 0, max: 255 }).map((n) => ((n & 0xf0) * 0x1000000 + (n & 15)) >>> 0)
const route = fc.record({
  dst: address,
  len: fc.constantFrom(0, 1, 4, 8, 24, 28, 31, 32),
  priority: fc.integer({ min: 0, max: 3 }),
  gateway: fc.integer({ min: 1, max: 3 }),
})
const step = fc.oneof(
  fc.record({ op: fc.constant('add' as const), route }),
  fc.record({ op: fc.constant('del' as const), at: fc.nat() }),
)

describe('the table of routes', () => {
  it('finds what a list searched from end to end finds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(address, { minLength: 20 }), (steps, asked) => {
        const table = new FibTable(254)
        const list: Fib4Route[] = []
        for (const one of steps) {
          if (one.op === 'del') {
            const [gone] = list.splice(one.at % Math.max(list.length, 1), 1)
            if (gone !== undefined) expect(table.remove(gone)).toBe(true)
          } else {
            const { dst, len, priority, gateway } = one.route
            const fresh = make(dst, len, priority, gateway)
            try {
              fibTableInsert(table, fresh, 0x600, () => {})
              list.push(fresh)
            } catch {
              const taken = list.some(
                (r) => r.dstNr === fresh.dstNr && r.dstLen === len && r.priority === priority,
              )
              expect(taken).toBe(true)
            }
          }
        }
        expect(table.size).toBe(list.length)
        expect(new Set(table.list())).toEqual(new Set(list))
        for (const dst of asked) expect(table.lookup(dst, KEY)).toBe(search(list, dst))
      }),
      { numRuns: 300 },
    )
  })

  it('lists by prefix, the longer first, the lower metric first', () => {
    fc.assert(
      fc.property(fc.array(route, { maxLength: 30 }), (wanted) => {
        const table = new FibTable(254)
        for (const r of wanted) {
          fibTableInsert(table, make(r.dst, r.len, r.priority, r.gateway), 0x500, () => {})
        }
        const list = table.list()
        for (let i = 1; i < list.length; i++) {
          const [a, b] = [list[i - 1]!, list[i]!]
          expect(a.dstNr - b.dstNr || b.dstLen - a.dstLen || a.priority - b.priority).toBeLessThan(0)
        }
      }),
    )
  })
})

function search(list: readonly Fib4Route[], dst: number): Fib4Route | null {
  let best: Fib4Route | null = null
  for (const r of list) {
    if ((dst & mask(r.dstLen)) >>> 0 !== r.dstNr) continue
    const better =
      best === null || r.dstLen > best.dstLen || (r.dstLen === best.dstLen && r.priority < best.priority)
    if (better) best = r
  }
  return best
}

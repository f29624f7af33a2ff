import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DescRing, descRingBytes, descRingLayout, SharedDescRing } from '../src/index.ts'

const WRAP = 2 ** 32 - 3

describe('DescRing', () => {
  it.each([0, 1, 3, 5, 6, 100, 131072, -4, 2.5])('RING-03 refuses the size %s', (size) => {
    const memory = new ArrayBuffer(4096)
    expect(() => new DescRing({ memory, descOffset: 256, size, descWords: 1, indexOffset: 0 })).toThrow(
      RangeError,
    )
  })

  it('refuses a layout that is not aligned, does not fit or overlaps itself', () => {
    const memory = new ArrayBuffer(descRingBytes(4, 4))
    const good = descRingLayout(4, 4, memory)
    expect(() => new DescRing(good)).not.toThrow()
    for (const bad of [
      { descOffset: 258 },
      { descOffset: 260 },
      { indexOffset: 4 },
      { indexOffset: -4 },
      { descWords: 0 },
    ]) {
      expect(() => new DescRing({ ...good, ...bad }), JSON.stringify(bad)).toThrow(RangeError)
    }
  })

  it('lays words out so that slot i of any index is i mod size', () => {
    const ring = new DescRing(descRingLayout(4, 3))
    expect(ring.words.length).toBe(12)
    expect([0, 1, 3, 4, 7, WRAP, WRAP + 3].map((i) => ring.at(i))).toEqual([0, 3, 9, 0, 9, 3, 0])
  })

  it('RING-02 uses all its slots', () => {
    const ring = new DescRing(descRingLayout(4, 1))
    ring.post(4)
    expect([ring.used(), ring.avail(), ring.pending()]).toEqual([4, 0, 4])
  })

  it('post says how much room is left, also where the indexes wrap', () => {
    const ring = new DescRing(descRingLayout(4, 1))
    ring.reset(WRAP)
    expect([ring.post(1), ring.post(2), ring.post(0), ring.post(1)]).toEqual([3, 1, 1, 0])
    expect(ring.avail()).toBe(0)
  })

  it('RING-01 a move past the bounds throws and changes nothing', () => {
    const ring = new DescRing(descRingLayout(4, 1))
    ring.reset(WRAP)
    ring.post(3)
    ring.complete(1)
    expect(() => ring.post(2)).toThrow(RangeError)
    expect(() => ring.complete(3)).toThrow(RangeError)
    expect(() => ring.reclaim(2)).toThrow(RangeError)
    expect(() => ring.post(-1)).toThrow(RangeError)
    expect([ring.prod, ring.cons, ring.clean]).toEqual([0, WRAP + 1, WRAP])
  })

  it('RING-01 does not believe a device that claims more than was posted', () => {
    const layout = descRingLayout(8, 1)
    const ring = new DescRing(layout)
    ring.post(2)
    new Int32Array(layout.memory)[32] = 5
    expect(() => ring.reclaim(5)).toThrow(RangeError)
    expect(ring.used()).toBe(2)
  })

  it('a card with its own object over the memory sees what the driver posts', () => {
    const layout = descRingLayout(4, 2)
    const driver = new DescRing(layout)
    const card = new DescRing(layout)
    driver.words[driver.at(driver.prod)] = 77
    driver.post(1)
    expect(card.pending()).toBe(1)
    expect(card.words[card.at(card.cons)]).toBe(77)
    card.complete(1)
    expect([driver.completed(), driver.used()]).toEqual([1, 1])
    driver.reclaim(1)
    expect(driver.avail()).toBe(4)
  })
})

interface Ends {
  driver: DescRing | SharedDescRing
  device: DescRing | SharedDescRing
}

const KINDS: [string, (size: number, start: number) => Ends][] = [
  [
    'DescRing',
    (size, start) => {
      const ring = new DescRing(descRingLayout(size, 1))
      ring.reset(start)
      return { driver: ring, device: ring }
    },
  ],
  [
    'SharedDescRing',
    (size, start) => {
      const layout = descRingLayout(size, 1, new SharedArrayBuffer(descRingBytes(size, 1)))
      new SharedDescRing(layout, 'producer').reset(start)
      return { driver: new SharedDescRing(layout, 'producer'), device: new SharedDescRing(layout, 'device') }
    },
  ],
]

describe.each(KINDS)('%s model', (kind, make) => {
  it('RING-01 RING-04 keeps order and 0 ≤ used ≤ size, across the u32 wrap', () => {
    const start = fc.constantFrom(0, WRAP, 2 ** 31 - 2)
    const moves = fc.array(fc.record({ move: fc.constantFrom('post', 'complete', 'reclaim'), n: fc.nat(9) }))
    fc.assert(
      fc.property(fc.constantFrom(2, 4, 8), start, moves, (size, from, steps) => {
        const { driver, device } = make(size, from)
        const posted: number[] = []
        const done: number[] = []
        let next = 0
        for (const { move, n } of steps) {
          if (move === 'post') {
            const k = Math.min(n, driver.avail())
            for (let i = 0; i < k; i++) {
              driver.words[driver.at(driver.prod + i)] = next
              posted.push(next++)
            }
            driver.post(k)
          } else if (move === 'complete') {
            const k = Math.min(n, device.pending())
            for (let i = 0; i < k; i++) {
              expect(device.words[device.at(device.cons + i)]).toBe(posted[i])
            }
            done.push(...posted.splice(0, k))
            device.complete(k)
          } else {
            const k = Math.min(n, driver.completed())
            for (let i = 0; i < k; i++) expect(driver.words[driver.at(driver.clean + i)]).toBe(done[i])
            done.splice(0, k)
            driver.reclaim(k)
          }
          expect(driver.used()).toBe(posted.length + done.length)
          expect(driver.used() + driver.avail()).toBe(size)
          expect(driver.prod).toBe((from + next) % 2 ** 32)
          if (kind === 'DescRing')
            expect([device.pending(), driver.completed()]).toEqual([posted.length, done.length])
        }
      }),
    )
  })
})

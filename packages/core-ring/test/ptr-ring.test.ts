import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PtrRing } from '../src/index.ts'

describe('PtrRing', () => {
  it('RING-02 uses all its slots, also when there is only one', () => {
    for (const size of [1, 2, 3, 7]) {
      const ring = new PtrRing<number>(size)
      for (let i = 0; i < size; i++) expect(ring.produce(i)).toBe(0)
      expect(ring.full).toBe(true)
      expect(ring.length).toBe(size)
      expect(ring.produce(99)).toBe(-28)
      expect(ring.consume()).toBe(0)
      expect(ring.full).toBe(false)
    }
  })

  it.each([0, -1, 1.5, NaN, 2 ** 24 + 1])('refuses the size %s', (size) => {
    expect(() => new PtrRing(size)).toThrow(RangeError)
    const ring = new PtrRing<number>(2)
    ring.produce(1)
    expect(() => ring.resize(size, () => {})).toThrow(RangeError)
    expect([ring.size, ring.consume()]).toEqual([2, 1])
  })

  it('takes null for an entry and refuses undefined, which marks an empty slot', () => {
    const ring = new PtrRing<null | undefined>(2)
    expect(ring.produce(null)).toBe(0)
    expect(ring.length).toBe(1)
    expect(() => ring.produce(undefined)).toThrow(TypeError)
    expect(ring.consume()).toBe(null)
    expect(ring.empty).toBe(true)
  })

  it('RING-09 resizing down keeps the oldest in order and destroys the rest', () => {
    const ring = new PtrRing<number>(5)
    for (const n of [0, 0, 1, 2, 3, 4, 5]) {
      if (ring.full) ring.consume()
      ring.produce(n)
    }
    const destroyed: number[] = []
    ring.resize(3, (n) => destroyed.push(n))
    expect(destroyed).toEqual([4, 5])
    expect([ring.consume(), ring.consume(), ring.consume(), ring.consume()]).toEqual([1, 2, 3, undefined])
  })

  it('RING-10 an emptied slot holds no reference', async () => {
    const ring = new PtrRing<object>(4)
    const refs = Array.from({ length: 4 }, () => {
      const entry = { payload: new Uint8Array(1 << 16) }
      ring.produce(entry)
      return new WeakRef(entry)
    })
    for (let i = 0; i < 3; i++) ring.consume()
    await collected(refs[0]!)
    expect(refs.map((r) => r.deref() === undefined)).toEqual([true, true, true, false])
  })

  it('RING-04 behaves as an array does', () => {
    const command = fc.oneof(
      { weight: 5, arbitrary: fc.constant('produce' as const) },
      { weight: 4, arbitrary: fc.constant('consume' as const) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(command, { maxLength: 80 }), (start, commands) => {
        const ring = new PtrRing<number>(start)
        let model: number[] = []
        let size = start
        let next = 0
        for (const c of commands) {
          if (c === 'produce') {
            expect(ring.produce(next)).toBe(model.length < size ? 0 : -28)
            if (model.length < size) model.push(next)
            next++
          } else if (c === 'consume') {
            expect(ring.consume()).toBe(model.shift())
          } else {
            const destroyed: number[] = []
            ring.resize(c, (n) => destroyed.push(n))
            expect(destroyed).toEqual(model.slice(c))
            model = model.slice(0, c)
            size = c
          }
          expect([ring.size, ring.length, ring.empty, ring.full, ring.peek()]).toEqual([
            size,
            model.length,
            model.length === 0,
            model.length === size,
            model[0],
          ])
        }
      }),
    )
  })
})

/** Lets the collector run until it took `ref`'s object, or gives up and lets the assertion speak. */
async function collected(ref: WeakRef<object>): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let i = 0; i < 20 && ref.deref() !== undefined; i++) {
    await new Promise((done) => setTimeout(done, 0))
    gc()
  }
}

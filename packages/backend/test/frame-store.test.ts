import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameStore } from '../src/frame-store.ts'
import { numbered } from './helpers.ts'

/** Puts a frame in. */
const put = (store: FrameStore, frame: Uint8Array, due = 0): boolean => {
  store.due[0] = due
  return store.push(frame, 0, frame.length)
}

const open = (size: { frames?: number; bytes?: number }): FrameStore => {
  const store = new FrameStore(createKernel(), size)
  store.open()
  return store
}

/** Takes the front frame out, as bytes. */
const take = (store: FrameStore): Uint8Array | null => {
  const slot = store.front()
  if (slot < 0) return null
  const frame = store.mem.slice(store.offset(slot), store.offset(slot) + store.length(slot))
  store.shift()
  return frame
}

describe('FrameStore', () => {
  it('gives frames back by due time, then by arrival', () => {
    const store = open({})
    for (const [seq, due] of [
      [1, 50],
      [2, 10],
      [3, 50],
      [4, 0],
    ] as const)
      put(store, numbered(seq), due)
    expect([1, 2, 3, 4].map(() => take(store))).toEqual([4, 2, 1, 3].map((seq) => numbered(seq)))
    expect(take(store)).toBe(null)
  })

  it('refuses when its slots or its bytes are used up, and takes again after', () => {
    const slots = open({ frames: 2 })
    const bytes = open({ bytes: 128 })
    for (const store of [slots, bytes]) {
      expect(put(store, numbered(1), 0)).toBe(true)
      expect(put(store, numbered(2), 0)).toBe(true)
      expect(put(store, numbered(3), 0)).toBe(false)
      expect(take(store)).toEqual(numbered(1))
      expect(put(store, numbered(9), 99)).toBe(true)
      expect(put(store, numbered(9), 99)).toBe(false)
      expect(take(store)).toEqual(numbered(2))
      expect(put(store, numbered(4), 0)).toBe(true)
    }
    expect(bytes.fits(128)).toBe(true)
    expect(bytes.fits(129)).toBe(false)
  })

  it('gives its memory back when closed, and refuses until opened again', () => {
    const kernel = createKernel()
    const store = new FrameStore(kernel, { bytes: 4096 })
    expect(put(store, numbered(1), 0)).toBe(false)
    store.open()
    expect(kernel.mem.allocated).toBe(4096)
    expect(put(store, numbered(1), 0)).toBe(true)
    store.close()
    expect(kernel.mem.allocated).toBe(0)
    expect(store.count).toBe(0)
    expect(put(store, numbered(1), 0)).toBe(false)
  })

  it('refuses sizes that make no sense', () => {
    for (const size of [{ frames: 0 }, { frames: 1.5 }, { frames: 2 ** 21 }, { bytes: 0 }, { bytes: NaN }]) {
      expect(() => new FrameStore(createKernel(), size)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })

  it('behaves as a sorted list with copies would (model)', () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          length: fc.integer({ min: 0, max: 120 }),
          due: fc.constantFrom(0, 0, 0, 0, 1, 2),
        }),
      },
      { weight: 2, arbitrary: fc.constant('take' as const) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const store = open({ frames: 16, bytes: 512 })
        let model: { frame: Uint8Array; due: number }[] = []
        let seq = 0
        for (const s of steps) {
          if (s === 'take') {
            expect(take(store)).toEqual(model.shift()?.frame ?? null)
          } else if (typeof s === 'number') {
            if (s === 0) {
              store.clear()
              model = []
            }
          } else {
            const frame = numbered(++seq, s.length)
            const taken = put(store, frame, s.due)
            if (model.length === 0) expect(taken).toBe(true)
            if (!taken) continue
            const at = model.findLastIndex((m) => m.due <= s.due) + 1
            model.splice(at, 0, { frame, due: s.due })
          }
          expect(store.count).toBe(model.length)
        }
        while (model.length > 0) expect(take(store)).toEqual(model.shift()!.frame)
      }),
      { numRuns: 200 },
    )
  })

  it('is never stuck: an empty store takes any frame that fits', () => {
    const store = open({ frames: 4, bytes: 512 })
    for (let i = 0; i < 100; i++) {
      const length = (i * 37) % 513
      expect(put(store, numbered(i, length), 0)).toBe(true)
      expect(take(store)).toEqual(numbered(i, length))
    }
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { descRingBytes, descRingLayout, SharedSpscRing, SpscRing } from '../src/index.ts'
import { bundleForWorkers, inThread } from './threads.ts'

const WRAP = 2 ** 32 - 3

type Ring = SpscRing | SharedSpscRing
const KINDS: [string, (size: number, start: number) => { writer: Ring; reader: Ring }][] = [
  [
    'SpscRing',
    (size, start) => {
      const ring = new SpscRing(descRingLayout(size, 2))
      ring.reset(start)
      return { writer: ring, reader: ring }
    },
  ],
  [
    'SharedSpscRing',
    (size, start) => {
      const layout = sharedLayout(size, start)
      return { writer: new SharedSpscRing(layout), reader: new SharedSpscRing(layout) }
    },
  ],
]

function sharedLayout(size: number, start: number) {
  const layout = descRingLayout(size, 2, new SharedArrayBuffer(descRingBytes(size, 2)))
  new SpscRing(layout).reset(start)
  return layout
}

describe.each(KINDS)('%s', (_kind, make) => {
  it('reserves all or nothing and counts what it refused', () => {
    const { writer } = make(4, 0)
    expect(writer.reserve(4)).toBe(0)
    writer.commit(3)
    expect(writer.reserve(2)).toBe(-1)
    expect(writer.reserve(1)).toBe(3)
    expect(writer.refused).toBe(1)
  })

  it('shows nothing that is not committed', () => {
    const { writer, reader } = make(4, 0)
    writer.words[writer.at(writer.reserve(1))] = 5
    expect(reader.readable()).toBe(0)
    writer.commit(0)
    expect(reader.readable()).toBe(0)
    writer.commit(1)
    expect(reader.readable()).toBe(1)
    expect(reader.words[reader.at(reader.cons)]).toBe(5)
  })

  it('RING-01 a move past the bounds throws', () => {
    const { writer, reader } = make(4, WRAP)
    expect(() => writer.commit(5)).toThrow(RangeError)
    writer.commit(2)
    expect(reader.readable()).toBe(2)
    expect(() => reader.release(3)).toThrow(RangeError)
    expect(() => reader.release(-1)).toThrow(RangeError)
  })

  it('RING-04 behaves as an array does, across the u32 wrap', () => {
    const step = fc.record({ write: fc.boolean(), n: fc.nat(9) })
    fc.assert(
      fc.property(
        fc.constantFrom(2, 4, 8),
        fc.constantFrom(0, WRAP, 2 ** 31 - 2),
        fc.array(step),
        (size, start, steps) => {
          const { writer, reader } = make(size, start)
          const model: number[] = []
          let next = 0
          for (const { write, n } of steps) {
            if (write) {
              const at = writer.reserve(n)
              expect(at >= 0).toBe(n <= size - model.length)
              if (at < 0) continue
              for (let k = 0; k < n; k++) {
                writer.words[writer.at(at + k) + 1] = next
                model.push(next++)
              }
              writer.commit(n)
            } else {
              const k = Math.min(n, reader.readable())
              for (let i = 0; i < k; i++) expect(reader.words[reader.at(reader.cons + i) + 1]).toBe(model[i])
              model.splice(0, k)
              reader.release(k)
              if (model.length > 0) expect(reader.readable()).toBeGreaterThan(0)
            }
          }
          expect(writer.writable()).toBe(size - model.length)
        },
      ),
    )
  })
})

const WRITER = `
  const r = new ring.SharedSpscRing(data.layout)
  let sent = 0
  while (sent < data.count) {
    const n = Math.min(1 + (sent % 5), data.count - sent), at = r.reserve(n)
    idle(at + 1)
    if (at < 0) continue
    for (let k = 0; k < n; k++) {
      const o = r.at(at + k)
      r.words[o] = sent + k; r.words[o + 1] = Math.imul(sent + k, 0x9e3779b1)
    }
    r.commit(n)
    sent += n
    // Let the reader fall asleep now and then.
    if (data.pauseEvery && sent % data.pauseEvery < n) Atomics.wait(nap, 0, 0, 2)
  }
  return r.refused >= 0`

const READER = `
  const r = new ring.SharedSpscRing(data.layout)
  let seen = 0, errors = 0
  while (seen < data.count) {
    if (data.pauseEvery && !r.wait(10_000)) return 'never woken at ' + seen
    const n = r.readable()
    for (let k = 0; k < n; k++) {
      const o = r.at(r.cons + k)
      if (r.words[o] !== seen + k || r.words[o + 1] !== Math.imul(seen + k, 0x9e3779b1)) errors++
    }
    if (n > 0) r.release(n)
    seen += n
    idle(n)
  }
  return errors`

describe('SharedSpscRing between threads', () => {
  it('RING-05 an object settles for one side', () => {
    const layout = sharedLayout(4, 0)
    const writer = new SharedSpscRing(layout)
    const reader = new SharedSpscRing(layout)
    writer.commit(1)
    expect(() => writer.release(1)).toThrow(TypeError)
    expect(reader.readable()).toBe(1)
    reader.release(1)
    expect(() => reader.commit(1)).toThrow(TypeError)
  })

  it('RING-06 no record is torn, lost, repeated or out of order', async () => {
    const bundle = await bundleForWorkers()
    const data = { layout: sharedLayout(32, WRAP), count: 150_000, pauseEvery: 0 }
    expect(await Promise.all([inThread(bundle, WRITER, data), inThread(bundle, READER, data)])).toEqual([
      true,
      0,
    ])
  })

  it('wait blocks until a record is committed, and no wake-up is lost', async () => {
    const bundle = await bundleForWorkers()
    const data = { layout: sharedLayout(32, 0), count: 20_000, pauseEvery: 200 }
    expect(await Promise.all([inThread(bundle, WRITER, data), inThread(bundle, READER, data)])).toEqual([
      true,
      0,
    ])
  })

  it('wait gives up after its timeout', () => {
    expect(new SharedSpscRing(sharedLayout(4, 0)).wait(1)).toBe(false)
  })
})

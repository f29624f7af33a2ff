import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sumWords } from '../src/checksum.ts'
import { TcpSegmenter } from '../src/segmenter.ts'

interface Shape {
  readonly version: 4 | 6
  readonly tags: number
  readonly tcpWords: number
  readonly sequence: number
  readonly flags: number
  readonly payload: Uint8Array
}

const shape = fc.record<Shape>({
  version: fc.constantFrom(4, 6),
  tags: fc.integer({ min: 0, max: 2 }),
  tcpWords: fc.integer({ min: 5, max: 15 }),
  sequence: fc.oneof(fc.constant(0xffff_ff00), fc.integer({ min: 0, max: 0xffff_ffff })),
  flags: fc.integer({ min: 0, max: 255 }),
  payload: fc.uint8Array({ minLength: 1, maxLength: 5000 }),
})

const networkAt = (s: Shape): number => 14 + 4 * s.tags
const transportAt = (s: Shape): number => networkAt(s) + (s.version === 4 ? 20 : 40)
const payloadAt = (s: Shape): number => transportAt(s) + 4 * s.tcpWords

/** A big frame whose checksums nobody has made. */
function build(s: Shape): Uint8Array {
  const frame = new Uint8Array(payloadAt(s) + s.payload.length)
  const view = new DataView(frame.buffer)
  const [network, transport] = [networkAt(s), transportAt(s)]
  for (let i = 0; i < s.tags; i++) view.setUint16(12 + 4 * i, 0x8100)
  view.setUint16(network - 2, s.version === 4 ? 0x0800 : 0x86dd)
  if (s.version === 4) {
    frame[network] = 0x45
    view.setUint16(network + 2, frame.length - network)
    view.setUint16(network + 4, 0xfffe)
    view.setUint16(network + 6, 0x4000)
    frame[network + 9] = 6
    frame.set([10, 0, 0, 1, 10, 0, 0, 2], network + 12)
  } else {
    frame[network] = 0x60
    view.setUint16(network + 4, frame.length - transport)
    frame[network + 6] = 6
    frame.fill(0x21, network + 8, network + 40)
  }
  view.setUint32(transport + 4, s.sequence)
  frame[transport + 12] = s.tcpWords << 4
  frame[transport + 13] = s.flags
  frame.set(s.payload, payloadAt(s))
  return frame
}

const folds = (sum: number): boolean => {
  let rest = sum
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000)
  return rest === 0xffff
}

describe('TcpSegmenter', () => {
  it('cuts a stream into frames of one MTU whose sums are right', () => {
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 576, max: 1500 }),
        fc.integer({ min: 0, max: 9 }),
        (s, mtu, before) => {
          const memory = new Uint8Array(before + 6000)
          const big = build(s)
          memory.set(big, before)
          const segmenter = new TcpSegmenter()
          expect(segmenter.begin(memory, before, big.length, mtu)).toBe(true)
          const payload: number[] = []
          let count = 0
          for (let length = segmenter.next(); length > 0; length = segmenter.next()) {
            const frame = segmenter.mem.slice(0, length)
            const view = new DataView(frame.buffer)
            const [network, transport] = [networkAt(s), transportAt(s)]
            expect(length - network).toBeLessThanOrEqual(mtu)
            expect(view.getUint32(transport + 4)).toBe((s.sequence + payload.length) >>> 0)
            const addresses =
              s.version === 4
                ? sumWords(frame, network + 12, network + 20)
                : sumWords(frame, network + 8, transport)
            expect(folds(addresses + 6 + length - transport + sumWords(frame, transport, length))).toBe(true)
            if (s.version === 4) {
              expect(folds(sumWords(frame, network, transport))).toBe(true)
              expect(view.getUint16(network + 2)).toBe(length - network)
              expect(view.getUint16(network + 4)).toBe((0xfffe + count) & 0xffff)
            } else expect(view.getUint16(network + 4)).toBe(length - transport)
            payload.push(...frame.subarray(payloadAt(s)))
            const last = payload.length === s.payload.length
            expect(frame[transport + 13]).toBe(s.flags & (last ? 0xff : ~0x09) & (count === 0 ? 0xff : ~0x80))
            count++
          }
          expect(payload).toEqual([...s.payload])
        },
      ),
    )
  })

  it('takes nothing else, however damaged', () => {
    const segmenter = new TcpSegmenter()
    fc.assert(
      fc.property(shape, fc.nat(90), fc.nat(255), (s, at, value) => {
        const frame = build(s)
        frame[at % frame.length] = value
        if (!segmenter.begin(frame, 0, frame.length, 1500)) return
        let bytes = 0
        for (let length = segmenter.next(); length > 0; length = segmenter.next()) bytes += length
        expect(bytes).toBeGreaterThan(0)
        expect(bytes).toBeLessThan(frame.length * 60)
      }),
    )
    for (let length = 0; length < 54; length++) {
      expect(segmenter.begin(new Uint8Array(100), 0, length, 1500)).toBe(false)
    }
  })

  it('does not cut fragments, UDP, or for an MTU without room', () => {
    const s: Shape = {
      version: 4,
      tags: 0,
      tcpWords: 5,
      sequence: 0,
      flags: 0,
      payload: new Uint8Array(3000),
    }
    const segmenter = new TcpSegmenter()
    const change = (at: number, value: number): Uint8Array => {
      const frame = build(s)
      frame[at] = value
      return frame
    }
    expect(segmenter.begin(change(14 + 9, 17), 0, 3054, 1500)).toBe(false)
    expect(segmenter.begin(change(14 + 6, 0x20), 0, 3054, 1500)).toBe(false)
    expect(segmenter.begin(build(s), 0, 3054, 40)).toBe(false)
    expect(segmenter.begin(build(s), 0, 3054, 41)).toBe(true)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameDecoder, MAX_FRAME_BYTES, putFrame } from '../src/frame-codec.ts'

const BASE = 24

class Reader {
  readonly frames: number[][] = []
  readonly decoder: FrameDecoder

  constructor(size = 4 * MAX_FRAME_BYTES) {
    this.decoder = new FrameDecoder(new Uint8Array(BASE + size), BASE, size)
  }

  /** Returns false when a length was bad. */
  feed(piece: Uint8Array): boolean {
    for (let from = 0; from < piece.length;) {
      const to = Math.min(piece.length, from + this.decoder.room)
      this.decoder.push(piece, from, to)
      from = to
      for (;;) {
        const n = this.decoder.take(3, (mem, at, length) =>
          this.frames.push([...mem.subarray(at, at + length)]),
        )
        if (n < 0) return false
        if (n < 3) break
      }
    }
    return true
  }
}

function encode(frames: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length + 4, 0))
  let at = 0
  for (const frame of frames) at += putFrame(bytes, at, frame, 0, frame.length)
  return bytes
}

describe('frame codec', () => {
  it('gives back what was put in, however the bytes are cut', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 })
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (sent, cuts) => {
        const reader = new Reader()
        const bytes = encode(sent)
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const to = at + cuts[i % cuts.length]!
          reader.feed(bytes.subarray(at, to))
          at = to
        }
        expect(reader.frames).toEqual(sent.map((frame) => [...frame]))
        expect(reader.decoder.partial).toBe(0)
      }),
    )
  })

  it('takes the longest frame there is, byte by byte at its edges', () => {
    const reader = new Reader()
    const frame = new Uint8Array(MAX_FRAME_BYTES).fill(7)
    const bytes = encode([frame, frame, frame, frame, frame])
    expect(reader.feed(bytes)).toBe(true)
    expect(reader.frames.map((f) => f.length)).toEqual(Array(5).fill(MAX_FRAME_BYTES))
  })

  it.each([0x8000_0000, 0xffff_ffff, MAX_FRAME_BYTES + 1])('a length of %i is no frame', (length) => {
    const reader = new Reader()
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setUint32(0, length)
    expect(reader.feed(bytes)).toBe(false)
    expect(reader.frames).toEqual([])
  })

  it('an empty frame is one', () => {
    const reader = new Reader()
    reader.feed(encode([new Uint8Array(0), Uint8Array.of(1)]))
    expect(reader.frames).toEqual([[], [1]])
  })

  it('knows what has begun', () => {
    const reader = new Reader()
    reader.feed(encode([new Uint8Array(60)]).subarray(0, 30))
    expect(reader.decoder.partial).toBe(30)
    reader.decoder.reset()
    reader.feed(encode([Uint8Array.of(9)]))
    expect(reader.frames).toEqual([[9]])
  })
})

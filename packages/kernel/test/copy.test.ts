import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyBytes, FrameCopier, type WordMemory } from '@vnet/kernel'

const bytes = (n: number, seed: number) => Uint8Array.from({ length: n }, (_, i) => (i * 31 + seed) & 255)

describe('copyBytes', () => {
  it('copies every length and alignment between two memories, and nothing beside', () => {
    for (let len = 0; len <= 140; len++) {
      for (let shift = 0; shift < 5; shift += 2) {
        const src = bytes(200, len)
        const dst = new Uint8Array(200)
        copyBytes(dst, 10 + shift, src, 5, len)
        const expected = new Uint8Array(200)
        expected.set(src.subarray(5, 5 + len), 10 + shift)
        expect(dst).toEqual(expected)
      }
    }
  })
  it('within one memory behaves as if the bytes were kept aside first, whichever way they overlap', () => {
    fc.assert(
      fc.property(fc.nat(120), fc.nat(120), fc.nat(130), (dstOff, srcOff, len) => {
        const mem = bytes(256, 1)
        const expected = mem.slice()
        expected.set(mem.slice(srcOff, srcOff + len), dstOff)
        copyBytes(mem, dstOff, mem, srcOff, len)
        expect(mem).toEqual(expected)
      }),
    )
  })
  it('works between plain and shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2048))
    const src = bytes(2048, 3)
    copyBytes(shared, 100, src, 0, 1514)
    copyBytes(shared, 0, src, 0, 60)
    const back = new Uint8Array(2048)
    copyBytes(back, 100, shared, 100, 1514)
    expect(back.subarray(100, 1614)).toEqual(src.subarray(0, 1514))
    expect(shared.slice(0, 60)).toEqual(src.slice(0, 60))
  })
})

describe('FrameCopier', () => {
  const memory = (buffer: ArrayBufferLike): WordMemory => ({
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer, 0, buffer.byteLength >>> 2),
  })

  it('copies every length and alignment, and nothing beside', () => {
    const copier = new FrameCopier()
    const src = bytes(202, 7)
    for (let len = 0; len <= 100; len++) {
      for (let at = 0; at < 16; at++) {
        const dst = memory(new ArrayBuffer(200))
        const expected = bytes(200, 1)
        dst.u8.set(expected)
        expected.set(src.subarray(at & 3, (at & 3) + len), 40 + (at >> 2))
        copier.copy(dst, 40 + (at >> 2), src, at & 3, len)
        expect(dst.u8).toEqual(expected)
      }
    }
  })
  it('follows a source that changes, lies askew, ends within a word, or is shared', () => {
    const copier = new FrameCopier()
    const base = bytes(301, 9)
    const shared = new Uint8Array(new SharedArrayBuffer(300))
    shared.set(base.subarray(0, 300))
    for (const src of [base, base.subarray(1), base.subarray(4, 67), shared, base]) {
      const dst = memory(new ArrayBuffer(128))
      copier.copy(dst, 3, src, 3, 60)
      expect(dst.u8.subarray(3, 63)).toEqual(Uint8Array.from(src.subarray(3, 63)))
    }
  })
})

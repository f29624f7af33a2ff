import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  csumBlockAdd,
  csumPartial,
  csumPseudo,
  ipFastCsum,
  ipSendCheck,
  kfreeSkb,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolOffset,
  skbAddRxFrag,
  skbBytes,
  skbChecksum,
  skbChecksumHelp,
  skbClone,
  skbCacheOf,
  skbReserve,
  skbSetBytes,
} from '../src/index.ts'
import { buildFrame, expectNoneAlive, hex, lenientKernel, slowChecksum, violation } from './skb-helpers.ts'

const memory = new ArrayBuffer(70000)
const u8 = new Uint8Array(memory)
const i32 = new Int32Array(memory)

describe('sums', () => {
  it('CSUM-04 matches known IPv4 headers', () => {
    // The example of RFC 1071's subject everybody uses, and one of ours.
    const header = Uint8Array.from('45000073000040004011b861c0a80001c0a800c7'.match(/../g)!, (h) =>
      parseInt(h, 16),
    )
    expect(ipFastCsum(header, 0, 20).toString(16)).toBe('b861')
    header[10] = 0
    header[11] = 0
    ipSendCheck(header, 0)
    expect(hex(header.subarray(10, 12))).toBe('b861')
  })

  it('equals the slow sum at every alignment and length', () => {
    fc.assert(
      fc.property(fc.nat(7), fc.uint8Array({ maxLength: 200 }), (offset, bytes) => {
        u8.set(bytes, offset)
        expect(csumPartial(u8, i32, offset, bytes.length)).toBe(0xffff - slowChecksum(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  it('does not overflow on 64 KiB of ones', () => {
    u8.fill(0xff)
    for (const offset of [0, 1, 2, 3]) expect(csumPartial(u8, i32, offset, 65535 + offset)).toBe(slow(offset))
    function slow(offset: number): number {
      return 0xffff - slowChecksum(u8.subarray(offset, 65535 + 2 * offset))
    }
  })

  it('adds blocks that start at odd places', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (a, b) => {
        u8.fill(0, 0, 256)
        u8.set(a, 0)
        u8.set(b, 129)
        const sum = csumBlockAdd(
          csumPartial(u8, i32, 0, a.length),
          csumPartial(u8, i32, 129, b.length),
          a.length,
        )
        expect(sum % 0xffff).toBe((0xffff - slowChecksum(Uint8Array.from([...a, ...b]))) % 0xffff)
      }),
    )
  })

  it('sums a pseudo header as RFC 768 and RFC 8200 say', () => {
    const frame = buildFrame({ proto: 'udp', payload: Uint8Array.of(1, 2, 3) })
    const sum = csumPseudo(frame, 26, 4, 17, 11)
    expect(sum).toBe(0x0a00 + 2 + 0x0a00 + 1 + 17 + 11)
  })
})

describe('skbChecksumHelp', () => {
  it('CSUM-01 CSUM-02 gives a right frame for TCP and UDP over IPv4 and IPv6', () => {
    const kernel = createKernel()
    for (const v6 of [false, true]) {
      for (const proto of ['tcp', 'udp'] as const) {
        const want = buildFrame({ v6, proto, payload: Uint8Array.of(1, 2, 3, 4, 5) })
        const nh = 14
        const th = nh + (v6 ? 40 : 20)
        const at = th + (proto === 'tcp' ? 16 : 6)
        const frame = want.slice()
        const pseudo = csumPseudo(
          frame,
          nh + (v6 ? 8 : 12),
          v6 ? 16 : 4,
          proto === 'tcp' ? 6 : 17,
          frame.length - th,
        )
        frame[at] = pseudo >> 8
        frame[at + 1] = pseudo & 255
        const skb = allocSkb(kernel, 256)!
        skbReserve(skb, 2)
        skbSetBytes(skb, frame)
        skb.ipSummed = CHECKSUM_PARTIAL
        skb.csumStart = skb.data + th
        skb.csumOffset = at - th
        expect(skbChecksumHelp(skb)).toBe(0)
        expect(hex(skbBytes(skb))).toBe(hex(want))
        expect(skb.ipSummed).toBe(CHECKSUM_NONE)
        kfreeSkb(skb)
      }
    }
    expectNoneAlive(kernel)
  })

  it('CSUM-01 equals the slow sum for any start, place and split into fragments', () => {
    const kernel = createKernel()
    const pool = pagePoolCreate(kernel, { name: 'p', count: 16, bufSize: 256 })
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 70 }), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 80 }),
        pieces,
        fc.nat(70),
        fc.nat(40),
        (head, rest, s, o) => {
          const all = Uint8Array.from([...head, ...rest.flatMap((piece) => [...piece])])
          const start = s % all.length
          const offset = o % Math.max(1, all.length - start - 1)
          if (start + offset + 2 > all.length) return
          const skb = allocSkb(kernel, 128)!
          skbReserve(skb, s % 5)
          skbSetBytes(skb, head)
          for (const piece of rest) {
            const page = pagePoolAlloc(pool)
            pool.region.u8.set(piece, pagePoolOffset(pool, page) + (s % 7))
            skbAddRxFrag(skb, pool, page, s % 7, piece.length)
          }
          const sum = 0xffff - slowChecksum(all.subarray(start))
          expect(skbChecksum(skb, start, all.length - start) % 0xffff).toBe(sum % 0xffff)
          skb.csumStart = skb.data + start
          skb.csumOffset = offset
          expect(skbChecksumHelp(skb)).toBe(0)
          const want = slowChecksum(all.subarray(start)) || 0xffff
          const result = skbBytes(skb)
          expect(result[start + offset]! * 256 + result[start + offset + 1]!).toBe(want)
          kfreeSkb(skb)
          expect(pool.outstanding).toBe(0)
        },
      ),
    )
  })

  it('CSUM-01 a start or place outside the packet is reported and refused', () => {
    const kernel = createKernel()
    const skb = allocSkb(kernel, 128)!
    skbReserve(skb, 16)
    skbSetBytes(skb, new Uint8Array(40))
    const places = [
      [-1, 0],
      [40, 0],
      [20, 19],
      [20, -1],
    ] as const
    for (const [start, offset] of places) {
      skb.csumStart = skb.data + start
      skb.csumOffset = offset
      expect(violation(() => skbChecksumHelp(skb))).toMatch(
        /^CSUM-01: skb#1 of kernel asks for a checksum from/,
      )
    }
    const lenient = lenientKernel()
    const other = allocSkb(lenient, 60)!
    other.csumStart = other.data
    expect(skbChecksumHelp(other)).toBe(-22)
  })

  it('TXQ-15 does not write to the bytes of a clone, and says so when it has no memory for its own', () => {
    const kernel = createKernel()
    const skb = allocSkb(kernel, 64)!
    skbSetBytes(skb, Uint8Array.of(1, 2, 3, 4, 0, 0))
    const clone = skbClone(skb)!
    clone.csumStart = clone.data
    clone.csumOffset = 4
    skbCacheOf(kernel).fail = () => true
    expect(skbChecksumHelp(clone)).toBe(-12)
    skbCacheOf(kernel).fail = null
    expect(skbChecksumHelp(clone)).toBe(0)
    expect(hex(skbBytes(skb))).toBe('010203040000')
    expect(hex(skbBytes(clone))).toBe('01020304fbf9')
    kfreeSkb(skb)
    kfreeSkb(clone)
    expectNoneAlive(kernel)
  })
})

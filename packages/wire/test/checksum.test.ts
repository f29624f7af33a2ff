import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  csumBlockAdd,
  csumFinish,
  csumFold,
  csumIpv6Nofold,
  csumPartial,
  csumPartialWords,
  csumReplace2,
  csumReplace4,
  csumTcpudpNofold,
  inetChecksum,
} from '@vnet/wire'
import { hex } from './corpus.ts'

/** RFC 1071 as it reads, slowly. */
function slow(bytes: Uint8Array, start = 0): number {
  let sum = start
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0)
    while (sum > 0xffff) sum = (sum % 65536) + Math.floor(sum / 65536)
  }
  return 0xffff - sum
}

/** 0 and 0xffff are the same number in ones' complement. */
const same = (check: number): number => check % 0xffff

describe('inetChecksum', () => {
  it.each([
    ['RFC 1071 section 3', '0001 f203 f4f5 f6f7', 0x220d],
    ['an IPv4 header', '4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7', 0xb861],
    ['no bytes', '', 0xffff],
    ['zeros', '0000 0000', 0xffff],
    ['ones', 'ffff ffff', 0],
    ['one byte, which counts as the upper half', 'ab', 0x54ff],
    ['carries that carry again', 'ffff 0001 ffff', 0xfffe],
  ])('CSUM-01 gives the known value of %s', (_, text, expected) => {
    expect(inetChecksum(hex(text))).toBe(expected)
  })

  it('CSUM-01 gives 0 over bytes that hold their own checksum', () => {
    expect(inetChecksum(hex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7'))).toBe(0)
  })

  it('CSUM-01 agrees with the slow sum at every offset and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(10), fc.nat(10), (bytes, before, after) => {
        const memory = new Uint8Array(before + bytes.length + after).fill(0xa5)
        memory.set(bytes, before)
        expect(inetChecksum(memory, before, bytes.length)).toBe(slow(bytes))
      }),
    )
  })

  it('stays right over more bytes than fit in one block of partial sums', () => {
    for (const length of [65535, 65536, 65537, 200001, 3_000_000]) {
      const bytes = new Uint8Array(length).fill(0xff)
      bytes[length - 1] = 0x12
      expect(inetChecksum(bytes), String(length)).toBe(slow(bytes))
    }
  })

  it('counts bytes outside the array as nothing', () => {
    const bytes = hex('0102 0304')
    expect(inetChecksum(bytes, 2, 100)).toBe(slow(hex('0304')))
    expect(inetChecksum(bytes, 9, 4)).toBe(0xffff)
    expect(inetChecksum(bytes, -2, 4)).toBe(0xffff)
    expect(inetChecksum(bytes, 0, -4)).toBe(0xffff)
  })
})

describe('csumPartialWords', () => {
  it('CSUM-01 agrees with csumPartial at every offset and length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(40),
        fc.nat(320),
        (bytes, off, len) => {
          const words = new Int32Array(Math.ceil(bytes.length / 4) + 2)
          const memory = new Uint8Array(words.buffer)
          memory.set(bytes)
          expect(same(csumFold(csumPartialWords(words, off, len, 7)))).toBe(
            same(csumFold(csumPartial(memory, off, len, 7))),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('stays right over more bytes than fit in one block of partial sums', () => {
    const words = new Int32Array(200_000).fill(-1)
    words[3] = 0x12345678
    const memory = new Uint8Array(words.buffer)
    for (const off of [0, 1, 2, 3]) {
      const sum = csumFold(csumPartialWords(words, off, memory.length - off, 0))
      expect(same(sum), String(off)).toBe(same(slow(memory.subarray(off))))
    }
  })

  it('counts bytes outside the array as nothing', () => {
    const words = Int32Array.of(-1, -1)
    expect(csumPartialWords(words, 8, 4, 5)).toBe(5)
    expect(csumPartialWords(words, -4, 4, 5)).toBe(5)
    expect(csumPartialWords(words, 0, 0, 5)).toBe(5)
  })
})

describe('sums in pieces', () => {
  it('CSUM-01 are the sum of the whole when every piece but the last is even', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (bytes, half) => {
        const cut = Math.min(half * 2, bytes.length)
        const first = csumPartial(bytes, 0, cut, 0)
        expect(csumFold(csumPartial(bytes, cut, bytes.length - cut, first))).toBe(slow(bytes))
      }),
    )
  })

  it('are the sum of the whole at any cut with csumBlockAdd', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const cut = Math.min(at, bytes.length)
        const second = csumPartial(bytes, cut, bytes.length - cut, 0)
        expect(csumFold(csumBlockAdd(csumPartial(bytes, 0, cut, 0), second, cut))).toBe(slow(bytes))
      }),
    )
  })
})

describe('pseudo headers', () => {
  it('CSUM-01 make the checksum of a UDP message over IPv4', () => {
    // 192.168.0.31 to 192.168.0.30, ports 20 and 10, "Hi": worked by hand in many textbooks.
    const message = hex('0014 000a 000a 0000 4869')
    const pseudo = csumTcpudpNofold(0xc0a8001f, 0xc0a8001e, message.length, 17)
    expect(inetChecksum(message, 0, message.length, pseudo)).toBe(
      slow(hex('c0a8 001f c0a8 001e 0011 000a 0014 000a 000a 0000 4869')),
    )
    expect(inetChecksum(message, 0, message.length, pseudo)).toBe(0x35c5)
  })

  it('CSUM-01 make the checksum of an ICMPv6 message', () => {
    const header = hex(
      '6000 0000 0008 3aff fe800000000000000000000000000001 ff020000000000000000000000000002',
    )
    const message = hex('8500 0000 0000 0000')
    const pseudo = csumIpv6Nofold(header, 8, message.length, 58)
    const spelled = hex('fe800000000000000000000000000001 ff020000000000000000000000000002 00000008 0000003a')
    expect(inetChecksum(message, 0, 8, pseudo)).toBe(slow(Uint8Array.of(...spelled, ...message)))
  })

  it('stay below 32 bits with the highest addresses', () => {
    const sum = csumTcpudpNofold(0xffffffff, 0xffffffff, 65535, 255)
    expect(sum).toBeLessThanOrEqual(0xffffffff)
    expect(csumFold(sum)).toBe(slow(hex('ffffffff ffffffff 00ff ffff')))
  })
})

describe('updates in place', () => {
  it('csumReplace2 gives what a new sum would (RFC 1624)', () => {
    const u16 = fc.nat(0xffff)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), u16, fc.nat(9), (bytes, to, field) => {
        const check = inetChecksum(bytes)
        const from = bytes[field * 2]! * 256 + bytes[field * 2 + 1]!
        bytes[field * 2] = to >>> 8
        bytes[field * 2 + 1] = to
        expect(same(csumReplace2(check, from, to))).toBe(same(inetChecksum(bytes)))
      }),
    )
  })

  it('csumReplace4 gives what a new sum would', () => {
    const u32 = fc.nat(0xffffffff)
    fc.assert(
      fc.property(u32, u32, fc.nat(0xffff), (from, to, other) => {
        const words = (first: number): Uint8Array => {
          const bytes = new Uint8Array(6)
          new DataView(bytes.buffer).setUint32(0, first)
          new DataView(bytes.buffer).setUint16(4, other)
          return bytes
        }
        expect(same(csumReplace4(inetChecksum(words(from)), from, to))).toBe(same(inetChecksum(words(to))))
      }),
    )
  })

  it('csumReplace2 knows the example of RFC 1624', () => {
    expect(csumReplace2(0xdd2f, 0x5555, 0x3285)).toBe(0x0000)
  })
})

describe('csumFinish', () => {
  it('CSUM-01 sums from start to end and stores at start + offset', () => {
    const frame = hex('aaaa 0014 000a 000a 0000 4869')
    const pseudo = csumTcpudpNofold(0xc0a8001f, 0xc0a8001e, 10, 17)
    const folded = ~csumFold(pseudo) & 0xffff
    frame[8] = folded >>> 8
    frame[9] = folded
    expect(csumFinish(frame, frame.length, 2, 6)).toBe(true)
    expect([frame[8], frame[9]]).toEqual([0x35, 0xc5])
  })

  it('CSUM-02 stores 0xffff when the sum is 0, which UDP reads as "none"', () => {
    const frame = hex('ffff 0000')
    expect(csumFinish(frame, 4, 0, 2)).toBe(true)
    expect(frame).toEqual(hex('ffff ffff'))
  })

  it('refuses a place outside the frame and writes nothing', () => {
    const frame = hex('0102 0304')
    for (const [end, start, offset] of [
      [4, 0, 3],
      [4, 3, 0],
      [5, 0, 0],
      [4, -1, 0],
      [4, 0, -1],
    ] as const) {
      expect(csumFinish(frame, end, start, offset)).toBe(false)
    }
    expect(frame).toEqual(hex('0102 0304'))
  })
})

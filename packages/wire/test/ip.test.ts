import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { hex } from './corpus.ts'

const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 })
/** Headers are built in the middle of memory that is not zero: every byte must be written. */
const memory = (): Uint8Array => new Uint8Array(256).fill(0xee)
const AT = 7
const between = { srcMac: '02:00:00:00:00:01', dstMac: '02:00:00:00:00:02' }

describe('IPv4', () => {
  const fields = fc.record({
    src: u32,
    dst: u32,
    protocol: u8,
    tos: u8,
    id: u16,
    ttl: u8,
    dontFragment: fc.boolean(),
    moreFragments: fc.boolean(),
    fragmentOffset: fc.nat(0x1fff).map((eighths) => eighths * 8),
    options: fc.uint8Array({ maxLength: 40 }),
    payloadLength: fc.nat(60),
  })

  it('CSUM-04 comes back from its bytes with a right checksum', () => {
    fc.assert(
      fc.property(fields, fc.nat(20), (one, padding) => {
        const out = memory()
        const written = w.buildIpv4(out, AT, one)
        const room = (one.options.length + 3) & ~3
        expect(written).toBe(20 + room)
        const { src, dst, options: _, payloadLength, ...rest } = one
        expect(w.parseIpv4(out, AT, written + payloadLength + padding)).toEqual({
          ...rest,
          headerLength: written,
          totalLength: written + payloadLength,
          checksum: w.getUnalignedBe16(out, AT + 10),
          checksumOk: true,
          src: w.formatIpv4Address(src),
          dst: w.formatIpv4Address(dst),
          optionsOffset: AT + 20,
          optionsLength: room,
          payloadOffset: AT + written,
          payloadLength,
          truncated: false,
        })
      }),
    )
  })

  it('CSUM-04 notices every single wrong bit in the header', () => {
    const frame = w.udpFrame({ ...between, src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1, dstPort: 2 })
    for (let bit = 0; bit < 160; bit++) {
      const wrong = frame.slice()
      wrong[14 + (bit >> 3)]! ^= 1 << (bit & 7)
      const header = w.parseIpv4(wrong, 14)
      if (header !== null) expect(header.checksumOk, `bit ${bit}`).toBe(false)
    }
  })

  it('is refused when its lengths make no sense', () => {
    const good = w
      .udpFrame({ ...between, src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1, dstPort: 2 })
      .subarray(14)
    const change = (at: number, ...values: number[]): Uint8Array => {
      const bytes = good.slice()
      bytes.set(values, at)
      return bytes
    }
    expect(w.parseIpv4(change(0, 0x55))).toBeNull()
    expect(w.parseIpv4(change(0, 0x44))).toBeNull()
    expect(w.parseIpv4(change(0, 0x4f))).toBeNull()
    expect(w.parseIpv4(change(2, 0, 19))).toBeNull()
    expect(w.parseIpv4(good.subarray(0, 19))).toBeNull()
    expect(w.parseIpv4(change(2, 5, 0))).toMatchObject({
      truncated: true,
      totalLength: 1280,
      payloadLength: 8,
    })
  })

  it('has its options listed', () => {
    const options = hex('01 94 04 0000 07 03 04 00')
    expect(w.parseIpv4Options(options, 0, options.length)).toEqual([
      { type: 0x94, offset: 3, length: 2 },
      { type: 7, offset: 7, length: 1 },
    ])
    expect(w.parseIpv4Options(hex('94'), 0, 1)).toBeNull()
    expect(w.parseIpv4Options(hex('9401'), 0, 2)).toBeNull()
    expect(w.parseIpv4Options(hex('9405 00'), 0, 3)).toBeNull()
  })

  it.each([
    [{ fragmentOffset: 4 }, 'a fragment begins at a multiple of 8 bytes, not 4'],
    [{ payloadLength: 65516 }, 'the length of an IPv4 packet must be'],
    [{ ttl: 256 }, 'a time to live must be'],
    [{ options: new Uint8Array(41) }, 'the length of IPv4 options must be'],
    [{ src: 'here' }, 'here is not an IPv4 address'],
  ])('is not built from %o', (wrong, message) => {
    const build = (): number =>
      w.buildIpv4(memory(), 0, { src: 0, dst: 0, protocol: 17, payloadLength: 0, ...wrong })
    expect(build).toThrow(RangeError)
    expect(build).toThrow(message)
  })
})

describe('IPv6', () => {
  const fields = fc.record({
    src: ip6,
    dst: ip6,
    nextHeader: u8,
    hopLimit: u8,
    trafficClass: u8,
    flowLabel: fc.nat(0xfffff),
    payloadLength: fc.nat(100),
  })

  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(fields, (one) => {
        const out = memory()
        expect(w.buildIpv6(out, AT, one)).toBe(40)
        expect(w.parseIpv6(out, AT, 40 + one.payloadLength + 3)).toEqual({
          ...one,
          src: w.formatIpv6Address(one.src),
          dst: w.formatIpv6Address(one.dst),
          payloadOffset: AT + 40,
          truncated: false,
        })
        expect(w.parseIpv6(out, AT, 40)).toMatchObject({ payloadLength: 0, truncated: one.payloadLength > 0 })
        expect(w.parseIpv6(out, AT, 39)).toBeNull()
      }),
    )
  })

  it('walks extension headers to the protocol', () => {
    const chain = hex(
      '2b00 0502 0000 0100 3c02 0001 00000000 fe800000000000000000000000000001 2c00 010400000000 1100 0009 00000007 ffff',
    )
    expect(w.parseIpv6Extensions(chain, 0, chain.length, 0)).toEqual({
      headers: [
        { type: 0, offset: 0, length: 8 },
        { type: 43, offset: 8, length: 24 },
        { type: 60, offset: 32, length: 8 },
        { type: 44, offset: 40, length: 8 },
      ],
      protocol: 17,
      payloadOffset: 48,
      payloadLength: 2,
      fragment: { offset: 8, more: true, id: 7 },
      truncated: false,
    })
  })

  it('measures an authentication header in words of 4 bytes, less two', () => {
    const chain = hex('1102 0000 00000001 00000002 aabbccdd ffff')
    expect(w.parseIpv6Extensions(chain, 0, chain.length, 51)).toMatchObject({
      headers: [{ type: 51, offset: 0, length: 16 }],
      protocol: 17,
      payloadOffset: 16,
      payloadLength: 2,
    })
  })

  it('marks a chain that stops inside a header', () => {
    expect(w.parseIpv6Extensions(hex('3c01 0000 0000 0000'), 0, 8, 0)).toMatchObject({
      headers: [],
      protocol: 0,
      payloadOffset: 0,
      truncated: true,
    })
    expect(w.parseIpv6Extensions(hex('3c'), 0, 1, 60)).toMatchObject({ truncated: true })
    expect(w.parseIpv6Extensions(hex(''), 0, 0, 6)).toMatchObject({ truncated: false, protocol: 6 })
  })
})

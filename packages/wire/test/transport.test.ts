import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { hex } from './corpus.ts'

const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const payload = fc.uint8Array({ maxLength: 100 })
/** Headers are built in the middle of memory that is not zero: every byte must be written. */
const memory = (): Uint8Array => new Uint8Array(256).fill(0xee)
const AT = 7
const between = { srcMac: '02:00:00:00:00:01', dstMac: '02:00:00:00:00:02' }

describe('ICMP', () => {
  it('comes back from its bytes with a right checksum, in both versions', () => {
    fc.assert(
      fc.property(u8, u8, u32, payload, ip6, ip6, (type, code, rest, data, src, dst) => {
        for (const v6 of [false, true]) {
          const out = memory()
          out.set(data, AT + 8)
          const addresses = Uint8Array.of(...src, ...dst)
          const pseudo = v6 ? w.csumIpv6Nofold(addresses, 0, 8 + data.length, 58) : 0
          const one = { type, code, rest, payloadLength: data.length }
          expect(v6 ? w.buildIcmpv6(out, AT, one, pseudo) : w.buildIcmp(out, AT, one)).toBe(8)
          const parsed = v6
            ? w.parseIcmpv6(out, AT, 8 + data.length, pseudo)
            : w.parseIcmp(out, AT, 8 + data.length)
          expect(parsed).toMatchObject({
            ...one,
            checksumOk: true,
            id: rest >>> 16,
            seq: rest & 0xffff,
            payloadOffset: AT + 8,
          })
          expect([out[AT - 1], out[AT + 8 + data.length]]).toEqual([0xee, 0xee])
        }
      }),
    )
  })

  it('notices a changed payload', () => {
    const frame = w.icmpEchoRequest({ ...between, src: '10.0.0.1', dst: '10.0.0.2', id: 1, seq: 2 })
    frame[50]! ^= 1
    expect(w.parseIcmp(frame, 34)).toMatchObject({ id: 1, seq: 2, checksumOk: false })
  })

  it('of neighbour discovery is read with its options', () => {
    const ask = w.neighbourSolicitation({ srcMac: between.srcMac, src: 'fe80::1', target: 'fe80::2' })
    expect(w.parseNd(ask, 54)).toEqual({
      type: w.Icmpv6Type.NEIGHBOUR_SOLICITATION,
      target: 'fe80::2',
      destination: null,
      router: false,
      solicited: false,
      override: false,
      linkAddress: '02:00:00:00:00:01',
      options: [{ type: 1, offset: 80, length: 6 }],
      truncated: false,
    })
    const redirect = new Uint8Array(48)
    redirect[0] = 137
    redirect[39] = 9
    expect(w.parseNd(redirect)).toMatchObject({ target: '::', destination: '::9', truncated: true })
    expect(w.parseNd(hex('8600 0000 00000000 00000000 00000000'))).toMatchObject({
      target: null,
      options: [],
    })
    expect(w.parseNd(hex('8700 0000 00000000 00000000 00000000'))).toBeNull()
    expect(w.parseNd(hex('8000 0000 00000000'))).toBeNull()
  })
})

describe('UDP', () => {
  it('CSUM-01 comes back from its bytes; with the pseudo header the sum over all is 0', () => {
    fc.assert(
      fc.property(u16, u16, payload, u32, u32, (srcPort, dstPort, data, src, dst) => {
        const out = memory()
        out.set(data, AT + 8)
        const length = 8 + data.length
        const pseudo = w.csumTcpudpNofold(src, dst, length, 17)
        expect(w.buildUdp(out, AT, { srcPort, dstPort, payloadLength: data.length, pseudo })).toBe(8)
        expect(w.parseUdp(out, AT, length + 5)).toEqual({
          srcPort,
          dstPort,
          length,
          checksum: w.getUnalignedBe16(out, AT + 6),
          payloadOffset: AT + 8,
          payloadLength: data.length,
          truncated: false,
        })
        expect(w.getUnalignedBe16(out, AT + 6)).not.toBe(0)
        expect(w.inetChecksum(out, AT, length, pseudo)).toBe(0)
      }),
    )
  })

  it('CSUM-02 sends 0xffff when its sum is 0, for 0 would mean "none"', () => {
    const out = memory()
    const fields = { srcPort: 1, dstPort: 2, payloadLength: 0 }
    w.buildUdp(out, AT, { ...fields, pseudo: 0 })
    const complement = w.getUnalignedBe16(out, AT + 6)
    w.buildUdp(out, AT, { ...fields, pseudo: complement })
    expect(w.getUnalignedBe16(out, AT + 6)).toBe(0xffff)
    expect(w.inetChecksum(out, AT, 8, complement)).toBe(0)
  })

  it('has no checksum when none is asked for', () => {
    const out = memory()
    w.buildUdp(out, 0, { srcPort: 1, dstPort: 2, payloadLength: 0 })
    expect(w.parseUdp(out, 0, 8)).toMatchObject({ checksum: 0, payloadLength: 0 })
  })

  it('is refused or marked when its length makes no sense', () => {
    expect(w.parseUdp(hex('0001 0002 0007 0000'))).toBeNull()
    expect(w.parseUdp(hex('0001 0002 0008 00'))).toBeNull()
    expect(w.parseUdp(hex('0001 0002 0010 0000 01'))).toMatchObject({ payloadLength: 1, truncated: true })
  })
})

describe('TCP', () => {
  it('CSUM-01 comes back from its bytes; with the pseudo header the sum over all is 0', () => {
    const fields = fc.record({
      srcPort: u16,
      dstPort: u16,
      seq: u32,
      ack: u32,
      flags: u8,
      window: u16,
      urgent: u16,
      options: fc.uint8Array({ maxLength: 40 }),
    })
    fc.assert(
      fc.property(fields, payload, u32, u32, (one, data, src, dst) => {
        const out = memory()
        const room = (one.options.length + 3) & ~3
        const length = 20 + room + data.length
        out.set(data, AT + 20 + room)
        const pseudo = w.csumTcpudpNofold(src, dst, length, 6)
        expect(w.buildTcp(out, AT, { ...one, payloadLength: data.length, pseudo })).toBe(20 + room)
        const { options: _, ...rest } = one
        expect(w.parseTcp(out, AT, length)).toEqual({
          ...rest,
          headerLength: 20 + room,
          checksum: w.getUnalignedBe16(out, AT + 16),
          optionsOffset: AT + 20,
          optionsLength: room,
          payloadOffset: AT + 20 + room,
          payloadLength: data.length,
        })
        expect(w.inetChecksum(out, AT, length, pseudo)).toBe(0)
      }),
    )
  })

  it('is refused when its header length makes no sense', () => {
    const segment = new Uint8Array(24)
    segment[12] = 0x50
    expect(w.parseTcp(segment)).toMatchObject({ payloadLength: 4 })
    segment[12] = 0x40
    expect(w.parseTcp(segment)).toBeNull()
    segment[12] = 0x70
    expect(w.parseTcp(segment)).toBeNull()
    expect(w.parseTcp(segment.subarray(0, 19))).toBeNull()
  })

  it('has options that come back', () => {
    const options = fc.record(
      {
        mss: u16,
        windowScale: fc.nat(14),
        sackPermitted: fc.constant(true),
        timestamp: fc.record({ value: u32, echo: u32 }),
        sack: fc.array(fc.tuple(u32, u32), { minLength: 1, maxLength: 1 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(options, (one) => {
        const bytes = w.buildTcpOptions(one)
        expect(bytes.length % 4).toBe(0)
        const { kinds, truncated, ...parsed } = w.parseTcpOptions(bytes, 0, bytes.length)
        expect(parsed).toEqual(one)
        expect(truncated).toBe(false)
        expect(kinds.length).toBe(Object.keys(one).length)
      }),
    )
  })

  it('has the options of a Linux SYN, byte for byte', () => {
    // From the oracle's capture: mss 1460, sackOK, TS val 4235554168 ecr 0, nop, wscale 7.
    const options = {
      mss: 1460,
      sackPermitted: true,
      timestamp: { value: 4235554168, echo: 0 },
      windowScale: 7,
    }
    expect(w.buildTcpOptions(options)).toEqual(hex('0204 05b4 0402 080a fc75 6d78 0000 0000 0103 0307'))
  })

  it('marks options that stop in the middle, and passes those of a wrong length', () => {
    expect(w.parseTcpOptions(hex('0204 05b4 080a 00'), 0, 7)).toEqual({
      mss: 1460,
      kinds: [2],
      truncated: true,
    })
    expect(w.parseTcpOptions(hex('0203 05 0303 09 00'), 0, 7)).toMatchObject({
      windowScale: 9,
      kinds: [2, 3],
    })
    expect(w.parseTcpOptions(hex('0200'), 0, 2)).toEqual({ kinds: [], truncated: true })
    expect(w.parseTcpOptions(hex('0201 0303 07'), 0, 5)).toEqual({ kinds: [], truncated: true })
  })

  it('has at most 40 bytes of options', () => {
    const sack = new Array<readonly [number, number]>(5).fill([1, 2])
    expect(() => w.buildTcpOptions({ sack })).toThrow('the length of TCP options')
  })

  it('shows its flags as tcpdump does', () => {
    expect([0, 2, 0x12, 0x18, 0x11, 4, 0xff].map(w.tcpFlagLetters)).toEqual([
      'none',
      'S',
      'S.',
      'P.',
      'F.',
      'R',
      'FSRP.UEW',
    ])
  })
})

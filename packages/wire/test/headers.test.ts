import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { hex } from './corpus.ts'

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 })
const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const payload = fc.uint8Array({ maxLength: 100 })
/** Headers are built in the middle of memory that is not zero: every byte must be written. */
const memory = (): Uint8Array => new Uint8Array(256).fill(0xee)
const AT = 7

describe('Ethernet', () => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(mac, mac, fc.integer({ min: 0x600, max: 0xffff }), (dst, src, proto) => {
        const out = memory()
        expect(w.buildEth(out, AT, { dst, src, proto })).toBe(14)
        expect(w.parseEth(out, AT, 60)).toEqual({
          dst: w.formatMac(dst),
          src: w.formatMac(src),
          proto,
          payloadOffset: AT + 14,
          payloadLength: 46,
          truncated: false,
        })
      }),
    )
  })

  it('cuts the padding off an 802.3 frame by its length field', () => {
    const frame = w.padFrame(hex('0180c2000000 020000000001 0003 4242 03'))
    expect(frame.length).toBe(60)
    expect(w.parseEth(frame)).toMatchObject({ proto: 3, payloadLength: 3, truncated: false })
    expect(w.parseEth(frame.subarray(0, 16))).toMatchObject({ payloadLength: 2, truncated: true })
    expect([w.ethProtoIs8023(0x5ff), w.ethProtoIs8023(0x600)]).toEqual([false, true])
  })

  it('needs 14 bytes', () => {
    expect(w.parseEth(new Uint8Array(13))).toBeNull()
    expect(w.parseEth(new Uint8Array(14))).not.toBeNull()
  })

  it('TXQ-17 pads with zeros to 60 bytes and no further', () => {
    const short = new Uint8Array(42).fill(1)
    expect(w.padFrame(short)).toEqual(Uint8Array.of(...short, ...new Array(18).fill(0)))
    const long = new Uint8Array(61)
    expect(w.padFrame(long)).toBe(long)
  })

  it('is not built over the end of a buffer', () => {
    expect(() => w.buildEth(new Uint8Array(20), 7, { dst: w.MAC_ZERO, src: w.MAC_ZERO, proto: 1 })).toThrow(
      'an Ethernet header needs 14 bytes at offset 7, but the buffer has 20 bytes',
    )
  })
})

describe('VLAN tags', () => {
  it('come back from their bytes', () => {
    fc.assert(
      fc.property(fc.nat(4095), fc.nat(7), fc.boolean(), u16, (vid, pcp, dei, proto) => {
        const out = memory()
        expect(w.buildVlan(out, AT, { vid, pcp, dei, proto })).toBe(4)
        expect(w.parseVlan(out, AT, 10)).toEqual({
          vid,
          pcp,
          dei,
          proto,
          payloadOffset: AT + 4,
          payloadLength: 6,
        })
      }),
    )
  })

  it('are put in and taken out of a frame', () => {
    const frame = w.helloFrame(5)
    const tagged = w.vlanInsertTag(frame, { vid: 100, pcp: 3 })
    expect(tagged.length).toBe(64)
    expect(w.vlanGetProtocol(tagged)).toBe(0x88b5)
    expect(w.getUnalignedBe16(tagged, 12)).toBe(w.ETH_P_8021Q)
    const twice = w.vlanInsertTag(tagged, { vid: 7 }, w.ETH_P_8021AD)
    expect(w.dissect(twice).vlans.map((tag) => tag.vid)).toEqual([7, 100])
    expect(w.vlanRemoveTag(twice)).toEqual(tagged)
    expect(w.vlanRemoveTag(tagged)).toEqual(frame)
    expect(w.vlanRemoveTag(frame)).toBeNull()
  })

  it('have a number below 4096', () => {
    expect(() => w.vlanInsertTag(w.helloFrame(), { vid: 4096 })).toThrow(
      'a VLAN number must be a whole number',
    )
    expect(() => w.vlanInsertTag(new Uint8Array(13), { vid: 1 })).toThrow(RangeError)
  })
})

describe('LLC and LLDP', () => {
  it('reads an unnumbered header, a numbered one and SNAP', () => {
    const out = memory()
    expect(w.buildLlc(out, AT, { dsap: 0x42, ssap: 0x42 })).toBe(3)
    expect(w.parseLlc(out, AT, 38)).toEqual({
      dsap: 0x42,
      ssap: 0x42,
      control: 3,
      unnumbered: true,
      snap: null,
      payloadOffset: AT + 3,
      payloadLength: 35,
    })
    expect(w.parseLlc(hex('0404 0246 aa'))).toMatchObject({
      control: 0x4602,
      unnumbered: false,
      payloadLength: 1,
    })
    expect(w.parseLlc(hex('aaaa03 00000c 2000 01'))).toMatchObject({
      snap: { oui: 0x00000c, pid: 0x2000 },
      payloadLength: 1,
    })
    for (const short of ['4242', '040402', 'aaaa03 00000c 20']) expect(w.parseLlc(hex(short))).toBeNull()
  })

  it('splits a discovery message', () => {
    const message = hex('0206 04 0200000000 0a03 737731 0602 0078 0000')
    expect(w.parseLldp(message)).toEqual({
      tlvs: [
        { type: 1, offset: 2, length: 6 },
        { type: 5, offset: 10, length: 3 },
        { type: 3, offset: 15, length: 2 },
      ],
      truncated: false,
    })
    expect(w.parseLldp(message.subarray(0, 16))).toMatchObject({ truncated: true, tlvs: [{}, {}] })
    expect(w.parseLldp(hex('0000'))).toBeNull()
  })
})

describe('ARP', () => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(u16, mac, u32, mac, u32, (operation, senderMac, senderIp, targetMac, targetIp) => {
        const out = memory()
        expect(w.buildArp(out, AT, { operation, senderMac, senderIp, targetMac, targetIp })).toBe(28)
        expect(w.parseArp(out, AT, 46)).toEqual({
          operation,
          senderMac: w.formatMac(senderMac),
          senderIp: w.formatIpv4Address(senderIp),
          targetMac: w.formatMac(targetMac),
          targetIp: w.formatIpv4Address(targetIp),
        })
      }),
    )
  })

  it('of other hardware or protocols is not read', () => {
    const good = hex('0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002')
    expect(w.parseArp(good)).toMatchObject({ operation: w.ARPOP_REQUEST, targetIp: '10.0.0.2' })
    for (const [at, value] of [
      [1, 2],
      [2, 9],
      [4, 8],
      [5, 16],
    ] as const) {
      const other = good.slice()
      other[at] = value
      expect(w.parseArp(other)).toBeNull()
    }
    expect(w.parseArp(good.subarray(0, 27))).toBeNull()
  })
})

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
    redirect[15] = 1
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
    expect(w.buildTcpOptions(options)).toEqual(hex('0204 05b4 0402 080a fc75 2d78 0000 0000 0103 0307'))
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

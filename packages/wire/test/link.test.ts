import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { hex } from './corpus.ts'

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 })
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
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
    // A length has nine bits, and a description may need the ninth.
    const long = Uint8Array.of(...hex('0d2c'), ...new Array<number>(300).fill(0x61), 0, 0)
    expect(w.parseLldp(long)).toEqual({ tlvs: [{ type: 6, offset: 2, length: 300 }], truncated: false })
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

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { hex, join, office, type Recorded, records } from '../corpus.ts'

const frames: fc.Arbitrary<Recorded[]> = fc.array(
  fc
    .record({
      bytes: fc.uint8Array({ maxLength: 100 }),
      more: fc.nat(1000),
      tsSec: fc.nat(0xffffffff),
      tsNsec: fc.nat(999_999_999),
      interfaceId: fc.nat(1),
    })
    .map(({ more, ...one }) => ({ ...one, wireLength: one.bytes.length + more })),
  { maxLength: 10 },
)

describe.each([true, false])('written captures, little-endian %s', (littleEndian) => {
  it('come back as pcap, to the microsecond or the nanosecond', () => {
    fc.assert(
      fc.property(frames, fc.boolean(), (all, nanoseconds) => {
        const writer = new w.PcapWriter({ littleEndian, nanoseconds })
        const put = (one: Recorded): Uint8Array =>
          writer.frame(
            Uint8Array.of(9, ...one.bytes, 9),
            1,
            one.bytes.length,
            one.tsSec,
            one.tsNsec,
            one.wireLength,
          )
        expect(records(join([writer.header(), ...all.map(put)]))).toEqual(
          all.map((one) => ({
            ...one,
            interfaceId: 0,
            tsNsec: nanoseconds ? one.tsNsec : Math.floor(one.tsNsec / 1000) * 1000,
          })),
        )
      }),
    )
  })

  it('come back as pcapng, to the nanosecond, with their interfaces', () => {
    fc.assert(
      fc.property(frames, (all) => {
        const writer = new w.PcapngWriter({
          littleEndian,
          interfaces: [{ name: 'vnet0' }, { name: 'ä', linkType: 101 }],
        })
        const put = (one: Recorded): Uint8Array =>
          writer.frame(one.bytes, 0, one.bytes.length, one.tsSec, one.tsNsec, one.interfaceId, one.wireLength)
        const capture = join([writer.header(), ...all.map(put)])
        expect(records(capture)).toEqual(all)
        const reader = w.readCapture(capture)
        while (reader.next() !== null);
        expect(reader.interfaces.map((one) => [one.name, one.linkType])).toEqual([
          ['vnet0', 1],
          ['ä', 101],
        ])
      }),
    )
  })

  it('are cut to the snapshot length', () => {
    const data = new Uint8Array(50).fill(3)
    const pcap = new w.PcapWriter({ littleEndian, snapLength: 20 })
    const ng = new w.PcapngWriter({ littleEndian, interfaces: [{ snapLength: 20 }] })
    for (const writer of [pcap, ng]) {
      const [one] = records(join([writer.header(), writer.frame(data, 0, 50, 1, 2000)]))
      expect([one!.bytes.length, one!.wireLength]).toEqual([20, 50])
    }
  })
})

describe('PcapWriter', () => {
  it('writes office.pcap again, byte for byte', () => {
    const writer = new w.PcapWriter()
    const chunks = [writer.header()]
    for (const f of w.readCapture(office())) {
      chunks.push(writer.frame(f.data, f.offset, f.length, f.tsSec, f.tsNsec, f.wireLength))
    }
    expect(Buffer.compare(join(chunks), office())).toBe(0)
  })

  it('writes the known header', () => {
    expect(new w.PcapWriter().header()).toEqual(hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000'))
    expect(
      new w.PcapWriter({ nanoseconds: true, littleEndian: false, linkType: 101, snapLength: 96 }).header(),
    ).toEqual(hex('a1b23c4d 0002 0004 00000000 00000000 00000060 00000065'))
  })
})

describe('PcapngWriter', () => {
  it('writes known blocks', () => {
    const writer = new w.PcapngWriter({ interfaces: [{ name: 'v0' }] })
    expect(writer.header()).toEqual(
      hex(
        '0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000' +
          '01000000 28000000 0100 0000 00000400 0200 0200 76300000 0900 0100 09000000 00000000 28000000',
      ),
    )
    // 1 s and 2 ns after 1970: 0x3b9aca02.
    expect(writer.frame(hex('010203'), 0, 3, 1, 2)).toEqual(
      hex('06000000 24000000 00000000 00000000 02ca9a3b 03000000 03000000 01020300 24000000'),
    )
  })

  it('adds interfaces on the way', () => {
    const writer = new w.PcapngWriter()
    const first = [writer.header(), writer.frame(hex('01'), 0, 1, 0, 0)]
    const { id, chunk } = writer.addInterface({ name: 'later' })
    expect(id).toBe(1)
    const all = records(join([...first, chunk, writer.frame(hex('02'), 0, 1, 0, 0, id)]))
    expect(all.map((one) => one.interfaceId)).toEqual([0, 1])
    expect(() => writer.frame(hex('03'), 0, 1, 0, 0, 2)).toThrow('interface 2 was not described: there are 2')
  })
})

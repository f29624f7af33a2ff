import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { anyFrame, corpus, office, records } from './corpus.ts'

const macs = { srcMac: '02:00:00:00:00:01', dstMac: '02:00:00:00:00:02' }
const v4 = { ...macs, src: '10.0.0.1', dst: '10.0.0.2' }
const v6 = { ...macs, src: 'fe80::1', dst: 'fe80::2' }
const ports = { srcPort: 1000, dstPort: 2000 }

const name = (frame: Uint8Array): string => {
  const one = w.classify(frame, 0, frame.length)
  const vlan = (one & w.FrameClass.VLAN) === 0 ? '' : ' vlan'
  return `${w.FRAME_L3_NAMES[w.frameL3(one) as 0]} ${w.FRAME_L4_NAMES[w.frameL4(one)]}${vlan}`
}

describe('classify', () => {
  it.each([
    ['arp none', w.arpRequest({ senderMac: macs.srcMac, senderIp: '10.0.0.1', targetIp: '10.0.0.2' })],
    ['other none', w.helloFrame()],
    ['ipv4 icmp', w.icmpEchoRequest({ ...v4, id: 1, seq: 1 })],
    ['ipv4 udp', w.udpFrame({ ...v4, ...ports })],
    ['ipv4 tcp', w.tcpFrame({ ...v4, ...ports, seq: 0, flags: w.TcpFlag.SYN })],
    ['ipv6 icmpv6', w.icmpEchoRequest({ ...v6, id: 1, seq: 1 })],
    ['ipv6 udp', w.udpFrame({ ...v6, ...ports })],
    ['ipv6 tcp', w.tcpFrame({ ...v6, ...ports, seq: 0, flags: w.TcpFlag.SYN })],
    ['ipv4 udp vlan', w.vlanInsertTag(w.udpFrame({ ...v4, ...ports }), { vid: 5 })],
    [
      'ipv6 tcp vlan',
      w.vlanInsertTag(
        w.vlanInsertTag(w.tcpFrame({ ...v6, ...ports, seq: 0, flags: 0 }), { vid: 5 }),
        { vid: 6 },
        w.ETH_P_8021AD,
      ),
    ],
    ['other none', new Uint8Array(13)],
    ['ipv4 none', w.udpFrame({ ...v4, ...ports }).subarray(0, 33)],
    ['ipv6 none', w.udpFrame({ ...v6, ...ports }).subarray(0, 53)],
  ])('says %s', (expected, frame) => expect(name(frame)).toBe(expected))

  it('says fragment for all pieces but the first', () => {
    const first = w.udpFrame({ ...v4, ...ports })
    first[20] = 0x20
    expect(name(first)).toBe('ipv4 udp')
    const later = first.slice()
    later[21] = 185
    expect(name(later)).toBe('ipv4 fragment')
    // Every bit of the offset counts, and neither of the two flags above it.
    for (let bit = 0; bit < 13; bit++) {
      const one = first.slice()
      w.putUnalignedBe16(0xe000 | (1 << bit), one, 20)
      expect(name(one), `bit ${bit}`).toBe('ipv4 fragment')
    }
    w.putUnalignedBe16(0xe000, first, 20)
    expect(name(first)).toBe('ipv4 udp')
  })

  it('passes IPv6 extension headers', () => {
    const around = (extension: readonly number[], type: number): Uint8Array => {
      const frame = w.udpFrame({ ...v6, ...ports })
      const longer = Uint8Array.of(...frame.subarray(0, 54), ...extension, ...frame.subarray(54))
      longer[54] = longer[20]!
      longer[20] = type
      return longer
    }
    expect(name(around([0, 0, 5, 2, 0, 0, 1, 0], 0))).toBe('ipv6 udp')
    expect(name(around([0, 1, 1, 12, ...new Array(12).fill(0)], 60))).toBe('ipv6 udp')
    expect(name(around([0, 2, ...new Array(14).fill(0)], 51))).toBe('ipv6 udp')
    expect(name(around([0, 0, 0, 1, 0, 0, 0, 9], 44))).toBe('ipv6 udp')
    expect(name(around([0, 0, 0, 8, 0, 0, 0, 9], 44))).toBe('ipv6 fragment')
  })

  it('ends on a frame made of tags or of extension headers', () => {
    const tags = new Uint8Array(9000)
    for (let i = 12; i < tags.length; i += 4) tags.set([0x81, 0x00], i)
    expect(name(tags)).toBe('other none vlan')
    const headers = new Uint8Array(9000)
    headers.set([0x86, 0xdd, 0x60], 12)
    expect(name(headers)).toBe('ipv6 other')
  })

  it('counts office.pcap as its README does', () => {
    const counts = [0, 0, 0, 0]
    let vlans = 0
    for (const { bytes } of records(office())) {
      const one = w.classify(bytes, 0, bytes.length)
      if ((one & w.FrameClass.VLAN) !== 0) vlans++
      else counts[w.frameL3(one)]!++
    }
    // 0x0806, 0x0800, 0x86dd; other: 0x88b5, 8 times 0x88b6, 0x88cc and the 802.3 frame; one tag.
    expect(counts).toEqual([11, 4, 1855, 19])
    expect(vlans).toBe(1)
  })

  it('agrees with dissect, and is always an index below FRAME_CLASSES', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const one = w.classify(frame, 0, frame.length)
        expect(one).toBeGreaterThanOrEqual(0)
        expect(one).toBeLessThan(w.FRAME_CLASSES)
        const info = w.dissect(frame)
        expect(info.classification).toBe(w.FRAME_L3_NAMES[w.frameL3(one) as 0])
        if (info.l4 !== null) expect(info.l4).toBe(w.FRAME_L4_NAMES[w.frameL4(one)])
      }),
      { numRuns: 2000 },
    )
  })

  it('reads each protocol of the corpus like dissect does from the headers', () => {
    const numbers: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }
    for (const frame of corpus) {
      const info = w.dissect(frame)
      if (info.l4 === null || info.fragment) continue
      if (info.l4 in numbers) expect(info.protocol).toBe(numbers[info.l4])
    }
  })
})

import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { hex, office, records } from './corpus.ts'

describe('dissect', () => {
  it('says everything about a tagged segment in one record', () => {
    const segment = w.tcpFrame({
      srcMac: '02:00:00:00:00:01',
      dstMac: '02:00:00:00:00:02',
      src: '10.0.0.1',
      dst: '10.0.0.2',
      srcPort: 1234,
      dstPort: 80,
      seq: 1,
      flags: w.TcpFlag.PSH | w.TcpFlag.ACK,
      payload: Uint8Array.of(1, 2, 3),
    })
    expect(w.dissect(w.vlanInsertTag(segment, { vid: 10, pcp: 1 }))).toEqual({
      length: 61,
      classification: 'ipv4',
      srcMac: '02:00:00:00:00:01',
      dstMac: '02:00:00:00:00:02',
      vlans: [{ vid: 10, pcp: 1, dei: false, proto: 0x800, payloadOffset: 18, payloadLength: 43 }],
      etherType: 0x800,
      l3: 'ipv4',
      l3Offset: 18,
      src: '10.0.0.1',
      dst: '10.0.0.2',
      protocol: 6,
      l4: 'tcp',
      l4Offset: 38,
      srcPort: 1234,
      dstPort: 80,
      tcpFlags: 0x18,
      fragment: false,
      payloadOffset: 58,
      payloadLength: 3,
      truncated: false,
    })
  })

  it('says what it can about a frame that is cut short', () => {
    const frame = w.udpFrame({
      srcMac: w.MAC_ZERO,
      dstMac: w.MAC_ZERO,
      src: '::1',
      dst: '::2',
      srcPort: 5,
      dstPort: 6,
    })
    const cut = (length: number): w.FrameInfo => w.dissect(frame.subarray(0, length))
    expect(cut(13)).toMatchObject({ srcMac: null, truncated: true, classification: 'other' })
    expect(cut(53)).toMatchObject({ etherType: 0x86dd, l3: null, truncated: true, classification: 'ipv6' })
    expect(cut(58)).toMatchObject({ l3: 'ipv6', src: '::1', l4: 'udp', srcPort: null, truncated: true })
    expect(cut(62)).toMatchObject({ srcPort: 5, dstPort: 6, truncated: false })
  })

  it('does not call the first of several fragments cut short', () => {
    const macs = { srcMac: w.MAC_ZERO, dstMac: w.MAC_ZERO }
    const frame = w.udpFrame({ ...macs, src: '10.0.0.1', dst: '10.0.0.2', srcPort: 5, dstPort: 6 })
    w.putUnalignedBe16(2000, frame, 38)
    expect(w.dissect(frame)).toMatchObject({ fragment: false, truncated: true, srcPort: 5 })
    frame[20] = 0x20
    expect(w.dissect(frame)).toMatchObject({ fragment: true, truncated: false, srcPort: 5 })
  })

  it('says llc for an 802.3 frame, and leaves the padding out', () => {
    const frame = w.padFrame(hex('0180c2000000 020000000001 0003 4242 03'))
    expect(w.dissect(frame)).toMatchObject({
      etherType: null,
      l3: 'llc',
      payloadOffset: 14,
      payloadLength: 3,
    })
  })

  it('finds in office.pcap what its README tells', () => {
    const types = new Map<number | null, number>()
    let bytes = 0
    let broadcast = 0
    let multicast = 0
    const lengths: number[] = []
    for (const one of records(office())) {
      const type = w.parseEth(one.bytes)!.proto
      const key = w.ethProtoIs8023(type) ? type : null
      types.set(key, (types.get(key) ?? 0) + 1)
      bytes += one.bytes.length
      lengths.push(one.bytes.length)
      if (w.isBroadcastEtherAddr(one.bytes)) broadcast++
      else if (w.isMulticastEtherAddr(one.bytes)) multicast++
      expect(w.dissect(one.bytes).truncated).toBe(false)
    }
    expect([lengths.length, bytes, Math.min(...lengths), Math.max(...lengths)]).toEqual([
      1890, 617448, 42, 1514,
    ])
    expect([broadcast, multicast]).toEqual([14, 16])
    expect(Object.fromEntries(types)).toEqual({
      [0x0800]: 1855,
      [0x86dd]: 19,
      [0x88b6]: 8,
      [0x0806]: 4,
      [0x88b5]: 1,
      [0x8100]: 1,
      [0x88cc]: 1,
      null: 1,
    })
  })
})

describe('verifyChecksums', () => {
  it('CSUM-03 judges office.pcap as tcpdump -vv does', () => {
    const states: Record<string, number> = {}
    const bad: number[] = []
    records(office()).forEach(({ bytes }, i) => {
      const { ip, l4 } = w.verifyChecksums(bytes)
      states[`${ip} ${l4}`] = (states[`${ip} ${l4}`] ?? 0) + 1
      if (ip === 'bad' || l4 === 'bad') bad.push(i + 1)
    })
    // 12 are pieces of four packets. Frame 1880, made by hand, says 3ab1 and should say 6608.
    expect(states).toEqual({
      'none good': 19,
      'none none': 15,
      'good good': 1843,
      'good unknown': 12,
      'bad none': 1,
    })
    expect(bad).toEqual([1880])
  })
})

describe('vlanGetProtocol', () => {
  it('looks behind tags', () => {
    expect(w.vlanGetProtocol(w.helloFrame())).toBe(0x88b5)
    expect(w.vlanGetProtocol(w.vlanInsertTag(w.helloFrame(), { vid: 1 }))).toBe(0x88b5)
    expect(w.vlanGetProtocol(w.vlanInsertTag(w.helloFrame(), { vid: 1 }).subarray(0, 17))).toBeNull()
  })
})

describe('ethTypeName', () => {
  it('knows the names tcpdump prints', () => {
    expect([0x800, 0x806, 0x86dd, 0x88cc, 0x8100, 0x88b5].map(w.ethTypeName)).toEqual([
      'IPv4',
      'ARP',
      'IPv6',
      'LLDP',
      '802.1Q',
      null,
    ])
  })
})

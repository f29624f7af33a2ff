import { describe, expect, it } from 'vitest'
import {
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNNECESSARY,
  GRO_HELD,
  GRO_MERGED,
  GRO_NORMAL,
  groReceiveSkb,
  NETIF_F,
  SKB_GSO_TCP_ECN,
  SKB_GSO_TCP_FIXEDID,
  SKB_GSO_TCPV4,
  SKB_GSO_TCPV6,
  skbBytes,
  skbClone,
  skbLinearize,
} from '../src/index.ts'
import {
  buildFrame,
  expectNoneAlive,
  type FrameSpec,
  frameBytes,
  hex,
  RxRing,
  rxDev,
  slowChecksum,
} from './skb-helpers.ts'
import { body, end, feed, MSS, rig, segment, shapes } from './gro-rig.ts'

describe('TCP', () => {
  it.each([false, true])('segments that follow each other become one packet (IPv6: %s)', (v6) => {
    const results = [0, 1, 2, 3].map((n) => feed(segment(n, { v6 })))
    expect(results).toEqual([GRO_HELD, GRO_MERGED, GRO_MERGED, GRO_MERGED])
    expect([rig.gro.count, rig.got.length]).toEqual([1, 0])
    rig.gro.flush(false)
    const ip = v6 ? 40 : 20
    expect(shapes()).toEqual([[4, MSS, ip + 20 + 4 * MSS]])
    const skb = rig.got[0]!
    expect(skb.gsoType & (v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4)).not.toBe(0)
    expect([skb.ipSummed, skb.csumStart, skb.csumOffset]).toEqual([CHECKSUM_PARTIAL, skb.data + ip, 16])
    expect(skb.transportHeader - skb.networkHeader).toBe(ip)
    const bytes = skbBytes(skb)
    expect(bytes[v6 ? 4 : 2]! * 256 + bytes[v6 ? 5 : 3]!).toBe(bytes.length - (v6 ? 40 : 0))
    expect(hex(bytes.subarray(ip + 20))).toBe([0, 1, 2, 3].map((n) => hex(body(n))).join(''))
    end()
  })

  it('a short segment is the last: the packet goes up at once', () => {
    expect(feed(segment(0))).toBe(GRO_HELD)
    expect(feed(segment(1, {}, 30))).toBe(GRO_MERGED)
    expect(rig.gro.count).toBe(0)
    expect(shapes()).toEqual([[2, MSS, 40 + MSS + 30]])
    end()
  })

  it.each([
    ['PSH', 0x18],
    ['FIN', 0x11],
  ])('%s ends the packet and stays visible in it', (_name, flags) => {
    feed(segment(0))
    expect(feed(segment(1, { flags }))).toBe(GRO_MERGED)
    expect(shapes()).toEqual([[2, MSS, 40 + 2 * MSS]])
    expect(skbBytes(rig.got[0]!)[33]).toBe(flags)
    end()
  })

  const differences: [string, FrameSpec, number?][] = [
    ['a gap in the sequence', { seq: 1000 + MSS + 1 }],
    ['a segment that comes again', { seq: 1000 }],
    ['another acknowledgement', { ack: 78 }],
    ['another window', { window: 600 }],
    ['SYN', { flags: 0x12 }],
    ['RST', { flags: 0x14 }],
    ['URG', { flags: 0x30 }],
    ['ECE', { flags: 0x50 }],
    ['CWR', { flags: 0x90 }],
    ['options where there were none', { options: Uint8Array.of(1, 1, 1, 1) }],
    ['another TTL', { ttl: 63 }],
    ['another TOS', { tos: 4 }],
    ['another DF', { df: false }],
    ['a jump in the identification', { id: 60 }],
    ['more payload than the first', {}, MSS + 1],
    ['no payload', {}, 0],
  ]
  it.each(differences)('%s sends the held packet up first, unmerged', (_name, spec, len = MSS) => {
    feed(segment(0))
    expect(feed(segment(1, spec, len))).not.toBe(GRO_MERGED)
    rig.gro.flush(false)
    expect(rig.got.map((skb) => skb.gsoSize)).toEqual([0, 0])
    expect(hex(frameBytes(rig.got[0]!))).toBe(hex(segment(0)))
    expect(hex(frameBytes(rig.got[1]!))).toBe(hex(segment(1, spec, len)))
    end()
  })

  const others: [string, FrameSpec][] = [
    ['another port', { sport: 4322 }],
    ['another address', { src: 3 }],
    ['another sender on the link', { macSrc: Uint8Array.of(2, 0, 0, 0, 0, 9) }],
    ['the other protocol', { proto: 'udp' }],
    ['the other IP version', { v6: true }],
  ]
  it.each(others)('%s is another flow, held beside the first', (_name, spec) => {
    feed(segment(0))
    expect(feed(segment(1, spec))).toBe(GRO_HELD)
    expect(rig.gro.count).toBe(2)
    expect(feed(segment(1))).toBe(GRO_MERGED)
    rig.gro.flush(false)
    expect(rig.got.map((skb) => skb.gsoSegs).sort()).toEqual([0, 2])
    end()
  })

  it('the same flow on another device is another flow', () => {
    const other = new RxRing(rxDev(rig.kernel, 'rx1'))
    other.dev.features = NETIF_F.GRO
    feed(segment(0))
    expect(groReceiveSkb(rig.gro, other.receive(segment(1)))).toBe(GRO_HELD)
    rig.gro.flush(false)
    expect(rig.got.map((skb) => [skb.dev!.name, skb.gsoSegs])).toEqual([
      ['rx0', 0],
      ['rx1', 0],
    ])
    end()
    expectNoneAlive(rig.kernel, other.pool)
  })

  it('CSUM-04 the merged packet has a right IP header', () => {
    for (const n of [0, 1, 2]) feed(segment(n))
    rig.gro.flush(false)
    expect(slowChecksum(skbBytes(rig.got[0]!).subarray(0, 20))).toBe(0)
    end()
  })

  it('options that are the same are kept, options that differ are not merged', () => {
    const stamp = (n: number) => Uint8Array.of(1, 1, 8, 10, 0, 0, 0, n, 0, 0, 0, 1)
    feed(segment(0, { options: stamp(1) }))
    expect(feed(segment(1, { options: stamp(1) }))).toBe(GRO_MERGED)
    expect(feed(segment(2, { options: stamp(2) }))).toBe(GRO_HELD)
    expect(shapes()).toEqual([[2, MSS, 52 + 2 * MSS]])
    rig.gro.flush(false)
    end()
  })

  it('a CWR segment may come first; it marks the packet', () => {
    feed(segment(0, { flags: 0x90 }))
    expect(feed(segment(1))).toBe(GRO_MERGED)
    rig.gro.flush(false)
    expect(rig.got[0]!.gsoType).toBe(SKB_GSO_TCPV4 | SKB_GSO_TCP_ECN)
    end()
  })

  it('identifications may all be the same, with DF', () => {
    feed(segment(0, { id: 9 }))
    expect([feed(segment(1, { id: 9 })), feed(segment(2, { id: 9 }))]).toEqual([GRO_MERGED, GRO_MERGED])
    expect(feed(segment(3, { id: 12 }))).toBe(GRO_HELD)
    expect(rig.got[0]!.gsoType).toBe(SKB_GSO_TCPV4 | SKB_GSO_TCP_FIXEDID)
    rig.gro.flush(false)
    end()
  })

  it('sequence numbers wrap', () => {
    const start = 2 ** 32 - MSS
    feed(segment(0, { seq: start }))
    expect(feed(segment(1, { seq: 0 }))).toBe(GRO_MERGED)
    rig.gro.flush(false)
    end()
  })

  it('acknowledgements, single pushes and padded frames are not held', () => {
    expect(feed(segment(0, {}, 0))).toBe(GRO_NORMAL)
    expect(feed(segment(0, { flags: 0x18 }))).toBe(GRO_NORMAL)
    const padded = new Uint8Array(60)
    padded.set(segment(0, {}, 2))
    expect(feed(padded)).toBe(GRO_NORMAL)
    expect(rig.gro.count).toBe(0)
    end()
  })

  it('a padded frame of a held flow sends the held packet up first', () => {
    feed(segment(0))
    const padded = new Uint8Array(60)
    padded.set(segment(1, {}, 2))
    expect(feed(padded)).toBe(GRO_NORMAL)
    expect(rig.got.map((skb) => skb.len)).toEqual([40 + MSS, 46])
    end()
  })

  it('stops before 64 KiB', () => {
    const len = 1400
    for (let n = 0; n < 60; n++) feed(buildFrame({ seq: n * len, id: n, payload: body(n, len) }))
    rig.gro.flush(false)
    expect(rig.got.length).toBe(2)
    for (const skb of rig.got) expect(skb.len).toBeLessThan(65536)
    expect(rig.got[0]!.len + len).toBeGreaterThanOrEqual(65536)
    end()
  })

  it('the merged packet can be made linear, cloned and read in parts', () => {
    for (let n = 0; n < 5; n++) feed(segment(n))
    rig.gro.flush(false)
    const skb = rig.got[0]!
    const before = hex(skbBytes(skb))
    const clone = skbClone(skb)!
    expect(skbLinearize(skb)).toBe(true)
    expect([skb.dataLen, hex(skbBytes(skb)), hex(skbBytes(clone))]).toEqual([0, before, before])
    rig.got.push(clone)
    end()
  })
})

describe('checksums', () => {
  it('CSUM-03 a corrupt segment goes up as it is and is not marked good', () => {
    const bad = segment(1)
    bad[60] = bad[60]! ^ 1
    feed(segment(0))
    expect(feed(bad)).toBe(GRO_NORMAL)
    expect([rig.got[0]!.ipSummed, hex(frameBytes(rig.got[0]!))]).toEqual([CHECKSUM_NONE, hex(bad)])
    expect(feed(segment(1))).toBe(GRO_MERGED)
    rig.gro.flush(false)
    end()
  })

  it('CSUM-03 what software found good is not looked at again', () => {
    feed(segment(0))
    rig.gro.flush(false)
    expect(rig.got[0]!.ipSummed).toBe(CHECKSUM_UNNECESSARY)
    end()
  })

  it('CSUM-03 the card’s word is taken: good, or the sum over the packet', () => {
    const bad = segment(0)
    bad[60] = bad[60]! ^ 1
    expect(feed(bad, CHECKSUM_UNNECESSARY)).toBe(GRO_HELD)
    rig.gro.flush(false)
    end()
  })

  it('CSUM-04 a bad IP header checksum is left to the stack', () => {
    const bad = segment(0)
    bad[24] = bad[24]! ^ 1
    expect(feed(bad, CHECKSUM_UNNECESSARY)).toBe(GRO_NORMAL)
    end()
  })
})

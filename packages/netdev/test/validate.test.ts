import type { KernelOptions } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  CHECKSUM_PARTIAL,
  consumeSkb,
  devGetStats,
  devQueueXmit,
  ETH_P_8021Q,
  ETH_P_IP,
  NETIF_F,
  type NetDevice,
  type NetdevFeatures,
  netifNeedsGso,
  netifSkbFeatures,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolOffset,
  PktFeature,
  skbAddRxFrag,
  skbBytes,
  SKB_GSO_TCPV4,
  type SkBuff,
  skbClone,
  skbPut,
  netdevAllocSkb,
} from '../src/index.ts'
import { frame, lenient, liveSkbs, makeDev, rules, type TestOps } from './helpers.ts'

interface Sent {
  len: number
  bytes: Uint8Array
  ipSummed: number
  frags: number
  gsoSize: number
}

function device(features: NetdevFeatures, more: TestOps = {}, options: KernelOptions = {}) {
  const sent: Sent[] = []
  const made = makeDev(
    {
      ndoStartXmit(skb) {
        sent.push({
          len: skb.len,
          bytes: skbBytes(skb),
          ipSummed: skb.ipSummed,
          frags: skb.shinfo.nrFrags,
          gsoSize: skb.gsoSize,
        })
        consumeSkb(skb)
        return 0
      },
      ...more,
    },
    { setup: (dev) => void (dev.features = dev.hwFeatures = features), options },
  )
  return { ...made, sent }
}

/** Ethernet, IPv4, TCP with `payload` bytes; the TCP checksum is left to the card. */
function tcp(dev: NetDevice<any>, payload: number): SkBuff {
  const skb = netdevAllocSkb(dev, 54 + payload)!
  skbPut(skb, 54 + payload)
  const { mem, data } = skb
  mem.fill(0, data, skb.tail)
  mem.set([0x08, 0x00, 0x45, 0, (40 + payload) >> 8, (40 + payload) & 255], data + 12)
  mem.set([64, 6], data + 22)
  mem.set([10, 0, 0, 1, 10, 0, 0, 2], data + 26)
  mem.set([0, 80, 0, 81], data + 34)
  mem[data + 46] = 0x50
  mem[data + 47] = 0x10
  for (let i = 0; i < payload; i++) mem[data + 54 + i] = i
  // What the stack leaves in the field: the pseudo header's sum.
  const pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 6 + 20 + payload
  mem[data + 50] = pseudo >> 8
  mem[data + 51] = pseudo & 255
  skb.dev = dev
  skb.protocol = ETH_P_IP
  skb.networkHeader = data + 14
  skb.transportHeader = data + 34
  skb.ipSummed = CHECKSUM_PARTIAL
  skb.csumStart = data + 34
  skb.csumOffset = 16
  return skb
}

/** Sums the TCP part with its pseudo header; 0xffff when the checksum is right. */
function tcpSum(bytes: Uint8Array): number {
  const length = bytes.length - 34
  let sum = 6 + length
  for (let i = 26; i < 34; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  for (let i = 34; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return sum
}

describe('what a packet asks of a device', () => {
  it('CSUM-02 FEAT-06 the checksum is right on the wire when the card does not make it', () => {
    const { dev, sent, kernel } = device(0n)
    devQueueXmit(tcp(dev, 33))
    expect(sent[0]!.ipSummed).not.toBe(CHECKSUM_PARTIAL)
    expect(tcpSum(sent[0]!.bytes)).toBe(0xffff)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it.each([
    ['any', NETIF_F.HW_CSUM],
    ['IPv4', NETIF_F.IP_CSUM],
  ])('CSUM-02 the checksum is left to a card that makes it for %s', (_what, feature) => {
    const { dev, sent } = device(feature)
    devQueueXmit(tcp(dev, 33))
    expect(sent[0]!.ipSummed).toBe(CHECKSUM_PARTIAL)
  })

  it('CSUM-02 a card that sums IPv6 alone gets IPv4 summed', () => {
    const { dev, sent } = device(NETIF_F.IPV6_CSUM)
    devQueueXmit(tcp(dev, 10))
    expect(tcpSum(sent[0]!.bytes)).toBe(0xffff)
  })

  it('CSUM-02 a checksum that points outside the packet is reported and loses it, counted', () => {
    const { dev, sent, kernel } = device(0n, {}, lenient)
    const skb = tcp(dev, 10)
    skb.csumStart = skb.tail + 5
    devQueueXmit(skb)
    expect(sent).toEqual([])
    expect(devGetStats(dev).txDropped).toBe(1n)
    expect(rules(kernel)).toEqual(['CSUM-01'])
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('FEAT-06 TCP is cut in software for a card without TSO, each segment right on the wire', () => {
    const { dev, sent, kernel } = device(0n)
    const skb = tcp(dev, 1000)
    Object.assign(skb, { gsoSize: 300, gsoSegs: 4, gsoType: SKB_GSO_TCPV4 })
    devQueueXmit(skb)
    expect(sent.map(({ len }) => len - 54)).toEqual([300, 300, 300, 100])
    expect(sent.every(({ bytes }) => tcpSum(bytes) === 0xffff)).toBe(true)
    expect(sent.flatMap(({ bytes }) => [...bytes.subarray(54)])).toEqual(
      Array.from({ length: 1000 }, (_, i) => i & 255),
    )
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('FEAT-06 a card with TSO gets the packet whole', () => {
    const { dev, sent } = device(NETIF_F.SG | NETIF_F.HW_CSUM | NETIF_F.TSO)
    const skb = tcp(dev, 1000)
    Object.assign(skb, { gsoSize: 300, gsoSegs: 4, gsoType: SKB_GSO_TCPV4 })
    devQueueXmit(skb)
    expect(sent.map(({ len, gsoSize }) => [len, gsoSize])).toEqual([[1054, 300]])
  })

  it('FEAT-07 ndoFeaturesCheck withdraws features for one packet, and it is done in software', () => {
    const { dev, sent } = device(NETIF_F.SG | NETIF_F.HW_CSUM | NETIF_F.TSO, {
      ndoFeaturesCheck: (skb, _dev, features) =>
        skb.mark === 1 ? features & ~(PktFeature.GSO_MASK | PktFeature.CSUM_MASK) : features,
    })
    for (const mark of [0, 1]) {
      const skb = tcp(dev, 500)
      Object.assign(skb, { gsoSize: 300, gsoSegs: 2, gsoType: SKB_GSO_TCPV4, mark })
      devQueueXmit(skb)
    }
    expect(sent.map(({ gsoSize, len }) => [gsoSize, len])).toEqual([
      [300, 554],
      [0, 354],
      [0, 254],
    ])
  })

  it('a packet that cannot be cut is dropped, with its count', () => {
    const { dev, sent, kernel } = device(0n)
    const skb = frame(dev, 100)
    Object.assign(skb, { gsoSize: 20, gsoSegs: 5, gsoType: SKB_GSO_TCPV4, ipSummed: CHECKSUM_PARTIAL })
    devQueueXmit(skb)
    expect(sent).toEqual([])
    expect(devGetStats(dev).txDropped).toBe(1n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it("limits on size and number of segments keep a packet from the card's TSO", () => {
    const { dev } = device(NETIF_F.SG | NETIF_F.HW_CSUM | NETIF_F.TSO)
    const skb = tcp(dev, 1000)
    Object.assign(skb, { gsoSize: 100, gsoSegs: 10, gsoType: SKB_GSO_TCPV4 })
    expect(netifNeedsGso(skb, netifSkbFeatures(skb, dev))).toBe(false)
    dev.gsoMaxSegs = 9
    expect(netifNeedsGso(skb, netifSkbFeatures(skb, dev))).toBe(true)
    dev.gsoMaxSegs = 10
    dev.gsoMaxSize = 900
    expect(netifNeedsGso(skb, netifSkbFeatures(skb, dev))).toBe(true)
    consumeSkb(skb)
  })

  it('FEAT-06 fragments are gathered for a card without scatter-gather, and left for one with', () => {
    for (const [features, frags] of [
      [0n, 0],
      [NETIF_F.SG, 1],
    ] as const) {
      const { dev, sent, kernel } = device(features)
      const skb = frame(dev, 60)
      const pool = pagePoolCreate(kernel, { name: 'frags', count: 2 })
      const page = pagePoolAlloc(pool)
      skb.mem.fill(7, pagePoolOffset(pool, page), pagePoolOffset(pool, page) + 40)
      skbAddRxFrag(skb, pool, page, 0, 40)
      expect(skb.len).toBe(100)
      devQueueXmit(skb)
      expect([sent[0]!.frags, sent[0]!.len, sent[0]!.bytes[99]]).toEqual([frags, 100, 7])
      expect(liveSkbs(kernel)).toBe(0)
    }
  })

  it("FEAT-06 a VLAN tag is written into the packet for a card that does not, without touching a clone's bytes", () => {
    const { dev, sent, kernel } = device(0n)
    const skb = frame(dev, 60)
    for (let i = 0; i < 60; i++) skb.mem[skb.data + i] = i
    const keep = skbClone(skb)!
    Object.assign(skb, { vlanPresent: true, vlanProto: ETH_P_8021Q, vlanTci: 0x6123 })
    devQueueXmit(skb)
    expect([...sent[0]!.bytes.subarray(0, 20)]).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x81, 0, 0x61, 0x23, 12, 13, 14, 15,
    ])
    expect([...skbBytes(keep)]).toEqual(Array.from({ length: 60 }, (_, i) => i))
    consumeSkb(keep)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('FEAT-06 a VLAN tag is left beside the packet for a card that inserts it', () => {
    const { dev, sent } = device(NETIF_F.HW_VLAN_CTAG_TX)
    const skb = frame(dev, 60)
    Object.assign(skb, { vlanPresent: true, vlanProto: ETH_P_8021Q, vlanTci: 5 })
    devQueueXmit(skb)
    expect(sent[0]!.len).toBe(60)
  })
})

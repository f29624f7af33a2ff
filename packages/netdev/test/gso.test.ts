import { createKernel, type Kernel } from '@vnet/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  allocSkb,
  CHECKSUM_PARTIAL,
  consumeSkb,
  csumPseudo,
  kfreeSkb,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolOffset,
  PktFeature,
  SKB_GSO_TCP_ECN,
  SKB_GSO_TCP_FIXEDID,
  SKB_GSO_TCPV4,
  SKB_GSO_TCPV6,
  SKB_GSO_UDP_L4,
  type SkBuff,
  skbAddRxFrag,
  skbBytes,
  skbCacheOf,
  skbChecksumHelp,
  skbCloned,
  skbGsoSegment,
  skbHeadroom,
  skbReserve,
  skbSetBytes,
  skbUnclone,
} from '../src/index.ts'
import { buildFrame, expectNoneAlive, type FrameSpec, hex, put16 } from './skb-helpers.ts'

let kernel: Kernel

beforeEach(() => {
  kernel = createKernel()
})

const body = (from: number, len: number): Uint8Array =>
  Uint8Array.from({ length: len }, (_, i) => (from + i) * 3)

/** A packet as a stack hands it down: too long for the wire, asking for segments and sums. */
function large(spec: FrameSpec, len: number, mss: number, type: number): SkBuff {
  const frame = buildFrame({ ...spec, payload: body(0, len) })
  const skb = allocSkb(kernel, frame.length + 32)!
  skbReserve(skb, 32)
  skbSetBytes(skb, frame)
  ask(skb, spec, mss, type)
  return skb
}

function ask(skb: SkBuff, spec: FrameSpec, mss: number, type: number): void {
  const v6 = spec.v6 === true
  const udp = spec.proto === 'udp'
  skb.protocol = v6 ? 0x86dd : 0x0800
  skb.networkHeader = skb.data + 14
  skb.transportHeader = skb.networkHeader + (v6 ? 40 : 20)
  skb.gsoSize = mss
  skb.gsoType = type
  skb.ipSummed = CHECKSUM_PARTIAL
  skb.csumStart = skb.transportHeader
  skb.csumOffset = udp ? 6 : 16
  const l4 = skb.data + skb.len - skb.transportHeader
  const sum = csumPseudo(skb.mem, skb.networkHeader + (v6 ? 8 : 12), v6 ? 16 : 4, udp ? 17 : 6, l4)
  put16(skb.mem, skb.csumStart + skb.csumOffset, sum)
}

function segments(skb: SkBuff, features: number): SkBuff[] {
  const list: SkBuff[] = []
  for (let seg = skbGsoSegment(skb, features); seg !== null;) {
    const next: SkBuff | null = seg.next
    seg.next = null
    list.push(seg)
    seg = next
  }
  return list
}

describe('skbGsoSegment', () => {
  it('CSUM-02 CSUM-04 cuts TCP over IPv4: lengths, numbers, flags and sums are right', () => {
    const spec: FrameSpec = { seq: 0xffffffff, id: 65535, flags: 0x99, options: Uint8Array.of(1, 1, 1, 1) }
    const skb = large(spec, 250, 100, SKB_GSO_TCPV4 | SKB_GSO_TCP_ECN)
    const got = segments(skb, 0)
    const want = [
      buildFrame({ ...spec, payload: body(0, 100), flags: 0x90 }),
      buildFrame({ ...spec, payload: body(100, 100), flags: 0x10, seq: 99, id: 0 }),
      buildFrame({ ...spec, payload: body(200, 50), flags: 0x19, seq: 199, id: 1 }),
    ]
    expect(got.map((seg) => hex(skbBytes(seg)))).toEqual(want.map(hex))
    expect(got.map((seg) => [seg.gsoSize, seg.ipSummed, seg.protocol])).toEqual(
      want.map(() => [0, 0, 0x0800]),
    )
    for (const seg of got) {
      expect(skbHeadroom(seg)).toBeGreaterThanOrEqual(32)
      expect([seg.networkHeader - seg.data, seg.transportHeader - seg.data]).toEqual([14, 34])
      consumeSkb(seg)
    }
    consumeSkb(skb)
    expectNoneAlive(kernel)
  })

  it('keeps the identification when all shall carry the same', () => {
    const skb = large({ id: 5 }, 200, 100, SKB_GSO_TCPV4 | SKB_GSO_TCP_FIXEDID)
    const got = segments(skb, 0)
    expect(got.map((seg) => skbBytes(seg)[19])).toEqual([5, 5])
    for (const seg of [...got, skb]) consumeSkb(seg)
  })

  it.each([
    ['TCP over IPv6', { v6: true, proto: 'tcp' }, SKB_GSO_TCPV6],
    ['UDP over IPv4', { proto: 'udp' }, SKB_GSO_UDP_L4],
    ['UDP over IPv6', { v6: true, proto: 'udp' }, SKB_GSO_UDP_L4],
  ] as const)('CSUM-02 cuts %s, with the payload copied or shared', (_name, spec, type) => {
    for (const features of [0, PktFeature.SG, PktFeature.HW_CSUM, PktFeature.SG | PktFeature.HW_CSUM]) {
      const skb = large(spec, 333, 100, type)
      const got = segments(skb, features)
      const want = [0, 1, 2, 3].map((i) =>
        buildFrame({ ...spec, payload: body(i * 100, i === 3 ? 33 : 100), seq: 1000 + i * 100, id: i }),
      )
      for (const seg of got) {
        expect(seg.ipSummed).toBe(features & PktFeature.HW_CSUM ? CHECKSUM_PARTIAL : 0)
        expect(seg.dataLen > 0).toBe((features & PktFeature.SG) !== 0)
        if (seg.ipSummed === CHECKSUM_PARTIAL) expect(skbChecksumHelp(seg)).toBe(0)
      }
      expect(got.map((seg) => hex(skbBytes(seg)))).toEqual(want.map(hex))
      consumeSkb(skb)
      expect(got.map((seg) => hex(skbBytes(seg)))).toEqual(want.map(hex))
      for (const seg of got) consumeSkb(seg)
      expectNoneAlive(kernel)
    }
  })

  it('CSUM-01 a UDP sum of zero is written as all ones, a TCP sum as it is', () => {
    for (const proto of ['tcp', 'udp'] as const) {
      // The last two bytes are chosen so that the sum comes out as zero.
      const first = buildFrame({ proto, payload: new Uint8Array(100) })
      const at = proto === 'tcp' ? 50 : 40
      const skb = large({ proto }, 200, 100, proto === 'tcp' ? SKB_GSO_TCPV4 : SKB_GSO_UDP_L4)
      skb.mem.fill(0, skb.tail - 200, skb.tail)
      skb.mem.set(first.subarray(at, at + 2), skb.tail - 200)
      const got = segments(skb, 0)
      expect(hex(skbBytes(got[0]!).subarray(at, at + 2))).toBe(proto === 'tcp' ? '0000' : 'ffff')
      for (const seg of [...got, skb]) consumeSkb(seg)
    }
    expectNoneAlive(kernel)
  })

  it('TXQ-15 a packet whose bytes its segments share is cloned: writing to it needs bytes of its own', () => {
    const skb = large({}, 200, 100, SKB_GSO_TCPV4)
    const got = segments(skb, PktFeature.SG)
    const before = got.map((seg) => hex(skbBytes(seg)))
    expect(skbCloned(skb)).toBe(true)
    expect(skbUnclone(skb)).toBe(true)
    skb.mem.fill(0xee, skb.data, skb.tail)
    expect(got.map((seg) => hex(skbBytes(seg)))).toEqual(before)
    for (const seg of [...got, skb]) consumeSkb(seg)
    expectNoneAlive(kernel)
  })

  it('a checksum feature for the other IP version does not count', () => {
    const skb = large({}, 200, 100, SKB_GSO_TCPV4)
    const got = segments(skb, PktFeature.IPV6_CSUM)
    expect(got.map((seg) => seg.ipSummed)).toEqual([0, 0])
    for (const seg of [...got, skb]) consumeSkb(seg)
  })

  it('cuts a packet in fragments, and shares their pages', () => {
    const pool = pagePoolCreate(kernel, { name: 'p', count: 64, bufSize: 128 })
    for (const features of [0, PktFeature.SG]) {
      const skb = large({}, 50, 300, SKB_GSO_TCPV4)
      for (let i = 0; i < 17; i++) {
        const page = pagePoolAlloc(pool)
        pool.region.u8.set(body(50 + i * 90, 90), pagePoolOffset(pool, page) + 3)
        skbAddRxFrag(skb, pool, page, 3, 90)
      }
      const got = segments(skb, features)
      consumeSkb(skb)
      expect(got.length).toBe(Math.ceil((50 + 17 * 90) / 300))
      const payload = got.map((seg) => hex(skbBytes(seg).subarray(54))).join('')
      expect(payload).toBe(hex(body(0, 50 + 17 * 90)))
      expect(pool.outstanding).toBe(features === 0 ? 0 : 17)
      for (const seg of got) consumeSkb(seg)
      expectNoneAlive(kernel, pool)
    }
  })

  it('copies where sharing would take too many pieces', () => {
    const pool = pagePoolCreate(kernel, { name: 'p', count: 64, bufSize: 64 })
    const skb = large({}, 120, 1000, SKB_GSO_TCPV4)
    for (let i = 0; i < 17; i++) {
      const page = pagePoolAlloc(pool)
      pool.region.u8.set(body(120 + i * 30, 30), pagePoolOffset(pool, page))
      skbAddRxFrag(skb, pool, page, 0, 30)
    }
    const got = segments(skb, PktFeature.SG)
    expect(got.map((seg) => [seg.len - 54, seg.dataLen])).toEqual([[630, 0]])
    expect(hex(skbBytes(got[0]!).subarray(54))).toBe(hex(body(0, 630)))
    for (const seg of [...got, skb]) consumeSkb(seg)
    expectNoneAlive(kernel, pool)
  })

  it('cannot cut what it does not understand, and leaves it whole', () => {
    const cases: [string, (skb: SkBuff) => void][] = [
      ['no size', (skb) => (skb.gsoSize = 0)],
      ['not IP', (skb) => (skb.protocol = 0x0806)],
      ['no payload', (skb) => ((skb.len = 54), (skb.tail = skb.data + 54))],
      ['another protocol', (skb) => (skb.mem[skb.data + 23] = 1)],
      ['a fragment', (skb) => (skb.mem[skb.data + 20] = 0x20)],
      ['a TCP header too short', (skb) => (skb.mem[skb.data + 46] = 0x40)],
      [
        'a TCP header past the end',
        (skb) => ((skb.mem[skb.data + 46] = 0xf0), (skb.len = 60), (skb.tail = skb.data + 60)),
      ],
      ['cut off', (skb) => ((skb.len = 40), (skb.tail = skb.data + 40))],
    ]
    for (const [, spoil] of cases) {
      const skb = large({}, 200, 100, SKB_GSO_TCPV4)
      spoil(skb)
      expect(skbGsoSegment(skb, 0)).toBeNull()
      expect(skb.users).toBe(1)
      kfreeSkb(skb)
    }
    expectNoneAlive(kernel)
  })

  it('out of memory half way, nothing is left over', () => {
    const skb = large({}, 1000, 100, SKB_GSO_TCPV4)
    for (let n = 0; n < 10; n++) {
      let left = n
      skbCacheOf(kernel).fail = () => left-- <= 0
      expect(skbGsoSegment(skb, n % 2 === 0 ? 0 : PktFeature.SG)).toBeNull()
    }
    skbCacheOf(kernel).fail = null
    expect(kernel.census.take().filter((entry) => entry.kind === 'skb').length).toBe(1)
    kfreeSkb(skb)
    expectNoneAlive(kernel)
  })
})

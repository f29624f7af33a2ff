import { createKernel, type Kernel } from '@vnet/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  CHECKSUM_NONE,
  CHECKSUM_UNNECESSARY,
  devAddPack,
  GRO_HELD,
  GRO_MERGED,
  GRO_NORMAL,
  groFree,
  groInit,
  type GroNode,
  groReceiveSkb,
  kfreeSkb,
  type NetDevice,
  NETIF_F,
  SKB_GSO_UDP_L4,
  type SkBuff,
  skbBytes,
  skbClone,
} from '../src/index.ts'
import { buildFrame, expectNoneAlive, type FrameSpec, put16, RxRing, rxDev } from './skb-helpers.ts'

let kernel: Kernel
let dev: NetDevice<any>
let ring: RxRing
let gro: GroNode
let got: SkBuff[]

beforeEach(() => {
  kernel = createKernel()
  dev = rxDev(kernel)
  dev.features = NETIF_F.GRO | NETIF_F.GRO_UDP_FWD
  ring = new RxRing(dev, 512)
  gro = groInit(dev)
  got = []
  for (const type of [0x0800, 0x86dd, 0x0806]) devAddPack(kernel, { type, func: (skb) => (got.push(skb), 0) })
})

function end(): void {
  for (const skb of got) kfreeSkb(skb)
  expectNoneAlive(kernel, ring.pool)
}

const MSS = 100
const body = (n: number, len = MSS): Uint8Array => Uint8Array.from({ length: len }, (_, i) => n * 7 + i)

/** Segment `n` of a flow. */
function segment(n: number, more: FrameSpec = {}, len = MSS): Uint8Array {
  return buildFrame({ seq: 1000 + n * MSS, id: 50 + n, payload: body(n, len), ...more })
}

function feed(frame: Uint8Array, ipSummed = CHECKSUM_NONE): number {
  const skb = ring.receive(frame)
  skb.ipSummed = ipSummed
  return groReceiveSkb(gro, skb)
}

/** Packets that came up, as [gsoSegs, gsoSize, length from the network header]. */
function shapes(): number[][] {
  return got.map((skb) => [skb.gsoSegs, skb.gsoSize, skb.len])
}

describe('UDP', () => {
  const datagram = (n: number, len = MSS, more: FrameSpec = {}) =>
    buildFrame({ proto: 'udp', id: n, payload: body(n, len), ...more })

  it('is merged when the device asks for it', () => {
    for (const features of [NETIF_F.GRO_UDP_FWD, NETIF_F.GRO_FRAGLIST]) {
      dev.features = NETIF_F.GRO | features
      expect([feed(datagram(0)), feed(datagram(1)), feed(datagram(2, 40))]).toEqual([
        GRO_HELD,
        GRO_MERGED,
        GRO_MERGED,
      ])
    }
    expect(shapes()).toEqual([
      [3, MSS, 28 + 240],
      [3, MSS, 28 + 240],
    ])
    expect(got[0]!.gsoType).toBe(SKB_GSO_UDP_L4)
    const bytes = skbBytes(got[0]!)
    expect(bytes[24]! * 256 + bytes[25]!).toBe(8 + 240)
    end()
  })

  it('is left alone otherwise', () => {
    dev.features = NETIF_F.GRO
    expect([feed(datagram(0)), feed(datagram(1))]).toEqual([GRO_NORMAL, GRO_NORMAL])
    end()
  })

  it('a longer datagram starts anew', () => {
    feed(datagram(0))
    expect(feed(datagram(1, MSS + 1))).toBe(GRO_HELD)
    expect(got.length).toBe(1)
    gro.flush(false)
    end()
  })

  it('datagrams without a checksum merge with each other, not with others, and stay without', () => {
    feed(datagram(0, MSS, { noChecksum: true }))
    expect(feed(datagram(1, MSS, { noChecksum: true }))).toBe(GRO_MERGED)
    expect(feed(datagram(2))).toBe(GRO_HELD)
    gro.flush(false)
    expect(shapes().map((s) => s[0])).toEqual([2, 0])
    expect(got[0]!.ipSummed).toBe(CHECKSUM_NONE)
    expect(Array.from(skbBytes(got[0]!).subarray(26, 28))).toEqual([0, 0])
    end()
  })

  it('merges 64 at most', () => {
    for (let n = 0; n < 70; n++) feed(datagram(n, 10))
    gro.flush(false)
    expect(shapes().map((s) => s[0])).toEqual([64, 6])
    end()
  })

  it('a length that is not the packet’s is not merged', () => {
    const wrong = datagram(0)
    put16(wrong, 38, 60)
    expect(feed(wrong, CHECKSUM_UNNECESSARY)).toBe(GRO_NORMAL)
    end()
  })
})

describe('holding', () => {
  it('rx-gro off: everything goes up at once', () => {
    dev.features = 0n
    expect([feed(segment(0)), feed(segment(1))]).toEqual([GRO_NORMAL, GRO_NORMAL])
    end()
  })

  it('is not tried on what is no plain packet: ARP, fragments, IP options, shared, cloned', () => {
    const frag = segment(0, { df: false })
    frag[20] = 0x20
    const options = segment(0)
    options[14] = 0x46
    const arp = segment(0)
    arp[13] = 6
    for (const frame of [frag, options, arp]) expect(feed(frame)).toBe(GRO_NORMAL)
    const skb = ring.receive(segment(0))
    const clone = skbClone(skb)!
    expect(groReceiveSkb(gro, skb)).toBe(GRO_NORMAL)
    got.push(clone)
    end()
  })

  it('holds 8 flows of a bucket; the ninth sends the oldest up', () => {
    let n = 0
    while (got.length === 0) feed(segment(0, { sport: 5000 + n++ }))
    expect(n).toBeGreaterThan(8)
    expect(gro.count).toBe(n - 1)
    expect(Math.max(...gro.buckets.map((b) => b.count))).toBe(8)
    gro.flush(false)
    expect(gro.count).toBe(0)
    end()
  })

  it('flush(true) sends up only what was held before this jiffy', () => {
    feed(segment(0))
    kernel.runFor(4_000_000)
    feed(segment(0, { sport: 1 }))
    gro.flush(true)
    expect([got.length, gro.count]).toEqual([1, 1])
    kernel.runFor(4_000_000)
    gro.flush(true)
    expect([got.length, gro.count]).toEqual([2, 0])
    end()
  })

  it('what a receiver feeds in while the node is flushed is held, not flushed', () => {
    let again = 3
    devAddPack(kernel, {
      type: 0x0800,
      func(skb) {
        kfreeSkb(skb)
        if (again-- > 0) feed(segment(0, { sport: 1000 + again }))
        return 0
      },
    })
    feed(segment(0))
    gro.flush(false)
    while (gro.count > 0) gro.flush(false)
    expect(got.length).toBe(4)
    end()
  })

  it('groFree drops what is held', () => {
    feed(segment(0))
    feed(segment(1))
    feed(segment(0, { v6: true }))
    groFree(gro)
    expect([gro.count, got.length]).toEqual([0, 0])
    end()
  })

  it('counts what it merged', () => {
    for (let n = 0; n < 4; n++) feed(segment(n))
    gro.flush(false)
    expect([gro.merged, gro.completed]).toEqual([3, 1])
    end()
  })
})

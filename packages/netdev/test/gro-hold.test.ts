import { describe, expect, it } from 'vitest'
import {
  CHECKSUM_NONE,
  CHECKSUM_UNNECESSARY,
  devAddPack,
  GRO_HELD,
  GRO_MERGED,
  GRO_NORMAL,
  groFree,
  groReceiveSkb,
  kfreeSkb,
  NETIF_F,
  SKB_GSO_UDP_L4,
  skbBytes,
  skbClone,
} from '../src/index.ts'
import { buildFrame, type FrameSpec, put16 } from './skb-helpers.ts'
import { body, end, feed, MSS, rig, segment, shapes } from './gro-rig.ts'

describe('UDP', () => {
  const datagram = (n: number, len = MSS, more: FrameSpec = {}) =>
    buildFrame({ proto: 'udp', id: n, payload: body(n, len), ...more })

  it('is merged when the device asks for it', () => {
    for (const features of [NETIF_F.GRO_UDP_FWD, NETIF_F.GRO_FRAGLIST]) {
      rig.dev.features = NETIF_F.GRO | features
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
    expect(rig.got[0]!.gsoType).toBe(SKB_GSO_UDP_L4)
    const bytes = skbBytes(rig.got[0]!)
    expect(bytes[24]! * 256 + bytes[25]!).toBe(8 + 240)
    end()
  })

  it('is left alone otherwise', () => {
    rig.dev.features = NETIF_F.GRO
    expect([feed(datagram(0)), feed(datagram(1))]).toEqual([GRO_NORMAL, GRO_NORMAL])
    end()
  })

  it('a longer datagram starts anew', () => {
    feed(datagram(0))
    expect(feed(datagram(1, MSS + 1))).toBe(GRO_HELD)
    expect(rig.got.length).toBe(1)
    rig.gro.flush(false)
    end()
  })

  it('datagrams without a checksum merge with each other, not with others, and stay without', () => {
    feed(datagram(0, MSS, { noChecksum: true }))
    expect(feed(datagram(1, MSS, { noChecksum: true }))).toBe(GRO_MERGED)
    expect(feed(datagram(2))).toBe(GRO_HELD)
    rig.gro.flush(false)
    expect(shapes().map((s) => s[0])).toEqual([2, 0])
    expect(rig.got[0]!.ipSummed).toBe(CHECKSUM_NONE)
    expect(Array.from(skbBytes(rig.got[0]!).subarray(26, 28))).toEqual([0, 0])
    end()
  })

  it('merges 64 at most', () => {
    for (let n = 0; n < 70; n++) feed(datagram(n, 10))
    rig.gro.flush(false)
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
    rig.dev.features = 0n
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
    const skb = rig.ring.receive(segment(0))
    const clone = skbClone(skb)!
    expect(groReceiveSkb(rig.gro, skb)).toBe(GRO_NORMAL)
    rig.got.push(clone)
    end()
  })

  it('holds 8 flows of a bucket; the ninth sends the oldest up', () => {
    let n = 0
    while (rig.got.length === 0) feed(segment(0, { sport: 5000 + n++ }))
    expect(n).toBeGreaterThan(8)
    expect(rig.gro.count).toBe(n - 1)
    expect(Math.max(...rig.gro.buckets.map((b) => b.count))).toBe(8)
    rig.gro.flush(false)
    expect(rig.gro.count).toBe(0)
    end()
  })

  it('flush(true) sends up only what was held before this jiffy', () => {
    feed(segment(0))
    rig.kernel.runFor(4_000_000)
    feed(segment(0, { sport: 1 }))
    rig.gro.flush(true)
    expect([rig.got.length, rig.gro.count]).toEqual([1, 1])
    rig.kernel.runFor(4_000_000)
    rig.gro.flush(true)
    expect([rig.got.length, rig.gro.count]).toEqual([2, 0])
    end()
  })

  it('what a receiver feeds in while the node is flushed is held, not flushed', () => {
    let again = 3
    devAddPack(rig.kernel, {
      type: 0x0800,
      func(skb) {
        kfreeSkb(skb)
        if (again-- > 0) feed(segment(0, { sport: 1000 + again }))
        return 0
      },
    })
    feed(segment(0))
    rig.gro.flush(false)
    while (rig.gro.count > 0) rig.gro.flush(false)
    expect(rig.got.length).toBe(4)
    end()
  })

  it('groFree drops what is held', () => {
    feed(segment(0))
    feed(segment(1))
    feed(segment(0, { v6: true }))
    groFree(rig.gro)
    expect([rig.gro.count, rig.got.length]).toEqual([0, 0])
    end()
  })

  it('counts what it merged', () => {
    for (let n = 0; n < 4; n++) feed(segment(n))
    rig.gro.flush(false)
    expect([rig.gro.merged, rig.gro.completed]).toEqual([3, 1])
    end()
  })
})

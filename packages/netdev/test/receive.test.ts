import { createKernel, type Kernel } from '@vnet/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  allocSkb,
  consumeSkb,
  devAddPack,
  devNitActive,
  devQueueXmitNit,
  devRemovePack,
  ETH_P_ALL,
  kfreeSkb,
  type NetDevice,
  netifReceiveSkb,
  netifReceiveSkbList,
  type PacketType,
  PACKET_HOST,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
  rxStateOf,
  type SkBuff,
  skbBytes,
  skbCacheOf,
  skbClone,
  SkbDropReason,
  skbSetBytes,
} from '../src/index.ts'
import {
  buildFrame,
  expectNoneAlive,
  frameBytes,
  hex,
  lenientKernel,
  MAC_A,
  MAC_B,
  RxRing,
  rxDev,
  violation,
} from './skb-helpers.ts'

let kernel: Kernel
let dev: NetDevice<any>
let ring: RxRing
let seen: string[]

beforeEach(() => {
  kernel = createKernel()
  dev = rxDev(kernel, 'rx0')
  ring = new RxRing(dev)
  seen = []
})

function receiver(name: string, type: number, only: NetDevice<any> | null = null): PacketType {
  const pt: PacketType = {
    type,
    dev: only,
    func(skb, from) {
      seen.push(`${name} ${from.name} ${skb.protocol.toString(16)} ${skb.len}`)
      consumeSkb(skb)
      return 0
    },
  }
  devAddPack(kernel, pt)
  return pt
}

const arp = Uint8Array.from([...MAC_A, ...MAC_B, 8, 6, 1, 2, 3])

function vlan(tci: number, frame: Uint8Array, tpid = 0x8100): Uint8Array {
  return Uint8Array.from([
    ...frame.subarray(0, 12),
    tpid >> 8,
    tpid & 255,
    tci >> 8,
    tci & 255,
    ...frame.subarray(12),
  ])
}

function drops(reason: number): number {
  return skbCacheOf(dev.kernel).drops[reason]!
}

describe('netifReceiveSkb', () => {
  it('RX-01 hands a packet to the receivers of its protocol and of its device', () => {
    const other = rxDev(kernel, 'rx1')
    receiver('any', 0x0806)
    receiver('mine', 0x0806, dev)
    receiver('other', 0x0806, other)
    receiver('same slot', 0x0816)
    expect(netifReceiveSkb(ring.receive(arp))).toBe(0)
    expect(seen).toEqual(['any rx0 806 3', 'mine rx0 806 3'])
    expect(rxStateOf(kernel)).toMatchObject({ received: 1, delivered: 1, nohandler: 0, dropped: 0 })
    expectNoneAlive(kernel, ring.pool)
  })

  it('sets the network header, and the transport header when nobody did', () => {
    devAddPack(kernel, {
      type: 0x0806,
      func(skb) {
        expect([skb.networkHeader, skb.transportHeader]).toEqual([skb.data, skb.data])
        expect(hex(frameBytes(skb))).toBe(hex(arp))
        kfreeSkb(skb)
        return 0
      },
    })
    netifReceiveSkb(ring.receive(arp))
  })

  it('STAT-15 a packet nobody takes counts in rxDropped, with its reason', () => {
    expect(netifReceiveSkb(ring.receive(arp))).toBe(1)
    expect(dev.coreStats.rxDropped).toBe(1)
    expect(drops(SkbDropReason.UNHANDLED_PROTO)).toBe(1)
    expectNoneAlive(kernel, ring.pool)
  })

  it('RX-08 STAT-15 a frame without a whole header counts in rxDropped', () => {
    for (let n = 0; n < 14; n++) netifReceiveSkb(ring.receive(arp.subarray(0, n)))
    expect(dev.coreStats.rxDropped).toBe(14)
    expect(drops(SkbDropReason.PKT_TOO_SMALL)).toBe(14)
    expectNoneAlive(kernel, ring.pool)
  })

  it('taps see everything first, as clones, also what nobody takes', () => {
    receiver('tap', ETH_P_ALL)
    receiver('other tap', ETH_P_ALL, rxDev(kernel, 'rx1'))
    receiver('arp', 0x0806)
    netifReceiveSkb(ring.receive(arp))
    netifReceiveSkb(ring.receive(buildFrame()))
    expect(seen).toEqual(['tap rx0 806 3', 'arp rx0 806 3', 'tap rx0 800 40'])
    expectNoneAlive(kernel, ring.pool)
  })

  it('a tap without memory for its clone misses the packet, the receiver does not', () => {
    receiver('tap', ETH_P_ALL)
    receiver('a', 0x0806)
    receiver('b', 0x0806)
    skbCacheOf(kernel).fail = () => true
    netifReceiveSkb(ring.receive(arp))
    expect(seen).toEqual(['b rx0 806 3'])
    expectNoneAlive(kernel, ring.pool)
  })

  it('a receiver may keep the packet, and may remove itself while it is called', () => {
    const kept: SkBuff[] = []
    const pt: PacketType = {
      type: 0x0806,
      func(skb) {
        kept.push(skb)
        expect(devRemovePack(kernel, pt)).toBe(true)
        return 0
      },
    }
    devAddPack(kernel, pt)
    netifReceiveSkb(ring.receive(arp))
    netifReceiveSkb(ring.receive(arp))
    expect(kept.length).toBe(1)
    expect(devRemovePack(kernel, pt)).toBe(false)
    expect(Array.from(skbBytes(kept[0]!))).toEqual([1, 2, 3])
    kfreeSkb(kept[0]!)
    expectNoneAlive(kernel, ring.pool)
  })

  it('hands over a list in order', () => {
    receiver('arp', 0x0806)
    receiver('ip', 0x0800)
    const first = ring.receive(arp)
    first.next = ring.receive(buildFrame())
    first.next.next = ring.receive(arp)
    netifReceiveSkbList(first)
    expect(seen).toEqual(['arp rx0 806 3', 'ip rx0 800 40', 'arp rx0 806 3'])
    expectNoneAlive(kernel, ring.pool)
  })

  it('tells the tracepoint', () => {
    const events: unknown[] = []
    kernel.trace.on('net:netif_receive_skb', (e) =>
      events.push([e.subject, e.fields['protocol'], e.fields['len']]),
    )
    netifReceiveSkb(ring.receive(arp))
    expect(events).toEqual([['rx0', 0x0806, 3]])
  })
})

describe('VLAN tags', () => {
  it('moves the tag out of the frame: the rest reads as if it had none', () => {
    const taps: unknown[] = []
    devAddPack(kernel, {
      type: ETH_P_ALL,
      func(skb) {
        taps.push([skb.protocol, skb.vlanPresent, skb.vlanTci, skb.vlanProto, hex(frameBytes(skb))])
        kfreeSkb(skb)
        return 0
      },
    })
    for (const tpid of [0x8100, 0x88a8]) netifReceiveSkb(ring.receive(vlan(0x6005, arp, tpid)))
    expect(taps).toEqual([
      [0x0806, true, 0x6005, 0x8100, hex(arp)],
      [0x0806, true, 0x6005, 0x88a8, hex(arp)],
    ])
    expectNoneAlive(kernel, ring.pool)
  })

  it('a tag of a network we are not in makes it a packet for others; a priority tag does not', () => {
    const types: unknown[] = []
    devAddPack(kernel, {
      type: 0x0806,
      func(skb) {
        types.push([skb.pktType, skb.vlanPresent])
        kfreeSkb(skb)
        return 0
      },
    })
    netifReceiveSkb(ring.receive(vlan(0x6005, arp)))
    netifReceiveSkb(ring.receive(vlan(0x6000, arp)))
    expect(types).toEqual([
      [PACKET_OTHERHOST, false],
      [PACKET_HOST, false],
    ])
  })

  it('TXQ-15 does not write to the bytes a clone shares', () => {
    const skb = ring.receive(vlan(5, arp))
    const clone = skbClone(skb)!
    netifReceiveSkb(skb)
    expect(hex(frameBytes(clone))).toBe(hex(vlan(5, arp)))
    kfreeSkb(clone)
    expectNoneAlive(kernel, ring.pool)
  })

  it('RX-08 a tag that is cut off is dropped and counted', () => {
    const short = vlan(5, arp).subarray(0, 17)
    for (let n = 14; n <= 17; n++) netifReceiveSkb(ring.receive(short.subarray(0, n)))
    expect(dev.coreStats.rxDropped).toBe(4)
    expect(drops(SkbDropReason.PKT_TOO_SMALL)).toBe(4)
    expectNoneAlive(kernel, ring.pool)
  })
})

describe('packets on their way out', () => {
  it('shows a clone to the taps, marked as outgoing', () => {
    const skb = allocSkb(kernel, 64)!
    skbSetBytes(skb, arp)
    expect(devNitActive(dev)).toBe(false)
    devQueueXmitNit(skb, dev)
    const types: unknown[] = []
    devAddPack(kernel, {
      type: ETH_P_ALL,
      func(clone, from) {
        types.push([
          clone.pktType,
          from.name,
          clone.macHeader === clone.data,
          clone.networkHeader - clone.data,
        ])
        kfreeSkb(clone)
        return 0
      },
    })
    expect(devNitActive(dev)).toBe(true)
    devQueueXmitNit(skb, dev)
    expect(types).toEqual([[PACKET_OUTGOING, 'rx0', true, 14]])
    expect(skb.pktType).toBe(PACKET_HOST)
    kfreeSkb(skb)
    expectNoneAlive(kernel, ring.pool)
  })
})

describe('misuse', () => {
  it('RX-01 a packet without device or link header is reported', () => {
    const skb = allocSkb(kernel, 64)!
    expect(violation(() => netifReceiveSkb(skb))).toMatch(
      /^RX-01: skb#\d+ of kernel goes up without a device/,
    )
    skb.dev = dev
    expect(violation(() => netifReceiveSkb(skb))).toMatch(/^RX-01: .*without ethTypeTrans/)
  })

  it('SKB-01 a packet whose length is not what lies between its offsets is reported', () => {
    const skb = ring.receive(arp)
    skb.len -= 1
    expect(violation(() => netifReceiveSkb(skb))).toMatch(
      /^SKB-01: the driver left skb#1 of rx0-rx0 with head/,
    )
  })

  it('RX-03 SKB-06 a packet that was freed is reported', () => {
    const skb = ring.receive(arp)
    netifReceiveSkb(skb)
    expect(violation(() => netifReceiveSkb(skb))).toMatch(
      /^SKB-06: netifReceiveSkb of skb#1 of rx0-rx0 after it was freed/,
    )
  })

  it('CTX-08 passing up with a driver lock held is reported', () => {
    const lock = { name: 'rx_lock' }
    kernel.lockdep.acquired(lock, false)
    const skb = ring.receive(arp)
    expect(violation(() => netifReceiveSkb(skb))).toMatch(/^CTX-08: .*with lock rx_lock held/)
    kernel.lockdep.released(lock)
  })

  it('a lenient kernel drops what it cannot place and goes on', () => {
    kernel = lenientKernel()
    dev = rxDev(kernel)
    netifReceiveSkb(allocSkb(kernel, 64)!)
    const freed = allocSkb(kernel, 64)!
    kfreeSkb(freed)
    netifReceiveSkb(freed)
    expect(kernel.violations.map((v) => v.rule)).toEqual(['RX-01', 'SKB-06'])
    expect(rxStateOf(kernel)).toMatchObject({ received: 1, delivered: 0, dropped: 1 })
    expectNoneAlive(kernel)
  })

  it('two kernels do not know each other’s receivers', () => {
    const other = createKernel()
    devAddPack(other, { type: 0x0806, func: (skb) => (kfreeSkb(skb), 0) })
    expect(netifReceiveSkb(ring.receive(arp))).toBe(1)
  })
})

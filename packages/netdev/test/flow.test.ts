import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  ethTypeTrans,
  FlowKeys,
  kfreeSkb,
  type SkBuff,
  skbFlowDissect,
  skbGetHash,
  skbReserve,
  skbSetBytes,
} from '../src/index.ts'
import { buildFrame, type FrameSpec, rxDev } from './skb-helpers.ts'

const kernel = createKernel()
const dev = rxDev(kernel)

function packet(frame: Uint8Array, trans = true): SkBuff {
  const skb = allocSkb(kernel, frame.length + 2)!
  skbReserve(skb, 2)
  skbSetBytes(skb, frame)
  if (trans) {
    ethTypeTrans(skb, dev)
    skb.networkHeader = skb.data
  }
  return skb
}

function dissect(frame: Uint8Array, trans = true): { ok: boolean; keys: FlowKeys; skb: SkBuff } {
  const skb = packet(frame, trans)
  const keys = new FlowKeys()
  return { ok: skbFlowDissect(skb, keys), keys, skb }
}

function hash(frame: Uint8Array): number {
  const skb = packet(frame)
  const value = skbGetHash(skb)
  kfreeSkb(skb)
  return value
}

/** Puts `tag` between addresses and type. */
function tagged(frame: Uint8Array, ...tags: [number, number][]): Uint8Array {
  const bytes = tags.flatMap(([tpid, tci]) => [tpid >> 8, tpid & 255, tci >> 8, tci & 255])
  return Uint8Array.from([...frame.subarray(0, 12), ...bytes, ...frame.subarray(12)])
}

/** Puts an IPv6 extension header before the transport header. */
function extended(frame: Uint8Array, type: number, header: number[]): Uint8Array {
  const out = Uint8Array.from([...frame.subarray(0, 54), ...header, ...frame.subarray(54)])
  out[54] = frame[20]!
  out[20] = type
  return out
}

const swap = (f: FrameSpec): Uint8Array => {
  const frame = buildFrame(f)
  const at = f.v6 === true ? 22 : 26
  const n = f.v6 === true ? 16 : 4
  const th = f.v6 === true ? 54 : 34
  const out = frame.slice()
  out.set(frame.subarray(at, at + n), at + n)
  out.set(frame.subarray(at + n, at + 2 * n), at)
  out.set(frame.subarray(th, th + 2), th + 2)
  out.set(frame.subarray(th + 2, th + 4), th)
  return out
}

describe('skbFlowDissect', () => {
  it('finds addresses and ports of TCP and UDP over IPv4 and IPv6', () => {
    for (const v6 of [false, true]) {
      for (const proto of ['tcp', 'udp'] as const) {
        const { ok, keys, skb } = dissect(buildFrame({ v6, proto, sport: 1111, dport: 2222 }))
        expect(ok).toBe(true)
        expect([keys.protocol, keys.ipProto]).toEqual([v6 ? 0x86dd : 0x0800, proto === 'tcp' ? 6 : 17])
        expect([keys.sport, keys.dport, keys.addrLen]).toEqual([1111, 2222, v6 ? 16 : 4])
        expect([keys.network, keys.transport]).toEqual([skb.data, skb.data + (v6 ? 40 : 20)])
        expect([keys.vlanId, keys.isFrag]).toEqual([-1, false])
      }
    }
  })

  it('reads a whole frame when nobody said where its headers are', () => {
    const { ok, keys } = dissect(buildFrame({ sport: 5 }), false)
    expect([ok, keys.sport]).toEqual([true, 5])
  })

  it('looks through VLAN tags and keeps the outermost id', () => {
    const { ok, keys } = dissect(tagged(buildFrame({ sport: 7 }), [0x88a8, 0x6064], [0x8100, 5]))
    expect([ok, keys.sport, keys.vlanId]).toEqual([true, 7, 100])
  })

  it('looks through IPv6 extension headers', () => {
    const frame = extended(buildFrame({ v6: true, sport: 9 }), 0, [0, 1, ...new Array<number>(14).fill(0)])
    const { ok, keys } = dissect(extended(frame, 60, [0, 0, 0, 0, 0, 0, 0, 0]))
    expect([ok, keys.sport, keys.ipProto]).toEqual([true, 9, 6])
  })

  it('MQ-03 uses no ports of fragments, not even of the first', () => {
    const v4 = buildFrame({ df: false })
    const later = v4.slice()
    v4[20] = 0x20
    later[21] = 8
    for (const [frame, first] of [
      [v4, true],
      [later, false],
    ] as const) {
      const { keys } = dissect(frame)
      expect([keys.isFrag, keys.firstFrag, keys.sport, keys.dport]).toEqual([true, first, 0, 0])
    }
    const v6 = dissect(extended(buildFrame({ v6: true, sport: 9 }), 44, [0, 0, 0, 1, 0, 0, 0, 9]))
    expect([v6.ok, v6.keys.isFrag, v6.keys.firstFrag, v6.keys.sport]).toEqual([true, true, true, 0])
    expect(hash(v4)).toBe(hash(later))
  })

  it('says no to what is cut off or not IP', () => {
    const whole = buildFrame()
    for (let n = 0; n < 38; n++) expect(dissect(whole.slice(0, n)).ok).toBe(false)
    const wrong = whole.slice()
    wrong[14] = 0x44
    expect(dissect(wrong).ok).toBe(false)
    const arp = whole.slice()
    arp[13] = 6
    expect(dissect(arp).ok).toBe(false)
  })

  it('never throws and never points outside the packet, whatever the bytes', () => {
    const keys = new FlowKeys()
    const types = fc.constantFrom(0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806, 3)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), types, fc.boolean(), (bytes, type, trans) => {
        if (bytes.length >= 14) {
          bytes[12] = type >> 8
          bytes[13] = type & 255
        }
        const skb = packet(bytes, trans)
        skbFlowDissect(skb, keys)
        expect(keys.addrs + 2 * keys.addrLen).toBeLessThanOrEqual(skb.tail)
        expect(keys.transport).toBeLessThanOrEqual(skb.tail)
        expect(skbGetHash(skb)).toBeGreaterThan(0)
        kfreeSkb(skb)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('skbGetHash', () => {
  it('MQ-03 is the same for a flow, in both directions, in every kernel', () => {
    for (const v6 of [false, true]) {
      const spec: FrameSpec = { v6, sport: 40000, dport: 80 }
      expect(hash(buildFrame({ ...spec, seq: 1 }))).toBe(
        hash(buildFrame({ ...spec, seq: 2, payload: new Uint8Array(9) })),
      )
      expect(hash(swap(spec))).toBe(hash(buildFrame(spec)))
      // Both ends on one host: the ports decide.
      const local: FrameSpec = { ...spec, src: 1 }
      expect(hash(swap(local))).toBe(hash(buildFrame(local)))
    }
    expect(hash(buildFrame()).toString(16)).toMatchInlineSnapshot(`"6b8e4bb9"`)
  })

  it('is computed once and kept', () => {
    const skb = packet(buildFrame())
    skb.hash = -5
    expect(skbGetHash(skb)).toBe(0xfffffffb)
    kfreeSkb(skb)
  })

  it('MQ-03 spreads flows evenly', () => {
    const buckets = new Array<number>(16).fill(0)
    for (let port = 0; port < 4096; port++) {
      const index = hash(buildFrame({ sport: 1024 + port })) >>> 28
      buckets[index] = buckets[index]! + 1
    }
    for (const count of buckets) expect(Math.abs(count - 256)).toBeLessThan(80)
  })
})

import { createKernel, Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  ETH_P_802_2,
  ETH_P_802_3,
  ethHdr,
  ethHeader,
  ethRandomAddr,
  ethTypeTrans,
  formatMac,
  isBroadcastEtherAddr,
  isLocalEtherAddr,
  isMulticastEtherAddr,
  isValidEtherAddr,
  isZeroEtherAddr,
  kfreeSkb,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  parseMac,
  skbBytes,
  skbReserve,
  skbSetBytes,
} from '../src/index.ts'
import { hex, lenientKernel, MAC_A, MAC_B, rxDev, violation } from './skb-helpers.ts'

function received(bytes: readonly number[]) {
  const kernel = createKernel()
  const dev = rxDev(kernel)
  const skb = allocSkb(kernel, 128)!
  skbReserve(skb, 2)
  skbSetBytes(skb, Uint8Array.from(bytes))
  const protocol = ethTypeTrans(skb, dev)
  return { skb, dev, protocol }
}

const TO_US = [...MAC_A, ...MAC_B]

describe('ethTypeTrans', () => {
  const types: [string, number[], number][] = [
    ['IPv4', [0x08, 0x00, 0x45], 0x0800],
    ['ARP', [0x08, 0x06, 0], 0x0806],
    ['IPv6', [0x86, 0xdd, 0x60], 0x86dd],
    ['a VLAN tag', [0x81, 0x00, 0, 1], 0x8100],
    ['the lowest type', [0x06, 0x00, 1], 0x0600],
    ['the highest length: 802.2', [0x05, 0xff, 0xaa, 0xaa], ETH_P_802_2],
    ['raw 802.3', [0x00, 0x10, 0xff, 0xff], ETH_P_802_3],
    ['a length with nothing behind it', [0x00, 0x00], ETH_P_802_2],
    ['a length with one byte behind it', [0x00, 0x01, 0xff], ETH_P_802_2],
  ]
  it.each(types)('RX-01 RX-02 %s', (_name, tail, want) => {
    const { skb, dev, protocol } = received([...TO_US, ...tail])
    expect(protocol).toBe(want)
    expect(skb.protocol).toBe(want)
    expect(skb.dev === dev).toBe(true)
    expect(skb.len).toBe(tail.length - 2)
    expect(skb.data - skb.macHeader).toBe(14)
    expect(ethHdr(skb)).toBe(skb.macHeader)
  })

  const targets: [string, Uint8Array, number][] = [
    ['us', MAC_A, PACKET_HOST],
    ['someone else', MAC_B, PACKET_OTHERHOST],
    ['all', new Uint8Array(6).fill(255), PACKET_BROADCAST],
    ['a group', Uint8Array.of(1, 0, 0x5e, 0, 0, 1), PACKET_MULTICAST],
    ['almost all', Uint8Array.of(255, 255, 255, 255, 255, 254), PACKET_MULTICAST],
    ['an address like ours but the first byte', Uint8Array.of(4, 0, 0, 0, 0, 1), PACKET_OTHERHOST],
  ]
  it.each(targets)('RX-02 a frame to %s', (_name, dst, want) => {
    expect(received([...dst, ...MAC_B, 8, 0, 0]).skb.pktType).toBe(want)
  })

  it('RX-02 every byte of the address counts, wherever the frame starts', () => {
    const kernel = createKernel()
    const dev = rxDev(kernel)
    for (let start = 0; start < 4; start++) {
      for (let i = 0; i < 6; i++) {
        const dst = MAC_A.slice()
        dst[i] = dst[i]! ^ 0x40
        const skb = allocSkb(kernel, 64)!
        skbReserve(skb, start)
        skbSetBytes(skb, Uint8Array.from([...dst, ...MAC_B, 8, 0]))
        ethTypeTrans(skb, dev)
        expect([i, skb.pktType]).toEqual([i, PACKET_OTHERHOST])
        kfreeSkb(skb)
      }
    }
  })

  it('RX-02 what lies behind a short 802.3 frame does not count', () => {
    const kernel = createKernel({ checks: false })
    const skb = allocSkb(kernel, 64)!
    skb.mem.fill(0xff, skb.head, skb.end)
    skbSetBytes(skb, Uint8Array.from([...TO_US, 0, 1, 0xff]))
    expect(ethTypeTrans(skb, rxDev(kernel))).toBe(ETH_P_802_2)
  })

  it('RX-08 a frame of 0 to 13 bytes is an error, not a crash', () => {
    for (let n = 0; n < 14; n++) {
      const { skb, protocol, dev } = received(TO_US.concat(8, 0).slice(0, n))
      expect([protocol, skb.protocol, skb.len]).toEqual([0, 0, n])
      expect(skb.dev === dev).toBe(true)
    }
    expect(received(TO_US.concat(8, 0)).protocol).toBe(0x0800)
  })

  it('SKB-04 is not done to a packet others hold', () => {
    const kernel = createKernel()
    const skb = allocSkb(kernel, 64)!
    skbSetBytes(skb, new Uint8Array(20))
    skb.users = 2
    expect(violation(() => ethTypeTrans(skb, rxDev(kernel)))).toMatch(/^SKB-04: ethTypeTrans/)
  })
})

describe('ethHeader', () => {
  it('writes addresses and type, or the length for 802.3', () => {
    const kernel = createKernel()
    const dev = rxDev(kernel)
    const make = () => {
      const skb = allocSkb(kernel, 64)!
      skbReserve(skb, 16)
      skbSetBytes(skb, Uint8Array.of(1, 2, 3))
      return skb
    }
    const ip = make()
    expect(ethHeader(ip, dev, 0x0800, MAC_B)).toBe(14)
    expect(hex(skbBytes(ip))).toBe(hex(MAC_B) + hex(MAC_A) + '0800' + '010203')
    const raw = make()
    ethHeader(raw, dev, ETH_P_802_3, MAC_B, MAC_B)
    expect(hex(skbBytes(raw)).slice(12, 28)).toBe(hex(MAC_B) + '0003')
    const unresolved = make()
    expect(ethHeader(unresolved, dev, 0x0806, null)).toBe(-14)
    expect(hex(skbBytes(unresolved)).slice(0, 12)).toBe('000000000000')
  })

  it('SKB-02 needs headroom', () => {
    const kernel = lenientKernel()
    const skb = allocSkb(kernel, 64)!
    expect(ethHeader(skb, rxDev(kernel), 0x0800, MAC_B)).toBe(-14)
    expect(kernel.violations.map((v) => v.rule)).toEqual(['SKB-02'])
    expect(skb.len).toBe(0)
  })
})

describe('addresses', () => {
  it('ADDR-01 knows which may be a device’s', () => {
    const rows: [string, boolean][] = [
      ['02:00:00:00:00:01', true],
      ['00:00:00:00:00:00', false],
      ['ff:ff:ff:ff:ff:ff', false],
      ['01:00:5e:00:00:01', false],
      ['00:00:00:00:00:01', true],
    ]
    for (const [text, valid] of rows) expect(isValidEtherAddr(parseMac(text))).toBe(valid)
    expect(isValidEtherAddr(Uint8Array.of(2, 0, 0))).toBe(false)
    expect(isMulticastEtherAddr(parseMac('01:00:00:00:00:00'))).toBe(true)
    expect(isBroadcastEtherAddr(parseMac('ff:ff:ff:ff:ff:ff'))).toBe(true)
    expect(isBroadcastEtherAddr(parseMac('ff:ff:ff:ff:ff:fe'))).toBe(false)
    expect(isZeroEtherAddr(new Uint8Array(8), 2)).toBe(true)
    expect(isLocalEtherAddr(MAC_A)).toBe(true)
  })

  it('ADDR-04 makes up unicast, local addresses, the same for the same seed', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => createKernel({ seed }))
    const first = ethRandomAddr(a!)
    expect(hex(ethRandomAddr(b!))).toBe(hex(first))
    expect(hex(ethRandomAddr(c!))).not.toBe(hex(first))
    for (let i = 0; i < 50; i++) {
      const addr = ethRandomAddr(a!)
      expect([isValidEtherAddr(addr), isLocalEtherAddr(addr)]).toEqual([true, true])
    }
  })

  it('reads and writes them as text', () => {
    expect(formatMac(parseMac('2:0:0:A:b:ff'))).toBe('02:00:00:0a:0b:ff')
    expect(formatMac(parseMac('02-00-00-00-00-01'))).toBe('02:00:00:00:00:01')
    expect(formatMac(Uint8Array.of(9, 9, 2, 0, 0, 0, 0, 1), 2)).toBe('02:00:00:00:00:01')
    for (const bad of [
      '',
      '02:00:00:00:00',
      '02:00:00:00:00:00:00',
      '02:00:00:00:00:100',
      'g2:00:00:00:00:01',
    ]) {
      expect(() => parseMac(bad)).toThrow(Errno)
    }
  })
})

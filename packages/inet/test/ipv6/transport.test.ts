import {
  CHECKSUM_UNNECESSARY,
  ethTypeTrans,
  netdevAllocSkb,
  netifRx,
  SKB_GSO_UDP_L4,
  skbPut,
} from '@vnet/netdev'
import { putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibLookup, inetAddrAdd } from '../../src/inet.ts'
import { RawSock, UdpSock } from '../../src/sock/index.ts'
import { IfaFlag, IpPmtudisc } from '../../src/types/constants.ts'
import { icmp6Frame, ipv6Frame } from './frames.ts'
import { Host, ip, MS, SEC, together } from './helpers.ts'

const A = '2001:db8::1'
const B = '2001:db8::2'

function pair(): [Host, Host] {
  const a = new Host({ seed: 1 })
  const b = new Host({ seed: 2, mac: '02:00:00:00:00:02' })
  for (const [host, address] of [
    [a, A],
    [b, B],
  ] as const) {
    const config = {
      dev: host.dev,
      family: 10 as const,
      local: ip(address),
      prefixlen: 64,
      flags: IfaFlag.NODAD,
    }
    host.kernel.rtnl.run(() => inetAddrAdd(host.inet, config))
  }
  together(a, b, 5 * SEC)
  a.take()
  b.take()
  return [a, b]
}

function udp(host: Host): UdpSock {
  return new UdpSock(host.inet, 10, host.ipv6.udpMib)
}

const pattern = (len: number): Uint8Array => Uint8Array.from({ length: len }, (_, i) => (i * 7) & 0xff)

describe('UDP over IPv6', () => {
  it('carries datagrams both ways, in fragments when they are long', () => {
    const [a, b] = pair()
    const from = udp(a)
    const to = udp(b)
    to.bind({ address: ip('::'), port: 9 })
    for (const len of [0, 100, 1452, 1453, 5000, 65_000]) {
      from.sendmsg(pattern(len), { address: ip(B), port: 9 })
      together(a, b, 5 * MS)
      const got = to.recvmsg()
      expect(got?.bytes).toEqual(pattern(len))
      expect(got?.from.address).toEqual(ip(A))
      to.sendmsg(Uint8Array.of(1), got!.from)
      together(a, b, 2 * MS)
      expect(from.recvmsg()?.bytes).toEqual(Uint8Array.of(1))
    }
    expect(b.ipv6.frags.size).toBe(0)
    expect(b.ipv6.frags.weight).toBe(0)
    // 1453 and 5000 and 65000 bytes: 2, 4 and 45 pieces of 1448.
    expect(a.idev.mib.ip.FragCreates).toBe(2 + 4 + 45)
    expect(a.idev.mib.ip.FragOKs).toBe(3)
    expect(b.idev.mib.ip.ReasmOKs).toBe(3)
    expect(b.ipv6.udpMib.inDatagrams).toBe(6)
  })

  it('tells a connected sender that nobody listens', () => {
    const [a, b] = pair()
    const sock = udp(a)
    sock.connect({ address: ip(B), port: 9 })
    sock.sendmsg(pattern(4))
    together(a, b, 2 * MS)
    expect(() => sock.recvmsg()).toThrow(expect.objectContaining({ code: 'ECONNREFUSED' }))
    expect(b.idev.mib.icmpOut[1]).toBe(1)
    expect(b.ipv6.udpMib.noPorts).toBe(1)
  })

  it('reaches a socket of the same machine', () => {
    const [a] = pair()
    const to = udp(a)
    to.bind({ address: ip(A), port: 9 })
    udp(a).sendmsg(pattern(3000), { address: ip(A), port: 9 })
    a.run(MS)
    expect(to.recvmsg()?.bytes).toEqual(pattern(3000))
    expect(a.take()).toEqual([])
  })

  it('is refused for a wrong checksum, and for none', () => {
    const [a] = pair()
    const to = udp(a)
    to.bind({ address: ip('::'), port: 9 })
    const message = Uint8Array.of(0, 7, 0, 9, 0, 9, 0, 0, 65)
    a.receive(ipv6Frame({ src: B, dst: A, nextHeader: 17 }, message))
    a.receive(
      ipv6Frame({ src: B, dst: A, nextHeader: 17 }, Uint8Array.of(...message.subarray(0, 6), 1, 1, 65)),
    )
    expect(to.recvmsg()).toBeNull()
    expect(a.ipv6.udpMib.inCsumErrors).toBe(2)
    expect(a.ipv6.udpMib.inErrors).toBe(2)
  })
})

describe('the way of a packet', () => {
  /** A router says that a packet of ours was too big. */
  function tooBig(host: Host, mtu: number, src = A): void {
    const quoted = ipv6Frame({ src, dst: B, nextHeader: 17 }, new Uint8Array(40)).subarray(14)
    host.receive(icmp6Frame({ src: 'fe80::9', dst: A, type: 2, rest: mtu }, quoted.slice()))
  }

  it('keeps the MTU a router told for ten minutes, not below 1280, and only about packets of ours', () => {
    const [a] = pair()
    const mtu = (): number => fibLookup(a.inet, ip(B)).mtu
    tooBig(a, 1400, '2001:db8::77')
    expect(mtu()).toBe(1500)
    tooBig(a, 1400)
    expect(mtu()).toBe(1400)
    tooBig(a, 1450)
    expect(mtu()).toBe(1400)
    tooBig(a, 600)
    expect(mtu()).toBe(1280)
    a.run(601 * SEC)
    expect(mtu()).toBe(1500)
  })

  it('is too narrow for one who does not want fragments', () => {
    const [a] = pair()
    const sock = udp(a)
    sock.options.mtuDiscover = IpPmtudisc.DO
    sock.options.recverr = true
    const send = (len: number) => (): unknown => sock.sendmsg(pattern(len), { address: ip(B), port: 9 })
    expect(send(1452)).not.toThrow()
    expect(send(1453)).toThrow(expect.objectContaining({ code: 'EMSGSIZE' }))
    expect(sock.recverr()).toMatchObject({ errno: 90, origin: 1, info: 1500 })
  })
})

describe('what comes in and nobody knows', () => {
  const lastErrors = (host: Host): string[] =>
    host.take().filter((line) => line.includes('parameter problem') || line.includes('unreachable'))

  it('an unknown protocol is reported with the place of its number, if no raw socket wants it', () => {
    const [a, b] = pair()
    a.peer = null
    a.receive(ipv6Frame({ src: B, dst: A, nextHeader: 200 }, pattern(8)))
    a.run(MS)
    expect(a.idev.mib.ip.InUnknownProtos).toBe(1)
    expect(a.idev.mib.icmpOut[4]).toBe(1)
    const raw = new RawSock(a.inet, 10, 200)
    a.receive(ipv6Frame({ src: B, dst: A, nextHeader: 200 }, pattern(8)))
    expect(raw.recvmsg()?.bytes).toEqual(pattern(8))
    expect(a.idev.mib.ip.InUnknownProtos).toBe(1)
    expect(lastErrors(b)).toEqual([])
  })

  it.each([
    [0x1e, 'skipped', 0],
    [0x5e, 'dropped', 0],
    [0x9e, 'reported', 1],
    [0xde, 'reported to single senders', 1],
  ])('option %i is %s', (option, _what, reports) => {
    const [a] = pair()
    const raw = new RawSock(a.inet, 10, 200)
    const header = Uint8Array.of(200, 0, option, 4, 0, 0, 0, 0)
    for (const nextHeader of [0, 60])
      a.receive(ipv6Frame({ src: B, dst: A, nextHeader }, Uint8Array.of(...header, 1, 2)))
    expect(raw.received.length).toBe(option === 0x1e ? 2 : 0)
    expect(a.idev.mib.icmpOut[4]).toBe(reports * 2)
    expect(a.idev.mib.ip.InHdrErrors).toBe(option === 0x1e ? 0 : 2)
  })

  it('errors are not sent about errors, to groups, or without end', () => {
    const [a] = pair()
    const quoted = ipv6Frame({ src: A, dst: B, nextHeader: 17 }, new Uint8Array(8)).subarray(14).slice()
    const before = a.idev.mib.icmpOut[4]!
    a.receive(ipv6Frame({ src: B, dst: 'ff02::1', nextHeader: 200 }, pattern(8)))
    a.receive(icmp6Frame({ src: B, dst: A, type: 1, code: 4 }, quoted))
    expect(a.idev.mib.icmpOut[4]).toBe(before)
    for (let i = 0; i < 100; i++) a.receive(ipv6Frame({ src: B, dst: A, nextHeader: 200 }, pattern(8)))
    expect(a.idev.mib.icmpOut[4]! - before).toBe(6)
    expect(a.idev.mib.icmp.OutRateLimitHost).toBeGreaterThan(0)
  })
})

describe('fragments', () => {
  function fragment(host: Host, offset: number, more: boolean, len: number, id = 1): void {
    const payload = new Uint8Array(8 + len)
    payload[0] = 200
    putUnalignedBe16(offset | (more ? 1 : 0), payload, 2)
    putUnalignedBe32(id, payload, 4)
    host.receive(ipv6Frame({ src: B, dst: A, nextHeader: 44 }, payload))
  }

  it('that overlap take the whole packet with them, the later ones too until it is begun anew', () => {
    const [a] = pair()
    const raw = new RawSock(a.inet, 10, 200)
    fragment(a, 0, true, 16)
    fragment(a, 8, true, 16)
    expect([a.ipv6.frags.size, a.idev.mib.ip.ReasmFails]).toEqual([0, 1])
    fragment(a, 24, false, 8)
    expect(raw.received.length).toBe(0)
  })

  it('that came twice do no harm', () => {
    const [a] = pair()
    const raw = new RawSock(a.inet, 10, 200)
    fragment(a, 0, true, 16)
    fragment(a, 0, true, 16)
    fragment(a, 16, false, 3)
    expect(raw.recvmsg()?.bytes.length).toBe(19)
    expect(a.ipv6.frags.weight).toBe(0)
  })

  it('wait a minute for the others, and the sender is told if the first was there', () => {
    const [a] = pair()
    fragment(a, 0, true, 16)
    a.run(30 * SEC)
    fragment(a, 16, true, 16, 2)
    a.run(29 * SEC)
    expect(a.ipv6.frags.size).toBe(2)
    a.run(2 * SEC)
    expect([a.ipv6.frags.size, a.idev.mib.ip.ReasmTimeout, a.idev.mib.icmpOut[3]]).toEqual([1, 1, 1])
    a.run(30 * SEC)
    expect([a.ipv6.frags.size, a.idev.mib.ip.ReasmTimeout, a.idev.mib.icmpOut[3]]).toEqual([0, 2, 1])
  })

  it('of a strange length are refused, and a whole packet with a fragment header is taken', () => {
    const [a] = pair()
    const raw = new RawSock(a.inet, 10, 200)
    fragment(a, 0, true, 13)
    fragment(a, 65_528, true, 16)
    expect(a.idev.mib.icmpOut[4]).toBe(2)
    fragment(a, 0, false, 5)
    expect(raw.recvmsg()?.bytes.length).toBe(5)
    expect(a.ipv6.frags.size).toBe(0)
  })

  it('are bounded: when too many wait, new packets are refused', () => {
    const [a] = pair()
    for (let id = 0; id < 5000; id++) fragment(a, 0, true, 1400, id)
    expect(a.ipv6.frags.weight).toBeLessThan(4.1 * 1024 * 1024)
    expect(a.idev.mib.ip.ReasmFails).toBeGreaterThan(0)
  })
})

describe('datagrams merged on receive', () => {
  it('reach the socket one by one', () => {
    const [a] = pair()
    const to = udp(a)
    to.bind({ address: ip('::'), port: 9 })
    const payload = Uint8Array.from({ length: 25 }, (_, i) => i)
    const message = Uint8Array.of(0, 7, 0, 9, 0, 33, 0, 1, ...payload)
    const frame = ipv6Frame({ src: B, dst: A, nextHeader: 17 }, message)
    const skb = netdevAllocSkb(a.dev, frame.length)!
    skb.mem.set(frame, skbPut(skb, frame.length))
    skb.gsoSize = 10
    skb.gsoSegs = 3
    skb.gsoType = SKB_GSO_UDP_L4
    skb.ipSummed = CHECKSUM_UNNECESSARY
    a.kernel.hardware(() => {
      ethTypeTrans(skb, a.dev)
      netifRx(skb)
    })
    a.run(MS)
    const got = [to.recvmsg(), to.recvmsg(), to.recvmsg()].map((d) => d?.bytes.length)
    expect(got).toEqual([10, 10, 5])
    expect(a.ipv6.udpMib).toMatchObject({ inDatagrams: 3, inErrors: 0 })
  })
})

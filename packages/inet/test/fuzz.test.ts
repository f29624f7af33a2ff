import { arpRequest, icmpEchoRequest, udpFrame } from '@vnet/wire'
import { Errno } from '@vnet/kernel'
import { ethTypeTrans, netdevAllocSkb, netifRx, skbCacheOf, skbPut } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { PingSock, RawSock, UdpSock } from '../src/index.ts'
import { Host, ip, MAC_A, MAC_B, receive } from './helpers.ts'
import { fixHeader, ipFrame } from './packets.ts'

const FROM = { srcMac: MAC_B, dstMac: MAC_A, src: '10.0.0.2', dst: '10.0.0.1' }
const CASES = 200_000

function seeds(): Uint8Array[] {
  const inner = udpFrame({
    ...FROM,
    src: '10.0.0.1',
    dst: '10.0.0.2',
    srcPort: 7,
    dstPort: 9,
    payload: new Uint8Array(8),
  })
  const error = new Uint8Array(8 + inner.length - 14)
  error[0] = 3
  error.set(inner.slice(14), 8)
  return [
    arpRequest({ senderMac: MAC_B, senderIp: '10.0.0.2', targetIp: '10.0.0.1' }),
    icmpEchoRequest({ ...FROM, id: 1, seq: 1, payload: new Uint8Array(20) }),
    udpFrame({ ...FROM, srcPort: 9, dstPort: 7, payload: new Uint8Array(20) }),
    ipFrame({ protocol: 17, offset: 0, more: true, payload: new Uint8Array(24) }),
    ipFrame({ protocol: 17, offset: 24, more: false, payload: new Uint8Array(24) }),
    ipFrame({ protocol: 1, payload: error }),
    ipFrame({ protocol: 200, payload: new Uint8Array(9) }),
  ]
}

describe('whatever comes in', () => {
  it.each([false, true])('breaks nothing and leaks nothing (forwarding: %s)', (forward) => {
    const host = new Host({ lo: forward })
    host.inet.ipForward = forward
    const { rng } = host.kernel
    const udp = new UdpSock(host.inet, 2, host.ipv4.udp)
    udp.bind({ address: ip('0.0.0.0'), port: 7 })
    const raw = new RawSock(host.inet, 2, 1)
    const ping = new PingSock(host.inet, 2)
    ping.bind({ address: ip('0.0.0.0'), port: 1 })
    for (const sock of [udp, raw, ping]) {
      sock.options.recverr = true
      sock.options.rcvbuf = 4096
    }
    const known = seeds()
    for (let i = 0; i < CASES; i++) {
      const frame = known[rng.below(known.length)]!.slice(0)
      const flips = rng.below(4)
      for (let n = 0; n < flips; n++) frame[rng.below(frame.length)] = rng.below(256)
      // Half of them with a right checksum, so that they get further in.
      if (frame[12] === 8 && frame[13] === 0 && rng.below(2) === 0) fixHeader(frame)
      const cut = rng.below(8) === 0 ? rng.below(frame.length) : frame.length
      receive(host.dev, frame.subarray(0, Math.max(cut, 1)))
      if (i % 1000 === 0) host.kernel.runFor(0.5e9)
      host.dev.priv.sent.length = 0
    }
    expect(host.ipv4.ip.inReceives).toBeGreaterThan(CASES / 4)
    expect(host.ipv4.ip.inDelivers).toBeGreaterThan(CASES / 20)
    expect(host.ipv4.arp.entries).toBeLessThanOrEqual(1024)
    expect(host.ipv4.frags.memory).toBeLessThanOrEqual((4 << 20) + 4096)
    for (const sock of [udp, raw, ping]) sock.close()
    host.kernel.runFor(60e9)
    host.end()
  })

  it('leaks nothing when memory fails half of the time', () => {
    const host = new Host({ lo: true })
    host.inet.ipForward = true
    const { rng } = host.kernel
    const cache = skbCacheOf(host.kernel)
    const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
    sock.bind({ address: ip('0.0.0.0'), port: 7 })
    const known = seeds()
    let lost = 0
    for (let i = 0; i < 20_000; i++) {
      const frame = known[rng.below(known.length)]!
      cache.fail = null
      const skb = netdevAllocSkb(host.dev, frame.length)!
      skb.mem.set(frame, skbPut(skb, frame.length))
      cache.fail = () => {
        const fails = rng.below(2) === 0
        if (fails) lost++
        return fails
      }
      host.kernel.hardware(() => {
        ethTypeTrans(skb, host.dev)
        netifRx(skb)
      })
      try {
        sock.sendmsg(new Uint8Array(rng.below(3000)), { address: ip('10.0.0.2'), port: 9 })
      } catch (error) {
        expect(error).toBeInstanceOf(Errno)
      }
      if (i % 100 === 0) host.kernel.runFor(1e9)
      host.dev.priv.sent.length = 0
    }
    expect(lost).toBeGreaterThan(10_000)
    cache.fail = null
    sock.close()
    host.kernel.runFor(60e9)
    host.end()
  })

  it('of random bytes is dropped', () => {
    const host = new Host()
    const { rng } = host.kernel
    for (let i = 0; i < 20_000; i++) {
      const frame = Uint8Array.from({ length: 1 + rng.below(100) }, () => rng.below(256))
      const types = [0x0800, 0x0806, 0x86dd]
      const type = types[rng.below(types.length)]!
      if (frame.length > 13) {
        frame.set([2, 0, 0, 0, 0, 1])
        frame[12] = type >> 8
        frame[13] = type & 255
        if (frame.length > 14 && rng.below(2) === 0) frame[14] = 0x45
      }
      receive(host.dev, frame)
    }
    expect(host.take()).toEqual([])
    host.end()
  })
})

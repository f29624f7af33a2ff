import { getUnalignedBe16, inetChecksum } from '@vnet/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IpPmtudisc, UdpSock } from '../../src/index.ts'
import { ip, Pair } from '../helpers.ts'

/** Two hosts that know each other. */
function known(): { pair: Pair; from: UdpSock; to: UdpSock } {
  const pair = new Pair()
  const from = new UdpSock(pair.a.inet, 2, pair.a.ipv4.udp)
  const to = new UdpSock(pair.b.inet, 2, pair.b.ipv4.udp)
  to.options.rcvbuf = 1 << 22
  to.bind({ address: ip('10.0.0.2'), port: 7000 })
  from.connect({ address: ip('10.0.0.2'), port: 7000 })
  from.sendmsg(new Uint8Array(1))
  pair.settle()
  to.recvmsg()
  pair.a.take()
  return { pair, from, to }
}

describe('a datagram longer than the link allows', () => {
  it('goes in pieces and arrives whole, for every length and MTU', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_507 }), fc.integer({ min: 68, max: 1500 }), (len, mtu) => {
        const { pair, from, to } = known()
        pair.a.dev.mtu = mtu
        const bytes = Uint8Array.from({ length: len }, (_, i) => (i ^ (i >> 8)) & 255)
        from.sendmsg(bytes)
        const frames = pair.a.take()
        pair.settle()
        for (const frame of frames) {
          const size = getUnalignedBe16(frame, 16)
          expect(size).toBeLessThanOrEqual(mtu)
          expect(frame.length).toBe(size + 14)
          expect(inetChecksum(frame, 14, 20)).toBe(0)
        }
        expect(to.recvmsg()?.bytes).toEqual(bytes)
        const expected = len + 28 <= mtu ? 0 : Math.ceil((len + 8) / ((mtu - 20) & ~7))
        expect(pair.a.ipv4.ip.fragCreates).toBe(expected)
        from.close()
        to.close()
        pair.end()
      }),
      { numRuns: 40 },
    )
  })

  it('is refused when it may not be split, with the MTU in the error queue', () => {
    const { pair, from, to } = known()
    from.options.mtuDiscover = IpPmtudisc.DO
    from.options.recverr = true
    expect(from.sendmsg(new Uint8Array(1472))).toBe(1472)
    expect(() => from.sendmsg(new Uint8Array(1473))).toThrow('Message too long')
    expect(from.recverr()).toMatchObject({ errno: 90, origin: 1, info: 1500 })
    expect(from.recvmsg()).toBe(null)
    expect(() => from.sendmsg(new Uint8Array(65_508))).toThrow('Message too long')
    from.close()
    to.close()
    pair.end()
  })

  it('carries DF unless it is split or the socket says not', () => {
    const { pair, from, to } = known()
    const field = (): number => getUnalignedBe16(pair.a.take()[0]!, 20)
    from.sendmsg(new Uint8Array(100))
    expect(field()).toBe(0x4000)
    from.options.mtuDiscover = IpPmtudisc.DONT
    from.sendmsg(new Uint8Array(100))
    expect(field()).toBe(0)
    from.options.mtuDiscover = IpPmtudisc.WANT
    from.sendmsg(new Uint8Array(2000))
    expect(field()).toBe(0x2000)
    from.close()
    to.close()
    pair.end()
  })
})

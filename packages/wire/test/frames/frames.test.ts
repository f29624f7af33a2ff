import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { ascii, hex } from '../corpus.ts'

const macs = { srcMac: '02:00:00:00:00:01', dstMac: '02:00:00:00:00:02' }
const v4 = { ...macs, src: '10.0.0.1', dst: '10.0.0.2' }
const v6 = { ...macs, src: 'fe80::1', dst: 'fe80::2' }
const versions = [
  ['IPv4', v4, 34],
  ['IPv6', v6, 54],
] as const

describe('helloFrame', () => {
  it('is 60 bytes of the experimental type with the greeting and zeros', () => {
    const frame = w.helloFrame()
    expect(frame).toEqual(
      Uint8Array.of(
        ...hex('ffffffffffff 0200000000ff 88b5'),
        ...ascii('Hello from vnet RX'),
        ...new Array(28).fill(0),
      ),
    )
  })

  it('carries its number, which can be changed in place', () => {
    const frame = w.helloFrame(7, { dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02' })
    expect(w.parseHello(frame)).toBe(7)
    expect(w.parseEth(frame)).toMatchObject({ dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02' })
    w.putUnalignedBe32(0xfffffffe, frame, w.HELLO_SEQ_OFFSET)
    expect(w.parseHello(frame)).toBe(0xfffffffe)
  })

  it('is told from others', () => {
    expect(w.parseHello(w.helloFrame().subarray(0, 37))).toBeNull()
    const other = w.helloFrame()
    other[20] = 0x20
    expect(w.parseHello(other)).toBeNull()
  })
})

describe('ARP frames', () => {
  const sender = { senderMac: '02:00:00:00:00:01', senderIp: '10.0.0.1' }

  it('are the ones of the oracle, byte for byte', () => {
    // 14-vnet-arpreply: tcpdump -xx of what a Linux stack sent, and of the answer.
    expect(w.arpRequest({ ...sender, targetIp: '10.0.0.2' })).toEqual(
      hex(
        'ffff ffff ffff 0200 0000 0001 0806 0001 0800 0604 0001 0200 0000 0001 0a00 0001 0000 0000 0000 0a00 0002',
      ),
    )
    expect(
      w.arpReply({ ...sender, senderIp: '10.0.0.2', targetMac: '02:00:00:00:00:01', targetIp: '10.0.0.1' }),
    ).toEqual(
      hex(
        '0200 0000 0001 0200 0000 0001 0806 0001 0800 0604 0002 0200 0000 0001 0a00 0002 0200 0000 0001 0a00 0001',
      ),
    )
  })

  it('go to one neighbour when asked to', () => {
    const frame = w.arpRequest({ ...sender, targetIp: '10.0.0.2', dst: '02:00:00:00:00:02' })
    expect(w.dissect(frame)).toMatchObject({ dstMac: '02:00:00:00:00:02', src: '10.0.0.1', dst: '10.0.0.2' })
  })
})

describe.each(versions)('%s frames', (_, addresses, transport) => {
  const good = transport === 34 ? { ip: 'good', l4: 'good' } : { ip: 'none', l4: 'good' }

  it('CSUM-01 udpFrame comes back with every checksum right', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.nat(0xffff),
        fc.uint8Array({ maxLength: 200 }),
        (srcPort, dstPort, payload) => {
          const frame = w.udpFrame({ ...addresses, srcPort, dstPort, payload })
          const info = w.dissect(frame)
          expect(info).toMatchObject({
            ...addresses,
            l4: 'udp',
            srcPort,
            dstPort,
            truncated: false,
            fragment: false,
          })
          expect(frame.slice(info.payloadOffset, info.payloadOffset + info.payloadLength)).toEqual(payload)
          expect(w.verifyChecksums(frame)).toEqual(good)
          expect(w.verifyChecksums(w.padFrame(frame))).toEqual(good)
        },
      ),
    )
  })

  it('CSUM-01 tcpFrame comes back with every checksum right', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.nat(0xff),
        fc.uint8Array({ maxLength: 200 }),
        (seq, flags, payload) => {
          const options = { mss: 1460, windowScale: 7 }
          const frame = w.tcpFrame({
            ...addresses,
            srcPort: 1,
            dstPort: 2,
            seq,
            ack: 9,
            flags,
            window: 5,
            options,
            payload,
          })
          const info = w.dissect(frame)
          expect(info).toMatchObject({ ...addresses, l4: 'tcp', srcPort: 1, dstPort: 2, tcpFlags: flags })
          expect(w.parseTcp(frame, transport)).toMatchObject({ seq, ack: 9, window: 5, headerLength: 28 })
          expect(frame.slice(info.payloadOffset)).toEqual(payload)
          expect(w.verifyChecksums(frame)).toEqual(good)
        },
      ),
    )
  })

  it('icmpEcho asks and answers with every checksum right', () => {
    const ask = w.icmpEchoRequest({ ...addresses, id: 17, seq: 3 })
    const answer = w.icmpEchoReply({ ...addresses, id: 17, seq: 3, payload: ascii('odd') })
    expect(w.parseIcmp(ask, transport)).toMatchObject({
      type: transport === 34 ? 8 : 128,
      id: 17,
      seq: 3,
      payloadLength: 56,
    })
    expect(w.parseIcmp(answer, transport)).toMatchObject({
      type: transport === 34 ? 0 : 129,
      payloadLength: 3,
    })
    expect(w.icmpEcho({ ...addresses, id: 17, seq: 3, reply: true, payload: ascii('odd') })).toEqual(answer)
    expect([w.verifyChecksums(ask), w.verifyChecksums(answer)]).toEqual([good, good])
  })

  it('CSUM-03 verifyChecksums sees every single wrong bit of the transport', () => {
    const frame = w.udpFrame({ ...addresses, srcPort: 1, dstPort: 2, payload: ascii('abc') })
    for (let bit = transport * 8; bit < frame.length * 8; bit++) {
      const wrong = frame.slice()
      wrong[bit >> 3]! ^= 1 << (bit & 7)
      expect(w.verifyChecksums(wrong).l4, `bit ${bit}`).not.toBe('good')
    }
  })
})

describe('verifyChecksums', () => {
  it('CSUM-03 does not judge what it cannot', () => {
    const whole = w.udpFrame({ ...v4, srcPort: 1, dstPort: 2, payload: ascii('abcdefgh') })
    expect(w.verifyChecksums(whole.subarray(0, 45)).l4).toBe('unknown')
    const fragment = whole.slice()
    fragment[20] = 0x20
    expect(w.verifyChecksums(fragment)).toEqual({ ip: 'bad', l4: 'unknown' })
    expect(w.verifyChecksums(w.helloFrame())).toEqual({ ip: 'none', l4: 'none' })
  })

  it('CSUM-03 knows that UDP may have none in IPv4 and must have one in IPv6', () => {
    for (const [addresses, at, expected] of [
      [v4, 40, 'none'],
      [v6, 60, 'bad'],
    ] as const) {
      const frame = w.udpFrame({ ...addresses, srcPort: 1, dstPort: 2 })
      frame.fill(0, at, at + 2)
      expect(w.verifyChecksums(frame).l4).toBe(expected)
    }
  })

  it('CSUM-02 agrees with csumFinish, which does in software what a card would', () => {
    const frame = w.tcpFrame({ ...v4, srcPort: 1, dstPort: 2, seq: 1, flags: 2, payload: ascii('data') })
    const right = frame.slice()
    const pseudo = ~w.csumFold(w.csumTcpudpNofold(0x0a000001, 0x0a000002, frame.length - 34, 6)) & 0xffff
    w.putUnalignedBe16(pseudo, frame, 34 + 16)
    expect(w.verifyChecksums(frame).l4).toBe('bad')
    expect(w.csumFinish(frame, frame.length, 34, 16)).toBe(true)
    expect(frame).toEqual(right)
  })
})

describe('neighbour discovery', () => {
  it('asks the group of the target, with the right hop limit and checksum', () => {
    const frame = w.neighbourSolicitation({ srcMac: macs.srcMac, src: 'fe80::1', target: 'fe80::12:3456' })
    expect(w.dissect(frame)).toMatchObject({
      dstMac: '33:33:ff:12:34:56',
      dst: 'ff02::1:ff12:3456',
      l4: 'icmpv6',
    })
    expect(w.parseIpv6(frame, 14)).toMatchObject({ hopLimit: 255 })
    expect(w.verifyChecksums(frame).l4).toBe('good')
  })

  it('carries no Ethernet address while the sender has no address', () => {
    const frame = w.neighbourSolicitation({ srcMac: macs.srcMac, src: '::', target: 'fe80::1' })
    expect(w.parseNd(frame, 54)).toMatchObject({ linkAddress: null, options: [] })
    expect(w.verifyChecksums(frame).l4).toBe('good')
  })

  it('answers with flags', () => {
    const about = { ...v6, target: 'fe80::1' }
    expect(w.parseNd(w.neighbourAdvertisement(about), 54)).toMatchObject({
      target: 'fe80::1',
      solicited: true,
      override: true,
      router: false,
      linkAddress: '02:00:00:00:00:01',
    })
    const plain = w.neighbourAdvertisement({ ...about, solicited: false, override: false, router: true })
    expect(w.parseNd(plain, 54)).toMatchObject({ solicited: false, override: false, router: true })
    expect(w.verifyChecksums(plain).l4).toBe('good')
  })
})

describe('builders', () => {
  it('refuse addresses of two versions', () => {
    expect(() => w.udpFrame({ ...v4, dst: 'fe80::1', srcPort: 1, dstPort: 2 })).toThrow(
      'must be of one IP version',
    )
  })

  it('take addresses as text, numbers and bytes alike', () => {
    const text = w.udpFrame({ ...v4, srcPort: 1, dstPort: 2 })
    expect(
      w.udpFrame({ ...v4, src: 0x0a000001, dst: Uint8Array.of(10, 0, 0, 2), srcPort: 1, dstPort: 2 }),
    ).toEqual(text)
    expect(
      w.udpFrame({
        ...v6,
        src: w.parseIpv6Address('fe80::1')!,
        dst: w.parseIpv6Address('fe80::2')!,
        srcPort: 1,
        dstPort: 2,
      }),
    ).toEqual(w.udpFrame({ ...v6, srcPort: 1, dstPort: 2 }))
  })

  it.each([
    [{ srcPort: 65536 }, 'a port must be'],
    [{ srcPort: -1 }, 'a port must be'],
    [{ payload: new Uint8Array(65528) }, 'the length of a'],
    [{ ttl: 300 }, 'a time to live must be'],
  ])('refuse %o', (wrong, message) => {
    expect(() => w.udpFrame({ ...v4, srcPort: 1, dstPort: 2, ...wrong })).toThrow(message)
  })
})

import { ethTypeTrans, netdevAllocSkb, netifRx, SKB_GSO_UDP_L4, skbPut } from '@vnet/netdev'
import { udpFrame, formatFrame } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { IpPmtudisc, neighAdd, NlmNew, RawSock, UdpSock } from '../../src/index.ts'
import { Host, ip, MAC_A, MAC_B, Pair, receive, text } from '../helpers.ts'
import { fixHeader } from '../packets.ts'

const FROM = { srcMac: MAC_B, dstMac: MAC_A, src: '10.0.0.2', dst: '10.0.0.1' }
const ANY = ip('0.0.0.0')

function open(host: Host): UdpSock {
  return new UdpSock(host.inet, 2, host.ipv4.udp)
}

function bound(host: Host, address: string, port: number): UdpSock {
  const sock = open(host)
  sock.bind({ address: ip(address), port })
  return sock
}

describe('a UDP socket', () => {
  it('sends to another machine and hears back', () => {
    const pair = new Pair()
    const server = bound(pair.b, '0.0.0.0', 53)
    const client = open(pair.a)
    client.connect({ address: ip('10.0.0.2'), port: 53 })
    client.sendmsg(Uint8Array.of(1, 2, 3))
    pair.settle()
    const question = server.recvmsg()!
    expect([...question.bytes]).toEqual([1, 2, 3])
    expect([text(question.from.address), text(question.to)]).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(question.from.port).toBe(client.localPort)
    server.sendmsg(Uint8Array.of(9), question.from)
    pair.settle()
    expect([...client.recvmsg()!.bytes]).toEqual([9])
    expect(pair.a.ipv4.udp).toMatchObject({ inDatagrams: 1, outDatagrams: 1 })
    client.close()
    server.close()
    pair.end()
  })

  it('refuses what Linux refuses', () => {
    const host = new Host()
    const sock = open(host)
    const code = (name: string): unknown => expect.objectContaining({ code: name })
    expect(() => sock.sendmsg(new Uint8Array(1))).toThrow(code('EDESTADDRREQ'))
    expect(() => sock.sendmsg(new Uint8Array(1), { address: ip('10.0.0.2'), port: 0 })).toThrow(
      code('EINVAL'),
    )
    expect(() => sock.connect({ address: ip('1.1.1.1'), port: 1 })).toThrow(code('ENETUNREACH'))
    expect(host.ipv4.ip.outNoRoutes).toBe(1)
    expect(() => sock.connect({ address: ip('10.0.0.255'), port: 1 })).toThrow(code('EACCES'))
    expect(() => sock.bind({ address: ip('10.0.0.2'), port: 1 })).toThrow(code('EADDRNOTAVAIL'))
    expect(() => sock.getpeername()).toThrow(code('ENOTCONN'))
    expect(() => sock.bind({ address: new Uint8Array(16), port: 1 })).toThrow(code('EAFNOSUPPORT'))
    sock.bind({ address: ANY, port: 5 })
    expect(() => sock.bind({ address: ANY, port: 6 })).toThrow(code('EINVAL'))
    const other = open(host)
    expect(() => other.bind({ address: ip('10.0.0.1'), port: 5 })).toThrow(code('EADDRINUSE'))
    other.options.reuseAddr = true
    expect(() => other.bind({ address: ip('10.0.0.1'), port: 5 })).toThrow(code('EADDRINUSE'))
    sock.close()
    other.bind({ address: ip('10.0.0.1'), port: 5 })
    expect(() => sock.sendmsg(new Uint8Array(1))).toThrow(code('EBADF'))
    other.close()
    expect(host.inet.sockets.open).toBe(0)
    host.end()
  })

  it('that says most about a datagram gets it', () => {
    const host = new Host()
    host.addr('10.0.0.9/24')
    const any = bound(host, '0.0.0.0', 7)
    const own = open(host)
    own.options.reuseAddr = any.options.reuseAddr = true
    own.bind({ address: ip('10.0.0.1'), port: 7 })
    const peer = open(host)
    peer.options.reuseAddr = true
    peer.bind({ address: ip('10.0.0.1'), port: 7 })
    peer.connect({ address: ip('10.0.0.2'), port: 1000 })
    const say = (dst: string, srcPort: number): void =>
      receive(host.dev, udpFrame({ ...FROM, dst, srcPort, dstPort: 7, payload: new Uint8Array(1) }))
    say('10.0.0.9', 1000)
    say('10.0.0.1', 1000)
    say('10.0.0.1', 2000)
    expect([any, own, peer].map((sock) => sock.received.length)).toEqual([1, 1, 1])
    for (const sock of [any, own, peer]) sock.close()
    host.end()
  })

  it('shares what goes to all and to groups with the others', () => {
    const host = new Host()
    const one = bound(host, '0.0.0.0', 7)
    const two = open(host)
    one.options.reuseAddr = two.options.reuseAddr = true
    two.bind({ address: ANY, port: 7 })
    for (const dst of ['10.0.0.255', '255.255.255.255', '224.0.0.1']) {
      receive(host.dev, udpFrame({ ...FROM, dst, srcPort: 1, dstPort: 7, payload: new Uint8Array(1) }))
    }
    expect([one.received.length, two.received.length]).toEqual([3, 3])
    one.close()
    two.close()
    host.end()
  })

  it('hears its own broadcast', () => {
    const host = new Host()
    const sock = bound(host, '0.0.0.0', 7)
    sock.options.broadcast = true
    sock.sendmsg(Uint8Array.of(5), { address: ip('10.0.0.255'), port: 7 })
    host.kernel.runFor(1e6)
    expect([...sock.recvmsg()!.bytes]).toEqual([5])
    const [frame] = host.take()
    expect([...frame!.slice(0, 6)]).toEqual([255, 255, 255, 255, 255, 255])
    sock.close()
    host.end()
  })

  it('keeps no more than its buffer allows', () => {
    const host = new Host()
    const sock = bound(host, '0.0.0.0', 7)
    sock.options.rcvbuf = 10_000
    for (let i = 0; i < 100; i++) {
      receive(host.dev, udpFrame({ ...FROM, srcPort: 1, dstPort: 7, payload: new Uint8Array(1000) }))
    }
    expect(sock.received.length).toBe(7)
    expect(sock.drops).toBe(93)
    expect(host.ipv4.udp).toMatchObject({ inDatagrams: 7, rcvbufErrors: 93, inErrors: 93 })
    sock.close()
    host.end()
  })

  it('counts broken datagrams, and takes one without a checksum', () => {
    const host = new Host()
    const sock = bound(host, '0.0.0.0', 7)
    const make = (): Uint8Array =>
      udpFrame({ ...FROM, srcPort: 1, dstPort: 7, payload: Uint8Array.of(1, 2, 3) })
    const wrong = make()
    wrong[44]! ^= 1
    receive(host.dev, wrong)
    const long = make()
    long[39] = 99
    receive(host.dev, long)
    expect(host.ipv4.udp).toMatchObject({ inErrors: 2, inCsumErrors: 1 })
    // Bytes behind the datagram are not its.
    const padded = new Uint8Array(60)
    padded.set(make())
    padded[17] = 46
    fixHeader(padded)
    receive(host.dev, padded)
    expect([...sock.recvmsg()!.bytes]).toEqual([1, 2, 3])
    const none = make()
    none[40] = none[41] = 0
    receive(host.dev, none)
    expect([...sock.recvmsg()!.bytes]).toEqual([1, 2, 3])
    sock.close()
    host.end()
  })

  it('gives its time to live and its service to what it sends', () => {
    const host = new Host()
    neighAdd(host.ipv4.arp, { dst: ip('10.0.0.2'), dev: host.dev, lladdr: new Uint8Array(6) }, NlmNew.CREATE)
    const sock = open(host)
    sock.options.ttl = 3
    sock.options.tos = 0x10
    sock.sendmsg(new Uint8Array(1), { address: ip('10.0.0.2'), port: 7 })
    sock.sendmsg(new Uint8Array(1), { address: ip('10.0.0.2'), port: 7 }, { ttl: 9 })
    expect(host.take().map((f) => [f[22], f[15]])).toEqual([
      [3, 0x10],
      [9, 0x10],
    ])
    sock.close()
    host.end()
  })
})

describe('datagrams merged on receive', () => {
  it('reach the socket one by one', () => {
    const host = new Host()
    const sock = bound(host, '0.0.0.0', 7)
    const payload = Uint8Array.from({ length: 25 }, (_, i) => i)
    const frame = udpFrame({ ...FROM, srcPort: 1, dstPort: 7, payload })
    const skb = netdevAllocSkb(host.dev, frame.length)!
    skb.mem.set(frame, skbPut(skb, frame.length))
    skb.gsoSize = 10
    skb.gsoSegs = 3
    skb.gsoType = SKB_GSO_UDP_L4
    host.kernel.hardware(() => {
      ethTypeTrans(skb, host.dev)
      netifRx(skb)
    })
    const got = [sock.recvmsg(), sock.recvmsg(), sock.recvmsg()].map((d) => d?.bytes.length)
    expect(got).toEqual([10, 10, 5])
    expect(host.ipv4.udp).toMatchObject({ inDatagrams: 3, inErrors: 0 })
    sock.close()
    host.end()
  })
})

describe('an own port nobody listens at', () => {
  it.each([true, false])('refuses a connected socket (loopback device: %s)', (lo) => {
    const host = new Host({ lo })
    const sock = open(host)
    sock.connect({ address: ip('10.0.0.1'), port: 9 })
    sock.sendmsg(new Uint8Array(3))
    host.kernel.runFor(1e6)
    expect(() => sock.recvmsg()).toThrow('Connection refused')
    expect(host.ipv4.udp.noPorts).toBe(1)
    sock.close()
    host.end()
  })
})

describe('the identification', () => {
  it('counts for a connected socket by itself, for others by the machine, and is 0 for what is never split', () => {
    const host = new Host()
    neighAdd(host.ipv4.arp, { dst: ip('10.0.0.2'), dev: host.dev, lladdr: new Uint8Array(6) }, NlmNew.CREATE)
    const to = { address: ip('10.0.0.2'), port: 7 }
    const id = (sock: UdpSock): number => {
      sock.sendmsg(new Uint8Array(1), sock.remote === null ? to : null)
      const [frame] = host.take()
      return frame![18]! * 256 + frame![19]!
    }
    const one = open(host)
    const two = open(host)
    two.connect(to)
    const [a, x, b, y] = [id(one), id(two), id(one), id(two)]
    expect([b - a, y - x]).toEqual([1, 1])
    expect(Math.abs(x - a)).toBeGreaterThan(1)
    one.options.mtuDiscover = IpPmtudisc.DO
    expect(id(one)).toBe(0)
    one.close()
    two.close()
    host.end()
  })
})

describe('a raw socket', () => {
  it('sends a whole packet, completed where it is zero', () => {
    const host = new Host()
    neighAdd(host.ipv4.arp, { dst: ip('10.0.0.2'), dev: host.dev, lladdr: new Uint8Array(6) }, NlmNew.CREATE)
    const sock = new RawSock(host.inet, 2, 255)
    const packet = udpFrame({
      ...FROM,
      src: '0.0.0.0',
      dst: '10.0.0.2',
      srcPort: 1,
      dstPort: 7,
      payload: new Uint8Array(2),
    }).slice(14)
    sock.sendmsg(packet, { address: ip('10.0.0.2'), port: 0 })
    expect(host.take().map((f) => formatFrame(f))).toEqual([
      expect.stringContaining('10.0.0.1.1 > 10.0.0.2.7'),
    ])
    expect(() => sock.sendmsg(new Uint8Array(10), { address: ip('10.0.0.2'), port: 0 })).toThrow(
      'Invalid argument',
    )
    expect(() => sock.sendmsg(new Uint8Array(1501), { address: ip('10.0.0.2'), port: 0 })).toThrow(
      'Message too long',
    )
    sock.close()
    host.end()
  })
})

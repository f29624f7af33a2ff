import { formatFrame, icmpEchoRequest, udpFrame, buildIcmp } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { neighAdd, NlmNew, PingSock, RawSock, UdpSock } from '../../src/index.ts'
import { Host, ip, MAC_A, MAC_B, receive, text } from '../helpers.ts'
import { fixHeader, ipFrame } from '../packets.ts'

const FROM = { srcMac: MAC_B, dstMac: MAC_A, src: '10.0.0.2', dst: '10.0.0.1' }

/** A host that knows its peer, so that answers leave at once. */
function host(options = {}): Host {
  const h = new Host(options)
  const lladdr = Uint8Array.of(2, 0, 0, 0, 0, 2)
  neighAdd(h.ipv4.arp, { dst: ip('10.0.0.2'), dev: h.dev, lladdr }, NlmNew.CREATE)
  return h
}

function said(h: Host): string[] {
  return h.take().map((frame) => formatFrame(frame))
}

function icmp(type: number, code: number, payload: Uint8Array, rest = 0): Uint8Array {
  const message = new Uint8Array(8 + payload.length)
  message.set(payload, 8)
  buildIcmp(message, 0, { type, code, rest, payloadLength: payload.length })
  return message
}

describe('ICMP', () => {
  it('answers an echo with its bytes', () => {
    const h = host()
    receive(h.dev, icmpEchoRequest({ ...FROM, id: 5, seq: 9, payload: Uint8Array.of(1, 2, 3) }))
    const [frame] = h.take()
    expect(formatFrame(frame!)).toContain('10.0.0.1 > 10.0.0.2: ICMP echo reply, id 5, seq 9, length 11')
    expect([...frame!.slice(-3)]).toEqual([1, 2, 3])
    expect(h.ipv4.icmp.inType[8]).toBe(1)
    expect(h.ipv4.icmp.outType[0]).toBe(1)
    h.end()
  })

  it('is silent about echoes to all, to groups, with a wrong sum, or when told to be', () => {
    const h = host()
    receive(h.dev, icmpEchoRequest({ ...FROM, dst: '10.0.0.255', id: 5, seq: 9, payload: new Uint8Array(3) }))
    receive(h.dev, icmpEchoRequest({ ...FROM, dst: '224.0.0.1', id: 5, seq: 9, payload: new Uint8Array(3) }))
    expect(h.ipv4.icmp.inErrors).toBe(2)
    const broken = icmpEchoRequest({ ...FROM, id: 5, seq: 9, payload: new Uint8Array(3) })
    broken[broken.length - 1] = 1
    receive(h.dev, broken)
    expect(h.ipv4.icmp.inCsumErrors).toBe(1)
    h.ipv4.sysctl.icmpEchoIgnoreAll = true
    receive(h.dev, icmpEchoRequest({ ...FROM, id: 5, seq: 9, payload: new Uint8Array(3) }))
    expect(said(h)).toEqual([])
    h.end()
  })

  it('says that a port or a protocol is unknown', () => {
    const h = host()
    receive(h.dev, udpFrame({ ...FROM, srcPort: 1000, dstPort: 2000, payload: new Uint8Array(4) }))
    receive(h.dev, ipFrame({ protocol: 99, payload: new Uint8Array(30) }))
    const [port, protocol] = said(h)
    expect(port).toContain('10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 udp port 2000 unreachable')
    expect(protocol).toContain('ICMP 10.0.0.1 protocol 99 unreachable')
    expect(h.ipv4.ip.inUnknownProtos).toBe(1)
    expect(h.ipv4.udp.noPorts).toBe(1)
    h.end()
  })

  it('never reports about errors, groups, all, or later fragments', () => {
    const h = host()
    const payload = new Uint8Array(40)
    receive(h.dev, udpFrame({ ...FROM, dst: '10.0.0.255', srcPort: 1, dstPort: 2, payload }))
    receive(h.dev, udpFrame({ ...FROM, dst: '224.0.0.1', srcPort: 1, dstPort: 2, payload }))
    receive(
      h.dev,
      udpFrame({ ...FROM, src: '0.0.0.0', dst: '255.255.255.255', srcPort: 1, dstPort: 2, payload }),
    )
    // An error about a packet to a port that is not open here.
    const inner = udpFrame({ ...FROM, src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1, dstPort: 2, payload })
    receive(h.dev, ipFrame({ protocol: 1, payload: icmp(3, 3, inner.slice(14)) }))
    expect(said(h)).toEqual([])
    h.end()
  })

  it('sends six errors to one host at once, then one a second', () => {
    const h = host()
    const probe = (): void =>
      receive(h.dev, udpFrame({ ...FROM, srcPort: 1, dstPort: 2, payload: new Uint8Array(4) }))
    h.kernel.runFor(1e9)
    for (let i = 0; i < 20; i++) probe()
    expect(h.take().length).toBe(6)
    expect(h.ipv4.icmp.outRateLimitHost).toBe(14)
    h.kernel.runFor(1.01e9)
    for (let i = 0; i < 5; i++) probe()
    expect(h.take().length).toBe(1)
    h.end()
  })

  it('tells a connected UDP socket that its port is closed', () => {
    const h = host()
    const sock = new UdpSock(h.inet, 2, h.ipv4.udp)
    sock.connect({ address: ip('10.0.0.2'), port: 9 })
    sock.sendmsg(new Uint8Array(4))
    const [sent] = h.take()
    let woken = 0
    sock.onReadable = () => woken++
    receive(h.dev, ipFrame({ protocol: 1, payload: icmp(3, 3, sent!.slice(14)) }))
    expect(woken).toBe(1)
    expect(() => sock.recvmsg()).toThrow('Connection refused')
    expect(sock.recvmsg()).toBe(null)
    // A passing trouble of the network is not told without being asked for.
    receive(h.dev, ipFrame({ protocol: 1, payload: icmp(3, 1, sent!.slice(14)) }))
    expect(sock.readable).toBe(false)
    sock.close()
    h.end()
  })

  it('tells a ping socket of time exceeded, with who said it', () => {
    const h = host()
    const sock = new PingSock(h.inet, 2)
    sock.options.recverr = true
    sock.sendmsg(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 3), { address: ip('10.0.0.2'), port: 0 })
    const [sent] = h.take()
    receive(h.dev, ipFrame({ src: '10.0.0.7', protocol: 1, payload: icmp(11, 0, sent!.slice(14)) }))
    const error = sock.recverr()!
    expect(error).toMatchObject({ errno: 113, type: 11, code: 0, origin: 2 })
    expect(text(error.offender!.address)).toBe('10.0.0.7')
    expect(error.bytes).toEqual(sent!.slice(34))
    expect(sock.recvmsg()).toBe(null)
    sock.close()
    h.end()
  })

  it('learns the MTU of a path, and splits by it for ten minutes', () => {
    const h = host()
    const sock = new UdpSock(h.inet, 2, h.ipv4.udp)
    sock.sendmsg(new Uint8Array(1000), { address: ip('10.0.0.2'), port: 9 })
    const [sent] = h.take()
    receive(h.dev, ipFrame({ protocol: 1, payload: icmp(3, 4, sent!.slice(14, 60), 600) }))
    sock.sendmsg(new Uint8Array(1000), { address: ip('10.0.0.2'), port: 9 })
    expect(h.take().length).toBe(2)
    h.kernel.runFor(601e9)
    sock.sendmsg(new Uint8Array(1000), { address: ip('10.0.0.2'), port: 9 })
    expect(h.take().length).toBe(1)
    sock.close()
    h.end()
  })

  it('shows raw sockets whole packets, but for the types they do not want', () => {
    const h = host()
    const sock = new RawSock(h.inet, 2, 1)
    sock.options.icmpFilter = 1 << 8
    receive(h.dev, icmpEchoRequest({ ...FROM, id: 5, seq: 9, payload: new Uint8Array(3) }))
    expect(sock.recvmsg()).toBe(null)
    receive(h.dev, ipFrame({ protocol: 1, payload: icmp(0, 0, new Uint8Array(4)) }))
    const got = sock.recvmsg()!
    expect([got.bytes.length, got.bytes[0], got.bytes[9]]).toEqual([32, 0x45, 1])
    sock.close()
    h.end()
  })
})

describe('input', () => {
  it.each<[string, (frame: Uint8Array) => Uint8Array | undefined, string]>([
    ['a version that is not 4', (f) => void (f[14] = 0x55), 'inHdrErrors'],
    ['a header too short', (f) => void (f[14] = 0x44), 'inHdrErrors'],
    ['a header past the end', (f) => void (f[14] = 0x4f), 'inHdrErrors'],
    ['a wrong checksum', (f) => void (f[24]! ^= 1), 'inHdrErrors'],
    ['fewer bytes than it says', (f) => f.slice(0, 50), 'inTruncatedPkts'],
    ['less than a header', (f) => f.slice(0, 33), 'inHdrErrors'],
  ])('drops %s', (_name, break_, counter) => {
    const h = host()
    const frame = udpFrame({ ...FROM, srcPort: 1, dstPort: 2, payload: new Uint8Array(40) })
    receive(h.dev, break_(frame) ?? frame)
    expect(h.ipv4.ip).toMatchObject({ inReceives: 1, [counter]: 1, inDelivers: 0 })
    expect(h.take()).toEqual([])
    h.end()
  })

  it('passes over options and padding, and refuses source routes and broken options', () => {
    const h = host()
    const sock = new UdpSock(h.inet, 2, h.ipv4.udp)
    sock.bind({ address: ip('0.0.0.0'), port: 2 })
    const plain = udpFrame({ ...FROM, srcPort: 1, dstPort: 2, payload: Uint8Array.of(7) })
    const withOptions = (options: number[]): Uint8Array => {
      const frame = new Uint8Array(plain.length + options.length + 6)
      frame.set(plain.slice(0, 34))
      frame.set(options, 34)
      frame.set(plain.slice(34), 34 + options.length)
      frame[14] = 0x45 + options.length / 4
      frame[17] = plain.length - 14 + options.length
      fixHeader(frame)
      return frame
    }
    receive(h.dev, withOptions([1, 1, 1, 0]))
    receive(h.dev, withOptions([7, 7, 4, 0, 0, 0, 0, 0]))
    expect([sock.recvmsg()!.bytes[0], sock.recvmsg()!.bytes[0]]).toEqual([7, 7])
    receive(h.dev, withOptions([131, 7, 4, 0, 0, 0, 0, 0]))
    receive(h.dev, withOptions([7, 9, 4, 0]))
    expect(sock.recvmsg()).toBe(null)
    expect(h.ipv4.ip.inHdrErrors).toBe(1)
    expect(said(h)).toEqual([expect.stringContaining('ICMP parameter problem')])
    sock.close()
    h.end()
  })

  it('takes nothing from itself, from groups, or for others', () => {
    const h = host()
    const probe = (src: string, dst: string): void =>
      receive(h.dev, icmpEchoRequest({ ...FROM, src, dst, id: 1, seq: 1, payload: new Uint8Array(1) }))
    probe('10.0.0.1', '10.0.0.1')
    probe('224.0.0.1', '10.0.0.1')
    probe('255.255.255.255', '10.0.0.1')
    probe('127.0.0.1', '10.0.0.1')
    probe('10.0.0.2', '127.0.0.1')
    probe('0.0.0.0', '10.0.0.1')
    probe('10.0.0.2', '10.0.0.77')
    probe('10.0.0.2', '239.1.1.1')
    expect(h.ipv4.ip).toMatchObject({ inReceives: 8, inDelivers: 0, inAddrErrors: 1 })
    h.end()
  })

  it.each([
    [0, '9.9.9.9', 1],
    [1, '9.9.9.9', 0],
    [2, '9.9.9.9', 0],
    [1, '10.0.0.2', 1],
    [2, '10.0.0.2', 1],
  ])('with rp_filter %i takes from %s: %i', (rpFilter, src, taken) => {
    const h = host()
    h.ipv4.inDev(h.dev)!.cnf.rpFilter = rpFilter
    receive(h.dev, icmpEchoRequest({ ...FROM, src, id: 1, seq: 1, payload: new Uint8Array(1) }))
    expect(h.ipv4.ip.inDelivers).toBe(taken)
    h.end()
  })
})

import { inetOf, PingSock, UdpSock, type Datagram, type SockError } from '@vnet/inet'
import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { CmsgWriter, putDatagramCmsgs, putErrorCmsg, readSendControl } from '../../src/sock/cmsg.ts'
import { readSockaddr, writeSockaddr } from '../../src/sock/sockaddr.ts'

const V4 = Uint8Array.of(10, 0, 0, 2)
const V6 = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2)

/** Level, type and data of each control message. */
function parse(bytes: Uint8Array | undefined): [level: number, type: number, data: number[]][] {
  const out: [number, number, number[]][] = []
  if (bytes === undefined) return out
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true))
    out.push([
      view.getInt32(at + 8, true),
      view.getInt32(at + 12, true),
      [...bytes.subarray(at + 16, at + length)],
    ])
    at += (length + 7) & ~7
  }
  return out
}

function datagram(from: Uint8Array, to: Uint8Array): Datagram {
  return {
    bytes: new Uint8Array(1),
    from: { address: from, port: 7 },
    to,
    ifindex: 2,
    ttl: 63,
    tos: 4,
    tstamp: 1_500_001_234,
  }
}

describe('control messages a program gets', () => {
  it('none are sent to who asks for none', () => {
    const sock = new PingSock(inetOf(createKernel()), 2)
    const w = new CmsgWriter()
    putDatagramCmsgs(w, sock, datagram(V4, V4), 0n, false)
    expect(w.bytes()).toBeUndefined()
  })

  it('IPv4: stamp, packet info, TTL and TOS', () => {
    const sock = new PingSock(inetOf(createKernel()), 2)
    Object.assign(sock.options, { timestamp: true, pktinfo: true, recvttl: true, recvtos: true })
    const w = new CmsgWriter()
    putDatagramCmsgs(w, sock, datagram(V4, V4), 1_000_000_000n, false)
    const [stamp, info, ttl, tos] = parse(w.bytes())
    expect(stamp).toEqual([
      1,
      29,
      [2, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(Int32Array.of(500_001).buffer), 0, 0, 0, 0],
    ])
    expect(info).toEqual([0, 8, [2, 0, 0, 0, ...V4, ...V4]])
    expect([ttl, tos]).toEqual([
      [0, 2, [63, 0, 0, 0]],
      [0, 1, [4]],
    ])
  })

  it('IPv6: hop limit, class and packet info have other numbers, and a stamp may be in nanoseconds', () => {
    const sock = new PingSock(inetOf(createKernel()), 10)
    Object.assign(sock.options, { timestamp: true, pktinfo: true, recvttl: true, recvtos: true })
    const w = new CmsgWriter()
    putDatagramCmsgs(w, sock, datagram(V6, V6), 0n, true)
    expect(parse(w.bytes()).map(([level, type]) => [level, type])).toEqual([
      [1, 35],
      [41, 50],
      [41, 52],
      [41, 67],
    ])
  })

  it('an entry of the error queue says who reported it', () => {
    const error: SockError = {
      errno: 113,
      origin: 2,
      type: 3,
      code: 1,
      info: 0,
      offender: { address: V4, port: 0 },
      to: { address: V4, port: 0 },
      bytes: new Uint8Array(0),
      tstamp: 0,
    }
    const w = new CmsgWriter()
    putErrorCmsg(w, 2, error)
    putErrorCmsg(w, 2, { ...error, offender: null })
    const [reported, local] = parse(w.bytes())
    expect(reported).toEqual([
      0,
      11,
      [113, 0, 0, 0, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, ...V4, 0, 0, 0, 0, 0, 0, 0, 0],
    ])
    expect(local![2].slice(16)).toEqual(new Array(16).fill(0))
  })
})

describe('control messages a program sends', () => {
  it('choose TTL, TOS, source and device of one datagram', () => {
    const w = new CmsgWriter()
    w.putInt(0, 2, 5)
    w.put(0, 1, Uint8Array.of(8))
    w.put(0, 8, Uint8Array.of(3, 0, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0))
    w.putInt(1, 99, 1)
    expect(readSendControl(w.bytes(), 2)).toEqual({
      ttl: 5,
      tos: 8,
      ifindex: 3,
      src: Uint8Array.of(10, 0, 0, 1),
    })
  })

  it.each([
    ['a TTL of 0', (w: CmsgWriter) => w.putInt(0, 2, 0)],
    ['a type nobody knows', (w: CmsgWriter) => w.putInt(0, 77, 0)],
    ['half a packet info', (w: CmsgWriter) => w.put(0, 8, new Uint8Array(6))],
  ])('%s is refused', (_what, put) => {
    const w = new CmsgWriter()
    put(w)
    expect(() => readSendControl(w.bytes(), 2)).toThrow('Invalid argument')
  })

  it('one that is longer than there is, too', () => {
    const bytes = new Uint8Array(16)
    bytes[0] = 200
    expect(() => readSendControl(bytes, 2)).toThrow('Invalid argument')
  })
})

describe('addresses', () => {
  it.each([
    ['IPv4', { address: V4, port: 0x1234 }, 2, 16],
    ['IPv6', { address: V6, port: 53, scopeId: 9 }, 10, 28],
  ] as const)('%s survives the way out and in', (_what, addr, family, length) => {
    const bytes = writeSockaddr(addr)
    expect(bytes).toHaveLength(length)
    expect(readSockaddr(bytes, family)).toEqual(addr)
  })

  it('an old IPv6 address has no scope', () => {
    expect(readSockaddr(writeSockaddr({ address: V6, port: 1 }).subarray(0, 24), 10).scopeId).toBe(0)
    expect(() => readSockaddr(new Uint8Array(20).fill(10, 0, 1), 10)).toThrow('Invalid argument')
  })

  it('a socket of one family takes no address of the other', () => {
    const inet = inetOf(createKernel())
    expect(() => readSockaddr(writeSockaddr({ address: V4, port: 1 }), 10)).toThrow()
    expect(new UdpSock(inet, 2, inet.ipv4.udp).family).toBe(2)
  })
})

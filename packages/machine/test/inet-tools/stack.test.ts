import { devGetByName } from '@vnet/netdev'
import { bind, connect, getsockname, setsockopt, socket } from '@vnet/tools'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { calls } from '../helpers/calls.ts'
import { MachinePair } from './pair.ts'

let pair: MachinePair
beforeEach(() => {
  pair = new MachinePair()
})
afterEach(() => {
  pair.end()
})

const MAC_A = [2, 0, 0, 0, 0, 1]
const MAC_B = [2, 0, 0, 0, 0, 2]
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

/** The sum of RFC 1071 over any number of bytes. */
function sum(...parts: readonly (readonly number[])[]): number {
  let total = 0
  for (const bytes of parts)
    for (let i = 0; i < bytes.length; i += 2) total += (bytes[i]! << 8) + (bytes[i + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return ~total & 0xffff
}

function be32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

function segment(flags: number, pseudo: readonly number[], bytes = 0): number[] {
  const head = [0x30, 0x39, 0, 80, ...be32(1000), ...be32(77), 0x50, flags, 1, 0, 0, 0, 0, 0]
  const all = [...head, ...new Array<number>(bytes).fill(65)]
  const check = sum([...pseudo, 0, all.length], all)
  all[16] = check >> 8
  all[17] = check & 255
  return all
}

/** A TCP segment from 10.0.0.2 to 10.0.0.1. */
function tcp4(flags: number, bytes = 0): Uint8Array {
  const [src, dst] = [
    [10, 0, 0, 2],
    [10, 0, 0, 1],
  ] as const
  const tcp = segment(flags, [...src, ...dst, 0, 6], bytes)
  const ip = [0x45, 0, 0, 20 + tcp.length, 0, 1, 0x40, 0, 64, 6, 0, 0, ...src, ...dst]
  const check = sum(ip)
  ip[10] = check >> 8
  ip[11] = check & 255
  return Uint8Array.from([...MAC_A, ...MAC_B, 8, 0, ...ip, ...tcp])
}

const LL_A = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1]
const LL_B = [...LL_A.slice(0, 15), 2]

function tcp6(flags: number): Uint8Array {
  const tcp = segment(flags, [...LL_B, ...LL_A, 0, 6])
  const ip = [0x60, 0, 0, 0, 0, tcp.length, 6, 64, ...LL_B, ...LL_A]
  return Uint8Array.from([...MAC_A, ...MAC_B, 0x86, 0xdd, ...ip, ...tcp])
}

/** What the first machine sends when the other sends this. */
function answers(frame: Uint8Array): Uint8Array[] {
  pair.run('ping -c 1 10.0.0.2')
  pair.run('ping -c 1 fe80::ff:fe00:2%vnet0')
  pair.endA.sent.length = 0
  pair.endB.waiting.push(frame)
  pair.runFor(2e6)
  return pair.endA.sent
}

describe('a TCP segment for a machine without TCP', () => {
  it('that opens a connection is answered with a reset that acknowledges it', () => {
    const [reset] = answers(tcp4(SYN))
    expect([...reset!.subarray(14, 24)]).toEqual([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6])
    expect([...reset!.subarray(26, 34)]).toEqual([10, 0, 0, 1, 10, 0, 0, 2])
    const tcp = [...reset!.subarray(34, 54)]
    expect(tcp.slice(0, 14)).toEqual([0, 80, 0x30, 0x39, 0, 0, 0, 0, ...be32(1001), 0x50, RST | ACK])
    expect(sum([10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, 20], tcp)).toBe(0)
    expect(pair.run('cat /proc/net/snmp').stdout).toMatch(/^Tcp: 1 200 120000 -1 0 0 0 0 0 1 1 0 0 1 0$/m)
  })

  it('that acknowledges something is answered at that place', () => {
    const [reset] = answers(tcp4(ACK, 5))
    expect([...reset!.subarray(38, 48)]).toEqual([...be32(77), 0, 0, 0, 0, 0x50, RST])
  })

  it('with data and an end acknowledges both', () => {
    const [reset] = answers(tcp4(FIN, 5))
    expect([...reset!.subarray(42, 46)]).toEqual(be32(1006))
  })

  it('that is a reset is not answered', () => {
    expect(answers(tcp4(RST))).toEqual([])
    expect(pair.a.inet.tcp).toMatchObject({ inSegs: 1, outRsts: 0 })
  })

  it('with a broken checksum is counted and not answered', () => {
    const frame = tcp4(SYN)
    frame[50]! ^= 1
    expect(answers(frame)).toEqual([])
    expect(pair.a.inet.tcp).toMatchObject({ inErrs: 1, inCsumErrors: 1 })
  })

  it('is answered over IPv6 too', () => {
    const [reset] = answers(tcp6(SYN))
    expect([...reset!.subarray(14, 22)]).toEqual([0x60, 0, 0, 0, 0, 20, 6, 64])
    const tcp = [...reset!.subarray(54, 74)]
    expect(tcp.slice(0, 14)).toEqual([0, 80, 0x30, 0x39, 0, 0, 0, 0, ...be32(1001), 0x50, RST | ACK])
    expect(sum(LL_A, LL_B, [0, 6, 0, 20], tcp)).toBe(0)
    expect(answers(tcp6(RST))).toEqual([])
  })
})

describe('the loopback device', () => {
  it('has no groups with link addresses, as on Linux', () => {
    expect(pair.run('cat /proc/net/dev_mcast').stdout).not.toContain(' lo ')
    expect(devGetByName(pair.a.kernel, 'lo')!.mc.values().next().done).toBe(true)
    expect(pair.run('cat /proc/net/igmp6').stdout).toMatch(/^1 +lo /m)
  })
})

describe('net.ipv6.conf', () => {
  const groups = (): string => pair.run('cat /proc/net/igmp6').stdout

  it('forwarding puts the devices into the groups of routers, and takes them out', () => {
    const before = groups()
    pair.a.vfs.write('/proc/sys/net/ipv6/conf/all/forwarding', '1\n')
    expect(groups()).toMatch(/^\d+ +vnet0 +ff020000000000000000000000000002 /m)
    expect(pair.run('cat /proc/sys/net/ipv6/conf/default/forwarding').stdout).toBe('1\n')
    expect(pair.run('cat /proc/sys/net/ipv6/conf/vnet0/forwarding').stdout).toBe('1\n')
    pair.a.vfs.write('/proc/sys/net/ipv6/conf/all/forwarding', '0\n')
    expect(groups()).toBe(before)
  })
})

/** `struct sockaddr_in6`. */
function sockaddr6(address: readonly number[], port: number, scope: number): Uint8Array {
  return Uint8Array.from([10, 0, port >> 8, port & 255, 0, 0, 0, 0, ...address, scope, 0, 0, 0])
}

describe('an address that means something on one link', () => {
  const vnet0 = (): number => devGetByName(pair.a.kernel, 'vnet0')!.ifindex
  const ANY = new Array<number>(16).fill(0)

  it('binds the socket to its device', () => {
    const name = calls(pair.a.syscalls, function* (process) {
      const fd = yield* socket(process, 10, 2, 0)
      yield* bind(process, fd, sockaddr6(LL_A, 7000, vnet0()))
      return yield* getsockname(process, fd)
    })
    expect([...name]).toEqual([...sockaddr6(LL_A, 7000, vnet0())])
  })

  it('cannot be bound to without a device, nor on a device that has another', () => {
    const attempt = (address: readonly number[], scope: number) => () =>
      calls(pair.a.syscalls, function* (process) {
        const fd = yield* socket(process, 10, 2, 0)
        yield* bind(process, fd, sockaddr6(address, 7000, scope))
      })
    expect(attempt(LL_A, 0)).toThrow('Invalid argument')
    expect(attempt(LL_A, 1)).toThrow('Cannot assign requested address')
    expect(attempt(LL_B, vnet0())).toThrow('Cannot assign requested address')
    expect(attempt(LL_A, 99)).toThrow('No such device')
  })

  it('cannot be connected to by another device than the one the socket is bound to', () => {
    const attempt = (): unknown =>
      calls(pair.a.syscalls, function* (process) {
        const fd = yield* socket(process, 10, 2, 0)
        yield* setsockopt(process, fd, 1, 25, Uint8Array.from([108, 111, 0]))
        yield* connect(process, fd, sockaddr6(LL_B, 9, vnet0()))
      })
    expect(attempt).toThrow('Invalid argument')
  })

  it('gives a connected socket its device, and none to one of a wide address', () => {
    const scopes = calls(pair.a.syscalls, function* (process) {
      const fd = yield* socket(process, 10, 2, 0)
      yield* connect(process, fd, sockaddr6(LL_B, 9, vnet0()))
      const near = yield* getsockname(process, fd)
      const other = yield* socket(process, 10, 2, 0)
      yield* bind(process, other, sockaddr6(ANY, 0, vnet0()))
      return [near[24], (yield* getsockname(process, other))[24]]
    })
    expect(scopes).toEqual([vnet0(), 0])
  })
})

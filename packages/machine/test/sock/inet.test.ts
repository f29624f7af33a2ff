import { describe, expect, it } from 'vitest'
import {
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  recvfrom,
  sendto,
  setsockopt,
  socket,
  syscall,
} from '@vnet/tools'
import { Sioc, Sys, utf8 } from '@vnet/netlink'
import { configured } from '../helpers/machine.ts'
import { calls } from '../helpers/calls.ts'

const [AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW] = [2, 10, 1, 2, 3]

function sockaddrIn(a: number, b: number, c: number, d: number, port: number): Uint8Array {
  const out = new Uint8Array(16)
  out.set([2, 0, port >> 8, port & 255, a, b, c, d])
  return out
}

/** `struct ifreq` with an address in it. */
function ifreq(name: string, address?: readonly number[]): Uint8Array {
  const out = new Uint8Array(40)
  out.set(utf8(name))
  if (address !== undefined) out.set([2, 0, 0, 0, ...address], 16)
  return out
}

describe('making sockets', () => {
  it.each([
    [AF_INET, SOCK_STREAM, 0, 'Socket type not supported'],
    [AF_INET, SOCK_STREAM, 6, 'Socket type not supported'],
    [AF_INET, SOCK_DGRAM, 6, 'Protocol not supported'],
    [AF_INET, SOCK_DGRAM, 58, 'Protocol not supported'],
    [AF_INET, SOCK_RAW, 0, 'Protocol not supported'],
    [AF_INET, SOCK_RAW, 300, 'Invalid argument'],
    [1, SOCK_DGRAM, 0, 'Address family not supported by protocol'],
  ])('family %i, type %i, protocol %i: %s', (family, type, protocol, message) => {
    const { machine } = configured()
    expect(() => calls(machine.syscalls, (process) => socket(process, family, type, protocol))).toThrow(
      message,
    )
  })

  it.each([
    [AF_INET, SOCK_DGRAM, 0],
    [AF_INET, SOCK_DGRAM, 1],
    [AF_INET, SOCK_RAW, 1],
    [AF_INET6, SOCK_DGRAM, 17],
    [AF_INET6, SOCK_DGRAM, 58],
    [AF_INET6, SOCK_RAW, 58],
    [17, SOCK_RAW, 0],
  ])('family %i, type %i, protocol %i is one', (family, type, protocol) => {
    const { machine } = configured()
    expect(
      calls(machine.syscalls, (process) => socket(process, family, type, protocol)),
    ).toBeGreaterThanOrEqual(3)
  })
})

describe('datagrams', () => {
  it('go from one socket to another over lo', () => {
    const { machine } = configured()
    const got = calls(machine.syscalls, function* (process) {
      const server = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
      yield* bind(process, server, sockaddrIn(127, 0, 0, 1, 7000))
      const client = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
      yield* connect(process, client, sockaddrIn(127, 0, 0, 1, 7000))
      yield* sendto(process, client, utf8('hello'))
      const own = yield* getsockname(process, client)
      const received = yield* recvfrom(process, server, 100)
      yield* close(client)
      return { received, own }
    })
    expect(String.fromCharCode(...got.received.bytes)).toBe('hello')
    expect([...got.received.address!.subarray(0, 8)]).toEqual([...got.own.subarray(0, 8)])
  })

  it('to nobody give an error later', () => {
    const { machine } = configured()
    const program = (): unknown =>
      calls(machine.syscalls, function* (process) {
        const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
        yield* connect(process, fd, sockaddrIn(127, 0, 0, 1, 9))
        yield* sendto(process, fd, utf8('x'))
        return yield* recvfrom(process, fd, 100)
      })
    expect(program).toThrow('Connection refused')
  })

  it.each([
    ['a short address', new Uint8Array(8), 'Invalid argument'],
    ['another family', new Uint8Array(28).fill(10, 0, 1), 'Address family not supported by protocol'],
    ['an address of others', sockaddrIn(10, 0, 0, 77, 0), 'Cannot assign requested address'],
  ])('%s is refused by bind', (_what, address, message) => {
    const { machine } = configured()
    const program = (): unknown =>
      calls(machine.syscalls, function* (process) {
        const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
        yield* bind(process, fd, address)
      })
    expect(program).toThrow(message)
  })

  it('where there is no way, connect says so', () => {
    const { machine } = configured()
    const program = (): unknown =>
      calls(machine.syscalls, function* (process) {
        const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
        yield* connect(process, fd, sockaddrIn(8, 8, 8, 8, 53))
      })
    expect(program).toThrow('Network is unreachable')
  })
})

describe('options', () => {
  it.each([
    [0, 2, 9, 9],
    [0, 10, 2, 2],
    [0, 11, 1, 1],
    [1, 8, 5000, 10_000],
    [1, 6, 1, 1],
  ])('level %i, option %i: %i is told as %i', (level, name, value, told) => {
    const { machine } = configured()
    const got = calls(machine.syscalls, function* (process) {
      const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
      yield* setsockopt(process, fd, level, name, new Uint8Array(Int32Array.of(value).buffer))
      return yield* getsockopt(process, fd, level, name, 4)
    })
    expect(new DataView(got.buffer, got.byteOffset).getInt32(0, true)).toBe(told)
  })

  it.each([
    [0, 2, 256, 'Invalid argument'],
    [0, 999, 1, 'Protocol not available'],
    [41, 25, 1, 'Protocol not available'],
    [1, 25, 0x7878, 'No such device'],
  ])('level %i, option %i with %i: %s', (level, name, value, message) => {
    const { machine } = configured()
    const program = (): unknown =>
      calls(machine.syscalls, function* (process) {
        const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
        yield* setsockopt(process, fd, level, name, new Uint8Array(Int32Array.of(value).buffer))
      })
    expect(program).toThrow(message)
  })
})

describe('ioctls about addresses', () => {
  /** Makes an ioctl and gives the bytes as they are afterwards. */
  function ioctl(
    machine: ReturnType<typeof configured>['machine'],
    request: number,
    bytes: Uint8Array,
  ): Uint8Array {
    return calls(machine.syscalls, function* (process) {
      const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
      const at = process.memory.put(bytes)
      yield* syscall(fd, Sys.ioctl, [request, at])
      return process.memory.get(at, bytes.length)
    })
  }

  it.each([
    ['GIFADDR', [10, 0, 0, 1]],
    ['GIFNETMASK', [255, 255, 255, 0]],
    ['GIFDSTADDR', [10, 0, 0, 1]],
  ] as const)('%s tells the address', (name, address) => {
    const { machine } = configured()
    expect([...ioctl(machine, Sioc[name], ifreq('vnet0')).subarray(16, 24)]).toEqual([2, 0, 0, 0, ...address])
  })

  it('an address set by hand has the mask of its class, and its broadcast', () => {
    const { machine, dev } = configured()
    ioctl(machine, Sioc.SIFADDR, ifreq('vnet0', [192, 168, 7, 1]))
    const [ifa] = machine.inet.addresses(2, dev)
    expect([[...ifa!.local], ifa!.prefixlen, [...ifa!.broadcast!]]).toEqual([
      [192, 168, 7, 1],
      24,
      [192, 168, 7, 255],
    ])
    ioctl(machine, Sioc.SIFNETMASK, ifreq('vnet0', [255, 255, 0, 0]))
    const [wider] = machine.inet.addresses(2, dev)
    expect([wider!.prefixlen, [...wider!.broadcast!]]).toEqual([16, [192, 168, 255, 255]])
    ioctl(machine, Sioc.SIFBRDADDR, ifreq('vnet0', [192, 168, 9, 9]))
    expect([...machine.inet.addresses(2, dev)[0]!.broadcast!]).toEqual([192, 168, 9, 9])
  })

  it.each([
    ['no such device', Sioc.GIFADDR, ifreq('none'), 'No such device'],
    ['no such label', Sioc.GIFADDR, ifreq('vnet0:7'), 'Cannot assign requested address'],
    ['a mask with a hole', Sioc.SIFNETMASK, ifreq('vnet0', [255, 0, 255, 0]), 'Invalid argument'],
    ['an address of no host', Sioc.SIFADDR, ifreq('vnet0', [240, 0, 0, 1]), 'Invalid argument'],
    ['no IPv4 address', Sioc.SIFADDR, ifreq('vnet0'), 'Invalid argument'],
  ])('%s is refused', (_what, request, bytes, message) => {
    const { machine } = configured()
    expect(() => ioctl(machine, request, bytes)).toThrow(message)
  })

  it('all addresses are listed, as many as fit', () => {
    const { machine } = configured()
    const list = calls(machine.syscalls, function* (process) {
      const fd = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
      const buffer = process.memory.alloc(400)
      const ifconf = new DataView(new ArrayBuffer(16))
      const at = process.memory.put(new Uint8Array(16))
      const ask = function* (room: number, pointer: bigint) {
        ifconf.setInt32(0, room, true)
        ifconf.setBigUint64(8, pointer, true)
        process.memory.copyToUser(at, new Uint8Array(ifconf.buffer))
        yield* syscall(fd, Sys.ioctl, [Sioc.GIFCONF, at])
        return new DataView(process.memory.get(at, 4).buffer).getInt32(0, true)
      }
      const needed = yield* ask(0, 0n)
      const got = yield* ask(400, buffer)
      const small = yield* ask(50, buffer)
      return { needed, got, small, bytes: process.memory.get(buffer, 80) }
    })
    expect([list.needed, list.got, list.small]).toEqual([80, 80, 40])
    expect([...list.bytes.subarray(20, 24)]).toEqual([127, 0, 0, 1])
    expect([...list.bytes.subarray(60, 64)]).toEqual([10, 0, 0, 1])
  })
})

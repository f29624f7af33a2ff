import { describe, expect, it } from 'vitest'
import {
  decodeMessages,
  Ifla,
  NlmF,
  Nlmsg,
  NlWriter,
  Rtm,
  SockMsgFlag,
  SockOption,
  SOL_NETLINK,
  SOL_SOCKET,
  Sys,
} from '../../src/index.ts'
import { headerOf, ifinfo, makeRig } from '../rig.ts'
import { FakeProgram, putMsghdr, sockaddrNl } from './fake-program.ts'
import type { FakeFd } from './fake-program.ts'

const AF_NETLINK = 16
const RAW = 3

/** A request for one link by its name, as `ip link show` sends it. */
function getLink(name: string, seq: number): Uint8Array {
  const w = new NlWriter()
  const at = w.begin(Rtm.GETLINK, NlmF.REQUEST, seq, 0)
  ifinfo(w, { family: 17 })
  w.putString(Ifla.IFNAME, name)
  w.end(at)
  return w.bytes()
}

function int(p: FakeProgram, value: number): bigint {
  return p.put(new Uint8Array(Int32Array.of(value).buffer))
}

function option(p: FakeProgram, fd: FakeFd, level: number, name: number, value: number): number | undefined {
  return fd.call(Sys.setsockopt, level, name, int(p, value), 4)
}

describe.each([0, 1, 7])('netlink over system calls, pushed in pieces of %d bytes', (split) => {
  it('does what ip does: bind, getsockname, sendmsg, peek for the length, recvmsg', () => {
    const rig = makeRig()
    const p = new FakeProgram(rig.kernel)
    p.split = split
    const fd = p.socket(AF_NETLINK, RAW | 0x80000, 0, 4321)
    expect(option(p, fd, SOL_SOCKET, SockOption.SNDBUF, 32768)).toBe(0)
    expect(option(p, fd, SOL_SOCKET, SockOption.RCVBUF, 1048576)).toBe(0)
    expect(option(p, fd, SOL_NETLINK, 11, 1)).toBe(0)
    expect(fd.call(Sys.bind, p.put(sockaddrNl(0, 1)), 12)).toBe(0)
    const name = p.alloc(16)
    const length = int(p, 16)
    expect(fd.call(Sys.getsockname, name, length)).toBe(0)
    expect(p.u32(length)).toBe(12)
    expect(p.get(name, 12)).toEqual(sockaddrNl(4321, 1))

    const bytes = getLink('vnet0', 77)
    const to = p.put(sockaddrNl(0, 0))
    const sent = putMsghdr(p, { name: to, nameLength: 12, iov: [[p.put(bytes), bytes.length]] })
    expect(fd.call(Sys.sendmsg, sent, 0)).toBe(bytes.length)

    const from = p.alloc(16)
    const peek = putMsghdr(p, { name: from, nameLength: 16, iov: [[0n, 0]] })
    const full = fd.call(Sys.recvmsg, peek, SockMsgFlag.PEEK | SockMsgFlag.TRUNC)!
    expect(full).toBeGreaterThan(500)
    expect(p.u32(peek + 8n)).toBe(12)
    expect(p.u32(peek + 48n) & SockMsgFlag.TRUNC).toBe(SockMsgFlag.TRUNC)

    const buffer = p.alloc(32768)
    const got = putMsghdr(p, { name: from, nameLength: 16, iov: [[buffer, 32768]] })
    expect(fd.call(Sys.recvmsg, got, 0)).toBe(full)
    expect(p.get(from, 12)).toEqual(sockaddrNl(0, 0))
    expect(p.u32(got + 48n)).toBe(0)
    const [message] = decodeMessages(p.get(buffer, full), headerOf(0))
    expect(message).toMatchObject({ type: Rtm.NEWLINK, seq: 77, portid: 4321 })
    expect(fd.call(Sys.recvmsg, got, SockMsgFlag.DONTWAIT)).toBe(-11)
    fd.die()
    expect(p.server.open).toBe(0)
    expect(rig.server.open).toBe(0)
  })
})

describe('the netlink family', () => {
  function setup(flags = 0) {
    const rig = makeRig()
    const p = new FakeProgram(rig.kernel)
    return { rig, p, fd: p.socket(AF_NETLINK, RAW, 0, 100, flags) }
  }

  it('gives two sockets of a process different addresses', () => {
    const { p, fd } = setup()
    const other = p.socket(AF_NETLINK, RAW, 0, 100)
    const ports = [fd, other].map((one) => {
      one.call(Sys.bind, p.put(sockaddrNl(0, 0)), 12)
      const name = p.alloc(12)
      one.call(Sys.getsockname, name, int(p, 12))
      return p.u32(name + 4n) | 0
    })
    expect(ports[0]).toBe(100)
    expect(ports[1]).toBeLessThan(0)
  })

  it('refuses kinds, protocols and addresses as the kernel does', () => {
    const { p, fd } = setup()
    const fresh = (): FakeFd => p.open()
    expect(fresh().call(Sys.socket, AF_NETLINK, 1, 0, 0, 0)).toBe(-94)
    expect(fresh().call(Sys.socket, AF_NETLINK, RAW, 31, 0, 0)).toBe(-93)
    expect(fd.call(Sys.bind, p.put(sockaddrNl(0, 0)), 11)).toBe(-22)
    expect(fd.call(Sys.bind, p.put(new Uint8Array(12)), 12)).toBe(-22)
    expect(fd.call(Sys.bind, p.put(sockaddrNl(0, 0)), 129)).toBe(-22)
    expect(fd.call(Sys.bind, p.put(sockaddrNl(0, 0)), -1)).toBe(-22)
    expect(fd.call(Sys.sendto, p.put(new Uint8Array(16)), 16, 0, p.put(sockaddrNl(999, 0)), 12)).toBe(-111)
    expect(fd.call(Sys.sendto, p.put(new Uint8Array(16)), 16, SockMsgFlag.OOB, 0, 0)).toBe(-95)
    expect(fd.call(Sys.sendto, p.put(new Uint8Array(16)), 0, 0, 0, 0)).toBe(-61)
  })

  it('lets a program without the right read, and not change or talk to others', () => {
    const { rig, p, fd } = setup(1)
    const bytes = getLink('vnet0', 1)
    expect(fd.call(Sys.sendto, p.put(bytes), bytes.length, 0, 0, 0)).toBe(bytes.length)
    expect(fd.call(Sys.sendto, p.put(bytes), bytes.length, 0, p.put(sockaddrNl(5, 0)), 12)).toBe(-1)
    expect(fd.call(Sys.connect, p.put(sockaddrNl(5, 0)), 12)).toBe(-1)
    const w = new NlWriter()
    const at = w.begin(Rtm.NEWLINK, NlmF.REQUEST | NlmF.ACK, 9, 0)
    ifinfo(w, { index: rig.dev.ifindex })
    w.putU32(Ifla.MTU, 1400)
    w.end(at)
    fd.call(Sys.sendto, p.put(w.bytes()), w.bytes().length, 0, 0, 0)
    const buffer = p.alloc(4096)
    fd.call(Sys.read, buffer, 4096)
    const size = fd.call(Sys.read, buffer, 4096)!
    const [ack] = decodeMessages(p.get(buffer, size), headerOf(0))
    expect(ack?.type).toBe(Nlmsg.ERROR)
    expect(new DataView(ack!.header.buffer).getInt32(0, true)).toBe(-1)
    expect(rig.dev.mtu).toBe(1500)
  })

  it('tells its options, the groups also to a program without room for them', () => {
    const { p, fd } = setup()
    const get = (
      level: number,
      name: number,
      room = 8,
    ): { result: number | undefined; length: number; value: number } => {
      const value = p.alloc(8)
      const length = int(p, room)
      const result = fd.call(Sys.getsockopt, level, name, value, length)
      return { result, length: p.u32(length), value: p.u32(value) }
    }
    expect(get(SOL_SOCKET, SockOption.TYPE)).toEqual({ result: 0, length: 4, value: RAW })
    expect(get(SOL_SOCKET, SockOption.DOMAIN).value).toBe(AF_NETLINK)
    expect(get(SOL_SOCKET, SockOption.ERROR)).toEqual({ result: 0, length: 4, value: 0 })
    expect(get(SOL_SOCKET, SockOption.RCVBUF).value).toBe(212992)
    expect(option(p, fd, SOL_SOCKET, SockOption.RCVBUF, 1 << 20)).toBe(0)
    expect(get(SOL_SOCKET, SockOption.RCVBUF).value).toBe(425984)
    expect(option(p, fd, SOL_SOCKET, SockOption.RCVBUFFORCE, 1 << 20)).toBe(0)
    expect(get(SOL_SOCKET, SockOption.RCVBUF).value).toBe(1 << 21)
    expect(get(SOL_NETLINK, 11).value).toBe(0)
    expect(option(p, fd, SOL_NETLINK, 11, 1)).toBe(0)
    expect(get(SOL_NETLINK, 11).value).toBe(1)
    expect(get(SOL_NETLINK, 77).result).toBe(-92)
    expect(get(6, 1).result).toBe(-92)
    expect(get(SOL_SOCKET, SockOption.TYPE, -1).result).toBe(-22)
    expect(get(SOL_SOCKET, SockOption.TYPE, 2)).toMatchObject({ result: 0, length: 2 })
    expect(option(p, fd, SOL_NETLINK, 1, 1)).toBe(0)
    expect(get(SOL_NETLINK, 9, 0).length).toBe(8)
    expect(get(SOL_NETLINK, 9, 8).value).toBe(1)
    expect(option(p, fd, SOL_SOCKET, SockOption.REUSEADDR, 1)).toBe(0)
    expect(get(SOL_SOCKET, SockOption.REUSEADDR).value).toBe(1)
    expect(option(p, fd, SOL_SOCKET, 999, 1)).toBe(-92)
    expect(option(p, fd, SOL_SOCKET, SockOption.TYPE, 1)).toBe(-92)
  })

  it('says in a control message which group a notification was for', () => {
    const { rig, p, fd } = setup()
    expect(option(p, fd, SOL_NETLINK, 3, 1)).toBe(0)
    fd.call(Sys.bind, p.put(sockaddrNl(0, 1)), 12)
    rig.kernel.rtnl.run(() => (rig.dev.ifalias = ''))
    const other = p.socket(AF_NETLINK, RAW)
    const w = new NlWriter()
    const at = w.begin(Rtm.NEWLINK, NlmF.REQUEST, 9, 0)
    ifinfo(w, { index: rig.dev.ifindex })
    w.putU32(Ifla.MTU, 1400)
    w.end(at)
    other.call(Sys.write, p.put(w.bytes()), w.bytes().length)
    const control = p.alloc(64)
    const buffer = p.alloc(4096)
    const msg = putMsghdr(p, { iov: [[buffer, 4096]], control, controlLength: 64 })
    expect(fd.call(Sys.recvmsg, msg, 0)).toBeGreaterThan(100)
    expect(p.u32(msg + 40n)).toBe(24)
    expect([p.u32(control), p.u32(control + 8n), p.u32(control + 12n), p.u32(control + 16n)]).toEqual([
      20, 270, 3, 1,
    ])
  })

  it('cuts a control message there is no room for, and says so', () => {
    const { rig, p, fd } = setup()
    option(p, fd, SOL_NETLINK, 3, 1)
    const bytes = getLink('vnet0', 1)
    fd.call(Sys.write, p.put(bytes), bytes.length)
    const msg = putMsghdr(p, { iov: [[p.alloc(8), 8]], control: p.alloc(16), controlLength: 16 })
    expect(fd.call(Sys.recvmsg, msg, 0)).toBe(8)
    expect(p.u32(msg + 40n)).toBe(0)
    expect(p.u32(msg + 48n)).toBe(SockMsgFlag.TRUNC | SockMsgFlag.CTRUNC)
    expect(rig.kernel.violations).toEqual([])
  })

  it('loses messages when the queue is full and says ENOBUFS once', () => {
    const { rig, p, fd } = setup()
    option(p, fd, SOL_SOCKET, SockOption.RCVBUF, 1)
    fd.call(Sys.bind, p.put(sockaddrNl(0, 1)), 12)
    const other = p.socket(AF_NETLINK, RAW)
    for (let mtu = 1000; mtu < 1010; mtu++) {
      const w = new NlWriter()
      const at = w.begin(Rtm.NEWLINK, NlmF.REQUEST, 9, 0)
      ifinfo(w, { index: rig.dev.ifindex })
      w.putU32(Ifla.MTU, mtu)
      w.end(at)
      other.call(Sys.write, p.put(w.bytes()), w.bytes().length)
    }
    const buffer = p.alloc(4096)
    const results = [1, 2, 3, 4, 5].map(() => fd.call(Sys.recvfrom, buffer, 4096, SockMsgFlag.DONTWAIT, 0, 0))
    expect(results.filter((result) => result === -105)).toHaveLength(1)
    expect(results.at(-1)).toBe(-11)
  })

  it('connects to a process and back to nobody', () => {
    const { p, fd } = setup()
    const peer = p.socket(AF_NETLINK, RAW, 0, 555)
    peer.call(Sys.bind, p.put(sockaddrNl(0, 0)), 12)
    expect(fd.call(Sys.connect, p.put(sockaddrNl(555, 6)), 12)).toBe(0)
    const name = p.alloc(12)
    expect(fd.call(Sys.getpeername, name, int(p, 12))).toBe(0)
    expect(p.get(name, 12)).toEqual(sockaddrNl(555, 2))
    expect(fd.call(Sys.write, p.put(Uint8Array.of(1, 2, 3)), 3)).toBe(3)
    const buffer = p.alloc(16)
    expect(peer.call(Sys.recvfrom, buffer, 16, 0, name, int(p, 12))).toBe(3)
    expect(p.u32(name + 4n)).toBe(100)
    expect(fd.call(Sys.connect, p.put(new Uint8Array(2)), 2)).toBe(0)
    fd.call(Sys.getpeername, name, int(p, 12))
    expect(p.get(name, 12)).toEqual(sockaddrNl(0, 0))
    expect(fd.call(Sys.shutdown, 2)).toBe(-95)
    expect(fd.call(Sys.mmap, 4096, name, 12)).toBe(-19)
  })
})

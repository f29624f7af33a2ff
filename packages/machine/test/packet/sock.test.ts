import { Errno } from '@vnet/kernel'
import { Iff, unregisterNetdev } from '@vnet/netdev'
import { SockAf, sockCreate, SockOption, SOL_SOCKET } from '@vnet/netlink'
import { describe, expect, it } from 'vitest'
import { PacketMr, PacketOption, SOL_PACKET, TpStatus } from '../../src/packet/index.ts'
import {
  addDev,
  arrive,
  down,
  drain,
  frame,
  MAC,
  makeRig,
  open,
  PEER,
  readWords,
  sll,
  up,
  WALL_CLOCK,
  words,
} from './rig.ts'

const ALL = 3
const ARP = 0x0806
const DGRAM = 2
const payload = Uint8Array.from({ length: 46 }, (_, i) => i)
const toUs = frame(MAC, PEER, 0x0800, payload)

function codeOf(fn: () => unknown): string {
  try {
    fn()
    return 'none'
  } catch (error) {
    return error instanceof Errno ? error.code : String(error)
  }
}

describe('a packet socket', () => {
  it('sees what arrives and what leaves, with where from and what kind', () => {
    const { kernel, dev, sent } = makeRig()
    const sock = open(kernel)
    sock.bind(sll(dev.ifindex, ALL))
    arrive(dev, toUs)
    arrive(dev, frame(PEER, MAC, 0x0800, payload))
    arrive(dev, frame(new Uint8Array(6).fill(255), PEER, ARP, payload))
    const other = open(kernel)
    other.sendmsg({ bytes: toUs, address: sll(dev.ifindex, 0x0800), flags: 0 })
    expect(sent).toEqual([toUs])
    const got = drain(sock)
    expect(got.map(({ bytes }) => bytes.length)).toEqual([60, 60, 60, 60])
    expect(got[0]!.bytes).toEqual(toUs)
    expect(got.map(({ address }) => address![10])).toEqual([0, 3, 1, 4])
    expect(got[0]!.address).toEqual(
      Uint8Array.from([17, 0, 8, 0, dev.ifindex, 0, 0, 0, 1, 0, 0, 6, ...PEER, 0, 0]),
    )
    expect(sock.recvmsg(10, 0)).toBeNull()
  })

  it('without a link header sees and sends packets', () => {
    const { kernel, dev, sent } = makeRig()
    const sock = open(kernel, DGRAM, 0x0300)
    arrive(dev, toUs)
    sock.sendmsg({ bytes: payload, address: sll(dev.ifindex, ARP, PEER), flags: 0 })
    expect(sent).toEqual([frame(PEER, MAC, ARP, payload)])
    const other = open(kernel, DGRAM)
    other.bind(sll(dev.ifindex, ALL))
    open(kernel).sendmsg({ bytes: toUs, address: sll(dev.ifindex, 0x0800), flags: 0 })
    expect(drain(sock).map(({ bytes }) => bytes)).toEqual([payload, payload])
    expect(drain(other).map(({ bytes }) => bytes)).toEqual([payload])
  })

  it('does not see its own frames, nor the frames of other devices or protocols', () => {
    const { kernel, dev } = makeRig()
    const second = addDev(kernel, 'vnet1')
    const sock = open(kernel)
    sock.bind(sll(dev.ifindex, ALL))
    const arp = open(kernel, 3, 0x0608)
    sock.sendmsg({ bytes: toUs, address: null, flags: 0 })
    arrive(second, toUs)
    expect(drain(sock)).toEqual([])
    arrive(second, frame(MAC, PEER, ARP, payload))
    expect(drain(arp)).toHaveLength(1)
    sock.setsockopt(SOL_PACKET, PacketOption.IGNORE_OUTGOING, words(1))
    open(kernel).sendmsg({ bytes: toUs, address: sll(dev.ifindex, ALL), flags: 0 })
    expect(drain(sock)).toEqual([])
  })

  it('counts what it saw and what it lost, once', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel, 3, 0x0300)
    sock.setsockopt(SOL_SOCKET, SockOption.RCVBUF, words(1200))
    for (let i = 0; i < 5; i++) arrive(dev, toUs)
    expect(readWords(sock.getsockopt(SOL_PACKET, PacketOption.STATISTICS, words(0)))).toEqual([5, 3])
    expect(readWords(sock.getsockopt(SOL_PACKET, PacketOption.STATISTICS, words(0)))).toEqual([0, 0])
    expect(drain(sock)).toHaveLength(2)
  })

  it('tells of time, length and offsets in control messages', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel, 3, 0x0300)
    sock.setsockopt(SOL_PACKET, PacketOption.AUXDATA, words(1))
    sock.setsockopt(SOL_SOCKET, SockOption.TIMESTAMP, words(1))
    kernel.runFor(1_500_000_000)
    arrive(dev, toUs)
    const got = sock.recvmsg(20, 0)!
    expect(got).toMatchObject({ fullLength: 60 })
    const view = new DataView(got.control!.buffer)
    expect([view.getBigUint64(0, true), view.getInt32(8, true), view.getInt32(12, true)]).toEqual([
      32n,
      1,
      29,
    ])
    expect(view.getBigInt64(16, true)).toBe(WALL_CLOCK / 1_000_000_000n + 1n)
    expect(view.getBigInt64(24, true)).toBe(500_000n)
    expect([view.getBigUint64(32, true), view.getInt32(40, true), view.getInt32(44, true)]).toEqual([
      36n,
      263,
      8,
    ])
    expect(view.getUint32(48, true) & TpStatus.USER).toBe(1)
    expect([view.getUint32(52, true), view.getUint32(56, true), view.getUint16(62, true)]).toEqual([
      60, 60, 14,
    ])
  })

  it('tells the VLAN tag that was taken off', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel, 3, 0x0300)
    sock.setsockopt(SOL_PACKET, PacketOption.AUXDATA, words(1))
    arrive(dev, frame(MAC, PEER, 0x8100, Uint8Array.of(0x20, 5, 8, 0, ...payload)))
    const got = sock.recvmsg(100, 0)!
    expect(got.bytes).toEqual(toUs)
    const view = new DataView(got.control!.buffer)
    expect(view.getUint32(16, true)).toBe(TpStatus.USER | TpStatus.VLAN_VALID | TpStatus.VLAN_TPID_VALID)
    expect([view.getUint16(32, true), view.getUint16(34, true)]).toEqual([0x2005, 0x8100])
  })

  it('is told once when its device goes down, and sees again when it is up', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel)
    let woken = 0
    sock.onReadable = () => woken++
    sock.bind(sll(dev.ifindex, ALL))
    down(dev)
    expect(woken).toBe(1)
    expect(sock.readable).toBe(true)
    expect(codeOf(() => sock.recvmsg(10, 0))).toBe('ENETDOWN')
    expect(sock.recvmsg(10, 0)).toBeNull()
    up(dev)
    arrive(dev, toUs)
    expect(drain(sock)).toHaveLength(1)
    down(dev)
    expect(readWords(sock.getsockopt(SOL_SOCKET, SockOption.ERROR, words(0)))).toEqual([100])
    expect(readWords(sock.getsockopt(SOL_SOCKET, SockOption.ERROR, words(0)))).toEqual([0])
    unregisterNetdev(dev)
    expect(sock.getsockname()).toEqual(sll(-1, ALL).subarray(0, 12))
    expect(codeOf(() => sock.sendmsg({ bytes: toUs, address: null, flags: 0 }))).toBe('ENXIO')
  })

  it('bound to a device that is down says so as SO_ERROR', () => {
    const { kernel, dev } = makeRig()
    down(dev)
    const sock = open(kernel)
    sock.bind(sll(dev.ifindex, ALL))
    expect(readWords(sock.getsockopt(SOL_SOCKET, SockOption.ERROR, words(0)))).toEqual([100])
    expect(sock.getsockname()).toEqual(
      Uint8Array.from([17, 0, 0, 3, dev.ifindex, 0, 0, 0, 1, 0, 0, 6, ...MAC]),
    )
  })

  it('refuses what the kernel refuses', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel)
    const who = { pid: 1, capNetAdmin: false }
    expect(codeOf(() => sockCreate(kernel, SockAf.PACKET, 3, 0, who))).toBe('EPERM')
    expect(codeOf(() => open(kernel, 1))).toBe('ESOCKTNOSUPPORT')
    expect(codeOf(() => sock.bind(sll(99, ALL)))).toBe('ENODEV')
    expect(codeOf(() => sock.bind(sll(1, ALL).subarray(0, 19)))).toBe('EINVAL')
    expect(codeOf(() => sock.connect(sll(1, ALL)))).toBe('EOPNOTSUPP')
    expect(codeOf(() => sock.recvmsg(1, 0x1000))).toBe('EINVAL')
    const send = (length: number, address = sll(dev.ifindex, 0x0800)): string =>
      codeOf(() => sock.sendmsg({ bytes: new Uint8Array(length), address, flags: 0 }))
    expect(send(13)).toBe('EINVAL')
    expect(send(1515)).toBe('EMSGSIZE')
    expect(send(1519)).toBe('EMSGSIZE')
    expect(send(1514)).toBe('none')
    expect(send(60, sll(99, 0))).toBe('ENXIO')
    expect(send(60, new Uint8Array(11))).toBe('EINVAL')
    const cooked = open(kernel, DGRAM)
    expect(codeOf(() => cooked.sendmsg({ bytes: payload, address: sll(dev.ifindex, ARP), flags: 0 }))).toBe(
      'EINVAL',
    )
    down(dev)
    expect(send(60)).toBe('ENETDOWN')
  })

  it('sends a frame with a tag that is four bytes longer than the MTU allows', () => {
    const { kernel, dev, sent } = makeRig()
    const tagged = frame(PEER, MAC, 0x8100, new Uint8Array(1504))
    open(kernel).sendmsg({ bytes: tagged, address: sll(dev.ifindex, 0), flags: 0 })
    expect(sent[0]).toHaveLength(1518)
  })
})

describe('memberships', () => {
  const mreq = (ifindex: number, type: number, addr = new Uint8Array(0)): Uint8Array => {
    const view = new DataView(new ArrayBuffer(16))
    view.setInt32(0, ifindex, true)
    view.setUint16(4, type, true)
    view.setUint16(6, addr.length, true)
    const bytes = new Uint8Array(view.buffer)
    bytes.set(addr, 8)
    return bytes
  }

  it('count promiscuous mode in and out, and end with the socket', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel)
    const promisc = mreq(dev.ifindex, PacketMr.PROMISC)
    sock.setsockopt(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, promisc)
    sock.setsockopt(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, promisc)
    expect(dev.promiscuity).toBe(1)
    expect(dev.flags & Iff.PROMISC).toBe(Iff.PROMISC)
    sock.setsockopt(SOL_PACKET, PacketOption.DROP_MEMBERSHIP, promisc)
    expect(dev.promiscuity).toBe(1)
    sock.setsockopt(SOL_PACKET, PacketOption.DROP_MEMBERSHIP, promisc)
    expect(dev.promiscuity).toBe(0)
    expect(codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.DROP_MEMBERSHIP, promisc))).toBe(
      'EADDRNOTAVAIL',
    )
    const group = mreq(dev.ifindex, PacketMr.MULTICAST, Uint8Array.of(1, 0, 94, 0, 0, 1))
    for (const one of [promisc, group, mreq(dev.ifindex, PacketMr.ALLMULTI)]) {
      sock.setsockopt(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, one)
    }
    expect([dev.promiscuity, dev.allmulti, dev.mc.size]).toEqual([1, 1, 1])
    sock.close()
    expect([dev.promiscuity, dev.allmulti, dev.mc.size]).toEqual([0, 0, 0])
  })

  it('end soon when the socket is closed while somebody holds rtnl', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel)
    sock.setsockopt(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, mreq(dev.ifindex, PacketMr.PROMISC))
    kernel.rtnl.run(() => sock.close())
    kernel.runFor(0)
    expect(dev.promiscuity).toBe(0)
  })

  it('end when the device goes away, and refuse a device that is not there', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel)
    sock.setsockopt(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, mreq(dev.ifindex, PacketMr.PROMISC))
    unregisterNetdev(dev)
    sock.close()
    expect(codeOf(() => open(kernel).setsockopt(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, mreq(9, 1)))).toBe(
      'ENODEV',
    )
    expect(kernel.violations).toEqual([])
  })
})

describe('the family', () => {
  it('closes everything when it goes', () => {
    const { kernel, dev, stop } = makeRig()
    const before = kernel.census.take()
    const sock = open(kernel, 3, 0x0300)
    stop()
    arrive(dev, toUs)
    expect(sock.recvmsg(1, 0)).toBeNull()
    expect(codeOf(() => open(kernel))).toBe('EAFNOSUPPORT')
    expect(kernel.census.take().filter(({ kind }) => kind !== 'memory')).toEqual(before)
  })
})

import { describe, expect, it } from 'vitest'
import { Ifa, Rtm, Rtnlgrp } from '@vnet/netlink'
import { configured, machineWithVnet } from '../helpers/machine.ts'
import { ip, Rtnl, u32 } from '../helpers/netlink.ts'

const GETADDR = Rtm.GETADDR
const A = Uint8Array.of(10, 0, 0, 1)
const B = Uint8Array.of(10, 0, 0, 2)
const V6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9)
/** `struct ifaddrmsg`. */
const msg = (family: number, prefixlen = 0, index = 0): number[] => [family, prefixlen, 0, 0, index, 0, 0, 0]

describe('addresses over rtnetlink', () => {
  it('one is added, shown and removed', () => {
    const { machine } = machineWithVnet()
    const rtnl = new Rtnl(machine.netlink)
    const put = (w: { putBinary(type: number, bytes: Uint8Array): void }): void => {
      w.putBinary(Ifa.LOCAL, A)
      w.putBinary(Ifa.ADDRESS, A)
    }
    expect(rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, 2), put)).toEqual({ errno: 0, message: '' })
    const [shown] = rtnl.dump(GETADDR, msg(2, 0, 2))
    expect([...shown!.header]).toEqual([2, 24, 0x80, 0, 2, 0, 0, 0])
    expect(ip(shown!, Ifa.LOCAL)).toBe('10.0.0.1')
    expect(u32(shown!, Ifa.FLAGS)).toBe(0x80)
    expect(shown!.flags & 0x20).toBe(0x20)
    expect(rtnl.change(Rtm.DELADDR, 0, msg(2, 24, 2), put).errno).toBe(0)
    expect(rtnl.dump(GETADDR, msg(2, 0, 2))).toEqual([])
  })

  it('is refused as recorded: without a sentence', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const put = (bytes: Uint8Array) => (w: { putBinary(type: number, bytes: Uint8Array): void }) => {
      w.putBinary(Ifa.LOCAL, bytes)
      w.putBinary(Ifa.ADDRESS, bytes)
    }
    expect(rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, 2), put(A))).toEqual({ errno: -17, message: '' })
    expect(rtnl.change(Rtm.DELADDR, 0, msg(2, 24, 2), put(B))).toEqual({ errno: -99, message: '' })
    expect(rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, 9), put(B)).errno).toBe(-19)
    expect(rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 33, 2), put(B)).errno).toBe(-22)
    expect(rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, 2)).errno).toBe(-22)
  })

  it('without the right to administrate nothing changes', () => {
    const { machine } = machineWithVnet()
    const rtnl = new Rtnl(machine.netlink, { capNetAdmin: false })
    const put = (w: { putBinary(type: number, bytes: Uint8Array): void }): void => w.putBinary(Ifa.LOCAL, A)
    expect(rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, 2), put).errno).toBe(-1)
  })

  it('both families are shown, lo first, with their scopes', () => {
    const { machine } = configured()
    const all = new Rtnl(machine.netlink).dump(GETADDR, msg(0))
    expect(all.map((one) => `${ip(one, Ifa.ADDRESS)}/${one.header[1]} ${one.header[3]}`)).toEqual([
      '127.0.0.1/8 254',
      '10.0.0.1/24 0',
      '::1/128 254',
      'fe80::ff:fe00:1/64 253',
    ])
  })

  it('an IPv6 address is tentative at first, and can be asked for alone', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    rtnl.change(Rtm.NEWADDR, 0x600, msg(10, 64, 2), (w) => w.putBinary(Ifa.LOCAL, V6))
    const ask = () => rtnl.ask(GETADDR, 0, msg(10, 0, 2), (w) => w.putBinary(Ifa.ADDRESS, V6))[0]!
    expect(u32(ask(), Ifa.FLAGS)! & 0x40).toBe(0x40)
    machine.kernel.runFor(3e9)
    expect(u32(ask(), Ifa.FLAGS)).toBe(0x80)
  })

  it('lifetimes run down', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, 2), (w) => {
      w.putBinary(Ifa.LOCAL, B)
      w.putBinary(Ifa.CACHEINFO, new Uint8Array(Uint32Array.of(50, 100, 0, 0).buffer))
    })
    machine.kernel.runFor(10e9)
    const shown = rtnl.dump(GETADDR, msg(2, 0, 2)).find((one) => ip(one, Ifa.LOCAL) === '10.0.0.2')!
    const cacheinfo = new Uint32Array(shown.attrs.get(Ifa.CACHEINFO)!.slice().buffer)
    expect([cacheinfo[0], cacheinfo[1]]).toEqual([40, 90])
  })

  it.each([
    [[2, 24, 0, 0, 0, 0, 0, 0], 'Invalid values in header for address dump request'],
    [[2], 'Invalid header for address dump request'],
  ])('a strict dump with header %j is refused', (header, message) => {
    const { machine } = configured()
    const [answer] = new Rtnl(machine.netlink).ask(GETADDR, 0x300, header)
    expect(answer!.type).toBe(2)
    expect(new Rtnl(machine.netlink).change(GETADDR, 0x300, header).message).toBe(message)
  })

  it('listeners of the group are told', () => {
    const { machine, dev } = configured()
    const listener = new Rtnl(machine.netlink)
    listener.socket.bind(0, (1 << (Rtnlgrp.IPV4_IFADDR - 1)) | (1 << (Rtnlgrp.IPV4_ROUTE - 1)))
    const rtnl = new Rtnl(machine.netlink)
    rtnl.change(Rtm.NEWADDR, 0x600, msg(2, 24, dev.ifindex), (w) => w.putBinary(Ifa.LOCAL, B))
    rtnl.change(Rtm.DELADDR, 0, msg(2, 24, dev.ifindex), (w) => w.putBinary(Ifa.LOCAL, B))
    expect(listener.take().map((one) => one.type)).toEqual([
      Rtm.NEWADDR,
      Rtm.NEWROUTE,
      Rtm.DELROUTE,
      Rtm.DELADDR,
    ])
  })
})

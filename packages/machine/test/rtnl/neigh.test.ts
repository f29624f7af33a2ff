import { describe, expect, it } from 'vitest'
import { Af, Ifa, Ifla, Nda, Ndta, Rtm, Rtnlgrp, textOf } from '@vnet/netlink'
import { Netconfa, RtmMore } from '../../src/rtnl/constants.ts'
import { configured } from '../helpers/machine.ts'
import { ip, Rtnl, u32 } from '../helpers/netlink.ts'

const B = Uint8Array.of(10, 0, 0, 2)
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 0x99)
/** `struct ndmsg`. */
const msg = (family: number, index = 0, state = 0): number[] => [
  family,
  0,
  0,
  0,
  index,
  0,
  0,
  0,
  state,
  0,
  0,
  0,
]

describe('neighbours over rtnetlink', () => {
  it('one is added, shown, asked for and removed', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const put = (w: { putBinary(t: number, b: Uint8Array): void }): void => {
      w.putBinary(Nda.DST, B)
      w.putBinary(Nda.LLADDR, MAC)
    }
    expect(rtnl.change(Rtm.NEWNEIGH, 0x600, msg(2, 2, 0x80), put)).toEqual({ errno: 0, message: '' })
    expect(rtnl.change(Rtm.NEWNEIGH, 0x600, msg(2, 2, 0x80), put).errno).toBe(-17)
    const shown = rtnl
      .dump(Rtm.GETNEIGH, msg(2), (w) => w.putU32(Nda.IFINDEX, 2))
      .find((one) => ip(one, Nda.DST) === '10.0.0.2')!
    expect([shown.header[8], [...shown.attrs.get(Nda.LLADDR)!], u32(shown, Nda.PROBES)]).toEqual([
      0x80,
      [...MAC],
      0,
    ])
    const [one] = rtnl.ask(Rtm.GETNEIGH, 0, msg(2, 2), (w) => w.putBinary(Nda.DST, B))
    expect(one!.type).toBe(Rtm.NEWNEIGH)
    expect(rtnl.change(Rtm.DELNEIGH, 0, msg(2, 2), (w) => w.putBinary(Nda.DST, B)).errno).toBe(0)
    expect(rtnl.change(Rtm.DELNEIGH, 0, msg(2, 2), (w) => w.putBinary(Nda.DST, B)).errno).toBe(-2)
  })

  it.each([
    ['no address', 2, Rtm.NEWNEIGH, [] as [number, Uint8Array][], -22, 'Network address not specified'],
    ['half an address', 2, Rtm.NEWNEIGH, [[Nda.DST, B.subarray(0, 2)]], -22, 'Invalid network address'],
    [
      'a short link address',
      2,
      Rtm.NEWNEIGH,
      [
        [Nda.DST, B],
        [Nda.LLADDR, MAC.subarray(0, 3)],
      ],
      -22,
      'Invalid link address',
    ],
    ['no such device', 9, Rtm.NEWNEIGH, [[Nda.DST, B]], -19, ''],
  ] as const)('%s is refused', (_what, index, type, attrs, errno, message) => {
    const { machine } = configured()
    const refused = new Rtnl(machine.netlink).change(type, 0x600, msg(2, index, 0x80), (w) => {
      for (const [attr, bytes] of attrs) w.putBinary(attr, bytes)
    })
    expect(refused).toEqual({ errno, message })
  })

  it('a strict dump takes two attributes only', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    expect(rtnl.change(Rtm.GETNEIGH, 0x300, msg(2), (w) => w.putBinary(Nda.DST, B)).message).toBe(
      'Unsupported attribute in neighbor dump request',
    )
    expect(rtnl.change(Rtm.GETNEIGH, 0x300, msg(2, 2)).message).toBe(
      'Invalid values in header for neighbor dump request',
    )
  })

  it('listeners are told of each', () => {
    const { machine } = configured()
    const listener = new Rtnl(machine.netlink)
    listener.socket.bind(0, 1 << (Rtnlgrp.NEIGH - 1))
    new Rtnl(machine.netlink).change(Rtm.NEWNEIGH, 0x600, msg(2, 2, 0x80), (w) => {
      w.putBinary(Nda.DST, B)
      w.putBinary(Nda.LLADDR, MAC)
    })
    expect(listener.take().map((one) => one.type)).toEqual([Rtm.NEWNEIGH])
  })

  it('the tables are shown with what each device has of its own', () => {
    const { machine } = configured()
    const all = new Rtnl(machine.netlink).dump(Rtm.GETNEIGHTBL, [0, 0, 0, 0])
    const names = all.map((one) => textOf(one.attrs.get(Ndta.NAME)!, 0, 16))
    expect(names).toEqual([
      'arp_cache',
      'arp_cache',
      'arp_cache',
      'ndisc_cache',
      'ndisc_cache',
      'ndisc_cache',
    ])
    expect(u32(all[0]!, Ndta.THRESH3)).toBe(1024)
    expect(all[1]!.attrs.has(Ndta.THRESH3)).toBe(false)
  })
})

describe('settings and groups over rtnetlink', () => {
  it('netconf tells of each device, all and new ones', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const all = rtnl.dump(Rtm.GETNETCONF, [2, 0, 0, 0])
    expect(all.map((one) => u32(one, Netconfa.IFINDEX)! | 0)).toEqual([1, 2, -1, -2])
    const [one] = rtnl.ask(Rtm.GETNETCONF, 0, [10, 0, 0, 0], (w) => w.putU32(Netconfa.IFINDEX, 2))
    expect([u32(one!, Netconfa.FORWARDING), one!.attrs.has(Netconfa.RP_FILTER)]).toEqual([0, false])
    expect(rtnl.change(Rtm.GETNETCONF, 0, [2, 0, 0, 0], (w) => w.putU32(Netconfa.IFINDEX, 77)).errno).toBe(
      -19,
    )
  })

  it('netconf is told when a device comes and goes', () => {
    const { machine } = configured()
    const listener = new Rtnl(machine.netlink)
    listener.socket.bind(0, ((1 << (Rtnlgrp.IPV4_NETCONF - 1)) | (1 << (Rtnlgrp.IPV6_NETCONF - 1))) >>> 0)
    machine.kernel.modules.rmmod('vnet')
    const gone = listener.take()
    expect(gone.map((one) => one.type)).toEqual([Rtm.DELNETCONF, Rtm.DELNETCONF])
    expect(gone.map((one) => u32(one, Netconfa.IFINDEX))).toEqual([2, 2])
  })

  it('groups of both families can be asked for', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const of = (family: number): string[] =>
      rtnl.dump(RtmMore.GETMULTICAST, [family, 0, 0, 0, 2, 0, 0, 0]).map((one) => ip(one, Ifa.MULTICAST)!)
    expect(of(2)).toEqual(['224.0.0.1'])
    expect(of(10)).toEqual(['ff02::1:ff00:1', 'ff02::1', 'ff01::1'])
  })

  it('a link has a part of each family', () => {
    const { machine } = configured()
    const [link] = new Rtnl(machine.netlink).ask(
      Rtm.GETLINK,
      0,
      [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    )
    const spec = link!.attrs.get(Ifla.AF_SPEC)!
    const view = new DataView(spec.buffer, spec.byteOffset, spec.length)
    expect(view.getUint16(2, true) & 0x3fff).toBe(Af.INET)
    expect(view.getUint16(0, true)).toBe(4 + 4 + 33 * 4)
    const inet6 = view.getUint16(0, true)
    expect(view.getUint16(inet6 + 2, true) & 0x3fff).toBe(Af.INET6)
  })

  it('how IPv6 makes addresses can be changed in a link', () => {
    const { machine, dev } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const set = (mode: number) =>
      rtnl.change(Rtm.NEWLINK, 0, [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], (w) => {
        const spec = w.nestStart(Ifla.AF_SPEC)
        const inet6 = w.nestStart(Af.INET6)
        w.putU8(8, mode)
        w.nestEnd(inet6)
        w.nestEnd(spec)
      })
    expect(set(1).errno).toBe(0)
    expect(dev.addrGenMode).toBe('none')
    expect(set(2).errno).toBe(-22)
  })

  it('links of IPv6 alone say less', () => {
    const { machine } = configured()
    const links = new Rtnl(machine.netlink).dump(
      Rtm.GETLINK,
      [10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    )
    expect(links.map((one) => textOf(one.attrs.get(Ifla.IFNAME)!, 0, 16))).toEqual(['lo', 'vnet0'])
    expect(links[1]!.attrs.has(Ifla.QDISC)).toBe(false)
    expect(links[1]!.attrs.has(12)).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { Rta, Rtm } from '@vnet/netlink'
import { recordOf } from '../helpers/oracle.ts'
import { configured } from '../helpers/machine.ts'
import { ip, Rtnl, u32, type Answer } from '../helpers/netlink.ts'

/** `struct rtmsg`. */
const msg = (
  family: number,
  fields: {
    len?: number
    table?: number
    protocol?: number
    scope?: number
    type?: number
    flags?: number
  } = {},
): number[] => {
  const flags = fields.flags ?? 0
  return [
    family,
    fields.len ?? 0,
    0,
    0,
    fields.table ?? 0,
    fields.protocol ?? 0,
    fields.scope ?? 0,
    fields.type ?? 0,
    flags & 255,
    (flags >> 8) & 255,
    0,
    0,
  ]
}

const PROTOCOLS = ['unspec', 'redirect', 'kernel', 'boot', 'static']
const SCOPES: Readonly<Record<number, string>> = { 0: 'global', 253: 'link', 254: 'host' }
const TYPES = ['unspec', 'unicast', 'local', 'broadcast']

/** A route in the words of `ip route show table … dev …`. */
function words(route: Answer): string {
  const [, len, , , , protocol, scope, type] = route.header as unknown as number[]
  const dst = len === 0 ? 'default' : ip(route, Rta.DST)! + (len === 32 ? '' : `/${len}`)
  const src = ip(route, Rta.PREFSRC)
  const start = type === 1 ? '' : `${TYPES[type!]} `
  return `${start}${dst} proto ${PROTOCOLS[protocol!]} scope ${SCOPES[scope!]} ${src === undefined ? '' : `src ${src} `}`
}

function routes(rtnl: Rtnl, table: number, oif = 2): Answer[] {
  return rtnl.dump(Rtm.GETROUTE, msg(2), (w) => {
    w.putU32(Rta.TABLE, table)
    w.putU32(Rta.OIF, oif)
  })
}

describe('routes over rtnetlink', () => {
  it('those of an address are the recorded ones', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const lines = (table: number): string =>
      routes(rtnl, table)
        .map((route) => `${words(route)}\n`)
        .join('')
    expect(lines(254)).toBe(recordOf('vnet7', 'ip route show dev vnet0').stdout)
    expect(lines(255)).toBe(recordOf('vnet7', 'ip route show table local dev vnet0').stdout)
  })

  it('IPv6 has the link-local network with its metric', () => {
    const { machine } = configured()
    const all = new Rtnl(machine.netlink).dump(Rtm.GETROUTE, msg(10), (w) => {
      w.putU32(Rta.TABLE, 254)
      w.putU32(Rta.OIF, 2)
    })
    const [route] = all
    expect(all).toHaveLength(1)
    expect([
      ip(route!, Rta.DST),
      route!.header[1],
      u32(route!, Rta.PRIORITY),
      route!.attrs.get(Rta.PREF)![0],
    ]).toEqual(['fe80::', 64, 256, 0])
  })

  it('one is added, chosen, and removed', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const via = (w: {
      putBinary(t: number, b: Uint8Array): void
      putU32(t: number, v: number): void
    }): void => {
      w.putBinary(Rta.DST, Uint8Array.of(192, 168, 0, 0))
      w.putBinary(Rta.GATEWAY, Uint8Array.of(10, 0, 0, 254))
      w.putU32(Rta.OIF, 2)
    }
    const header = msg(2, { len: 16, table: 254, protocol: 3, type: 1 })
    expect(rtnl.change(Rtm.NEWROUTE, 0x600, header, via)).toEqual({ errno: 0, message: '' })
    expect(rtnl.change(Rtm.NEWROUTE, 0x600, header, via).errno).toBe(-17)
    const [found] = rtnl.ask(Rtm.GETROUTE, 0, msg(2, { len: 32, flags: 0x1000 }), (w) =>
      w.putBinary(Rta.DST, Uint8Array.of(192, 168, 3, 4)),
    )
    expect([
      ip(found!, Rta.DST),
      ip(found!, Rta.GATEWAY),
      ip(found!, Rta.PREFSRC),
      u32(found!, Rta.OIF),
    ]).toEqual(['192.168.3.4', '10.0.0.254', '10.0.0.1', 2])
    expect(found!.header[9]! & 2).toBe(2)
    const del = msg(2, { len: 16, table: 254, scope: 255 })
    expect(
      rtnl.change(Rtm.DELROUTE, 0, del, (w) => w.putBinary(Rta.DST, Uint8Array.of(192, 168, 0, 0))).errno,
    ).toBe(0)
    expect(
      rtnl.change(Rtm.DELROUTE, 0, del, (w) => w.putBinary(Rta.DST, Uint8Array.of(192, 168, 0, 0))).errno,
    ).toBe(-3)
  })

  it('the way to an own address is over lo, and local', () => {
    const { machine } = configured()
    const [found] = new Rtnl(machine.netlink).ask(Rtm.GETROUTE, 0, msg(2, { len: 32, flags: 0x1000 }), (w) =>
      w.putBinary(Rta.DST, Uint8Array.of(10, 0, 0, 1)),
    )
    expect([found!.header[7], u32(found!, Rta.OIF), found!.header[11]! >> 7]).toEqual([2, 1, 1])
  })

  it('there is no way to what nobody knows', () => {
    const { machine } = configured()
    const refused = new Rtnl(machine.netlink).change(Rtm.GETROUTE, 0, msg(2, { len: 32 }), (w) =>
      w.putBinary(Rta.DST, Uint8Array.of(8, 8, 8, 8)),
    )
    expect(refused.errno).toBe(-101)
  })

  it.each([
    [msg(2, { len: 8 }), undefined, 'Invalid values in header for FIB dump request'],
    [msg(2, { flags: 1 }), undefined, 'Invalid flags for FIB dump request'],
    [msg(2), Rta.MARK, 'Unsupported attribute in dump request'],
    [msg(2), Rta.TABLE, 'ipv4: FIB table does not exist'],
  ])('a strict dump %j with %j is refused', (header, attr, message) => {
    const { machine } = configured()
    const refused = new Rtnl(machine.netlink).change(Rtm.GETROUTE, 0x300, header, (w) => {
      if (attr !== undefined) w.putU32(attr, 77)
    })
    expect(refused.message).toBe(message)
  })

  it('what a route cannot be made of is refused', () => {
    const { machine } = configured()
    const refused = new Rtnl(machine.netlink).change(
      Rtm.NEWROUTE,
      0x600,
      msg(2, { table: 254, type: 1 }),
      (w) => w.putBinary(Rta.MULTIPATH, new Uint8Array(8)),
    )
    expect(refused.errno).toBe(-95)
  })

  it('default rules can be seen and not changed', () => {
    const { machine } = configured()
    const rtnl = new Rtnl(machine.netlink)
    const rules = (family: number) => rtnl.dump(Rtm.GETRULE, [family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(rules(2).map((rule) => [u32(rule, 6) ?? 0, u32(rule, 15)])).toEqual([
      [0, 255],
      [32766, 254],
      [32767, 253],
    ])
    expect(rules(10)).toHaveLength(2)
    expect(rtnl.change(Rtm.NEWRULE, 0x600, [2, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0]).errno).toBe(-95)
  })
})

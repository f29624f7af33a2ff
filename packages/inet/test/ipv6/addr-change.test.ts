import { tellNetdeviceNotifiers } from '@vnet/netdev'
import { formatIpv6Address, neighbourAdvertisement } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibDump, inetAddrAdd } from '../../src/inet.ts'
import { IfaFlag, INFINITY_LIFE_TIME } from '../../src/types/constants.ts'
import { Host, ip, MS, SEC } from './helpers.ts'

const REPLACE = 0x500
const ADDRESS = '2001:db8::1'

function started(): Host {
  const host = new Host()
  host.run(5 * SEC)
  host.take()
  return host
}

function set(host: Host, more: object, nlmFlags = 0x600): void {
  const config = { dev: host.dev, family: 10 as const, local: ip(ADDRESS), prefixlen: 64, ...more }
  host.kernel.rtnl.run(() => inetAddrAdd(host.inet, config, nlmFlags))
}

const mainRoutes = (host: Host): string[] =>
  fibDump(host.inet, 10, 254).map(
    ({ dst, dstLen, priority, expires }) =>
      `${formatIpv6Address(dst)}/${dstLen} metric ${priority}${expires === 0 ? '' : ' expires'}`,
  )

describe('an address that is replaced', () => {
  it('gets new lifetimes from now on, flags and metric, and is told of', () => {
    const host = started()
    const told: string[] = []
    set(host, {})
    host.run(3 * SEC)
    host.inet.on('addr', (event, ifa) => told.push(`${event} ${ifa.validLft} ${ifa.preferredLft}`))
    set(host, { validLft: 100, preferredLft: 50, proto: 7 }, REPLACE)
    const [ifp] = host.ipv6.addresses()
    expect([ifp!.flags, ifp!.validLft, ifp!.preferredLft, ifp!.proto]).toEqual([0, 100, 50, 7])
    expect(ifp!.tstamp - ifp!.cstamp).toBe(300)
    expect(told).toEqual(['new 100 50'])
    expect(mainRoutes(host)).toEqual(['2001:db8::/64 metric 256 expires', 'fe80::/64 metric 256'])
    host.run(101 * SEC)
    expect(told).toEqual(['new 100 50', 'new 100 50', 'del 100 50'])
    expect(mainRoutes(host)).toEqual(['fe80::/64 metric 256'])
  })

  it('can be given for ever again, without its route, and with it at another metric', () => {
    const host = started()
    set(host, { validLft: 100, preferredLft: 50 })
    set(host, { flags: IfaFlag.NOPREFIXROUTE }, REPLACE)
    const [ifp] = host.ipv6.addresses()
    expect([ifp!.flags & ~IfaFlag.TENTATIVE, ifp!.validLft]).toEqual([
      IfaFlag.PERMANENT | IfaFlag.NOPREFIXROUTE,
      INFINITY_LIFE_TIME,
    ])
    expect(mainRoutes(host)).toEqual(['fe80::/64 metric 256'])
    set(host, { rtPriority: 77 }, REPLACE)
    expect(mainRoutes(host)).toEqual(['2001:db8::/64 metric 77', 'fe80::/64 metric 256'])
    host.run(200 * SEC)
    expect(host.ipv6.addresses()).toHaveLength(2)
  })

  it('is not replaced by one who only wanted to add, and two wishes exclude each other', () => {
    const host = started()
    set(host, {})
    expect(() => set(host, {}, 0x400)).toThrow('ipv6: address already assigned')
    expect(() => set(host, { flags: IfaFlag.NODAD | IfaFlag.OPTIMISTIC }, REPLACE)).toThrow(
      'ipv6: IFA_F_NODAD and IFA_F_OPTIMISTIC are mutually exclusive',
    )
    expect(() =>
      set(host, { local: ip('2001:db8::2'), prefixlen: 63, flags: IfaFlag.MANAGETEMPADDR }),
    ).toThrow('ipv6: address with "mngtmpaddr" flag must have a prefix length of 64')
  })
})

describe('an address', () => {
  it('with another end has a route to it as long as it is there', () => {
    const host = started()
    set(host, {
      address: ip('2001:db8:7::2'),
      prefixlen: 128,
      flags: IfaFlag.NODAD,
      validLft: 60,
      preferredLft: 60,
    })
    host.run(MS)
    expect(mainRoutes(host)).toEqual([
      '2001:db8::1/128 metric 256 expires',
      '2001:db8:7::2/128 metric 256',
      'fe80::/64 metric 256',
    ])
    host.run(62 * SEC)
    expect(mainRoutes(host)).toEqual(['fe80::/64 metric 256'])
  })

  it('with an end is gone when somebody else has it', () => {
    const host = started()
    set(host, { validLft: 1000, preferredLft: 1000 })
    host.run(SEC / 4)
    host.run(SEC)
    host.receive(
      neighbourAdvertisement({
        srcMac: '02:00:00:00:00:99',
        dstMac: '33:33:00:00:00:01',
        src: 'fe80::99',
        dst: 'ff02::1',
        target: ADDRESS,
        solicited: false,
      }),
    )
    host.run(MS)
    expect(host.ipv6.addresses()).toHaveLength(1)
    expect([...host.dev.mc.keys()]).toEqual(['33:33:00:00:00:01', '33:33:ff:00:00:01'])
  })

  it('is advertised unasked when the peers of the link shall hear of us', () => {
    const host = started()
    tellNetdeviceNotifiers('NETDEV_NOTIFY_PEERS', host.dev)
    expect(host.take()).toEqual([
      '02:00:00:00:00:01 > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86: fe80::ff:fe00:1 > ff02::1: ICMP6, neighbor advertisement, tgt is fe80::ff:fe00:1, length 32',
    ])
  })

  it('shares its group with another: the group is left with the last', () => {
    const host = started()
    set(host, { local: ip('2001:db8::ff00:1'), flags: IfaFlag.NODAD })
    set(host, { local: ip('2001:db8:1::ff00:1'), flags: IfaFlag.NODAD })
    host.run(MS)
    const users = (): number | undefined =>
      host.idev.mcList.find((group) => formatIpv6Address(group.addr) === 'ff02::1:ff00:1')?.users
    expect(users()).toBe(3)
    const del = (text: string): void =>
      host.kernel.rtnl.run(() => host.inet.family(10).addrDel({ dev: host.dev, family: 10, local: ip(text) }))
    del('2001:db8::ff00:1')
    del('2001:db8:1::ff00:1')
    expect(users()).toBe(1)
    del('fe80::ff:fe00:1')
    expect(users()).toBeUndefined()
  })
})

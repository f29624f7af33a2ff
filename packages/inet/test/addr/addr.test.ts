import { devClose, devOpen, netifCarrierOff, netifCarrierOn, devChangeName, devSetMtu } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { IfaFlag, inetAddrAdd, inetAddrDel, NlmNew, RtScope } from '../../src/index.ts'
import { Host, ip, text } from '../helpers.ts'
import { routes } from '../routes.ts'

function addresses(host: Host): string[] {
  return host.inet.addresses(2, host.dev).map((ifa) => {
    const secondary = (ifa.flags & IfaFlag.SECONDARY) !== 0 ? ' secondary' : ''
    return `${text(ifa.local)}/${ifa.prefixlen}${secondary} ${ifa.label}`
  })
}

function del(host: Host, what: string): void {
  const [local, len] = what.split('/')
  host.rtnl(() => {
    inetAddrDel(host.inet, {
      dev: host.dev,
      family: 2,
      local: ip(local!),
      address: ip(local!),
      prefixlen: Number(len),
    })
  })
}

const CONNECTED = '10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1'
const LOCAL = 'local 10.0.0.1 dev eth0 proto kernel scope host src 10.0.0.1'
const ALL = 'broadcast 10.0.0.255 dev eth0 proto kernel scope link src 10.0.0.1'

describe('an address', () => {
  it('brings the routes of the oracle', () => {
    const host = new Host()
    expect(addresses(host)).toEqual(['10.0.0.1/24 eth0'])
    expect(routes(host.inet, 254)).toEqual([CONNECTED])
    expect(routes(host.inet, 255)).toEqual([LOCAL, ALL])
    const [ifa] = host.inet.addresses(2)
    expect(ifa).toMatchObject({ scope: 0, flags: IfaFlag.PERMANENT, broadcast: null, validLft: 0xffffffff })
    del(host, '10.0.0.1/24')
    expect(routes(host.inet, 254)).toEqual([])
    expect(routes(host.inet, 255)).toEqual([])
    host.end()
  })

  it('is refused as the kernel refuses it', () => {
    const host = new Host()
    expect(() => host.addr('10.0.0.1/24')).toThrow(
      expect.objectContaining({ code: 'EEXIST', message: 'ipv4: Address already assigned' }),
    )
    expect(() => host.addr('10.0.0.2/24', { scope: RtScope.HOST })).toThrow('ipv4: Invalid scope value')
    expect(() => host.addr('10.0.0.3/33')).toThrow('ipv4: Invalid prefix length')
    expect(() => host.addr('10.0.0.3/24', { validLft: 5, preferredLft: 6 })).toThrow('lifetime invalid')
    expect(() => del(host, '10.0.0.9/24')).toThrow(
      expect.objectContaining({ code: 'EADDRNOTAVAIL', message: 'ipv4: Address not found' }),
    )
    expect(() => del(host, '10.0.0.1/25')).toThrow('ipv4: Address not found')
    expect(() =>
      inetAddrAdd(host.inet, { dev: host.dev, family: 2, local: ip('1.2.3.4'), prefixlen: 8 }),
    ).toThrow('needs rtnl')
    host.rtnl(() => devClose(host.dev))
  })

  it.each([
    ['10.0.0.1/32', [], ['local 10.0.0.1 dev eth0 proto kernel scope host src 10.0.0.1']],
    ['10.0.0.1/31', ['10.0.0.0/31 dev eth0 proto kernel scope link src 10.0.0.1'], [LOCAL]],
    [
      '10.0.0.1/30',
      ['10.0.0.0/30 dev eth0 proto kernel scope link src 10.0.0.1'],
      [LOCAL, 'broadcast 10.0.0.3 dev eth0 proto kernel scope link src 10.0.0.1'],
    ],
  ])('%s makes the routes of its prefix', (address, main, local) => {
    const host = new Host({ address })
    expect(routes(host.inet, 254)).toEqual(main)
    expect(routes(host.inet, 255)).toEqual(local)
    host.end()
  })

  it('with a broadcast address and NOPREFIXROUTE makes the one route and not the other', () => {
    const host = new Host({ address: null })
    host.addr('10.0.0.1/24', { broadcast: ip('10.0.0.127'), flags: IfaFlag.NOPREFIXROUTE })
    expect(routes(host.inet, 254)).toEqual([])
    expect(routes(host.inet, 255).map((r) => r.split(' ').slice(0, 2).join(' '))).toEqual([
      'local 10.0.0.1',
      'broadcast 10.0.0.127',
      'broadcast 10.0.0.255',
    ])
    host.end()
  })

  it('of the same network is secondary, and goes with its primary', () => {
    const host = new Host()
    host.addr('10.0.0.2/24')
    host.addr('10.0.1.1/24')
    host.addr('10.0.0.3/24', { label: 'eth0:three' })
    expect(addresses(host)).toEqual([
      '10.0.0.1/24 eth0',
      '10.0.1.1/24 eth0',
      '10.0.0.2/24 secondary eth0',
      '10.0.0.3/24 secondary eth0:three',
    ])
    expect(routes(host.inet, 255)).toContain('local 10.0.0.2 dev eth0 proto kernel scope host src 10.0.0.1')
    del(host, '10.0.0.1/24')
    expect(addresses(host)).toEqual(['10.0.1.1/24 eth0'])
    expect(routes(host.inet, 255).join('\n')).not.toContain('10.0.0.')
    expect(routes(host.inet, 254).length).toBe(1)
    host.end()
  })

  it('gives its place to the first secondary with promote_secondaries', () => {
    const host = new Host()
    host.ipv4.inDev(host.dev)!.cnf.promoteSecondaries = true
    host.addr('10.0.0.2/24')
    host.addr('10.0.0.3/24')
    const log: string[] = []
    host.inet.on('addr', (event, ifa) => log.push(`${event} ${text(ifa.local)}`))
    del(host, '10.0.0.1/24')
    expect(log).toEqual(['del 10.0.0.1', 'new 10.0.0.2'])
    expect(addresses(host)).toEqual(['10.0.0.2/24 eth0', '10.0.0.3/24 secondary eth0'])
    expect(routes(host.inet, 254)).toEqual(['10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2'])
    expect(routes(host.inet, 255)).toEqual([
      'local 10.0.0.2 dev eth0 proto kernel scope host src 10.0.0.2',
      'local 10.0.0.3 dev eth0 proto kernel scope host src 10.0.0.2',
      'broadcast 10.0.0.255 dev eth0 proto kernel scope link src 10.0.0.2',
    ])
    host.end()
  })

  it('leaves what another address of the device still needs', () => {
    const host = new Host()
    host.addr('10.0.0.1/25')
    del(host, '10.0.0.1/24')
    expect(routes(host.inet, 255)).toEqual([
      LOCAL,
      'broadcast 10.0.0.127 dev eth0 proto kernel scope link src 10.0.0.1',
    ])
    expect(routes(host.inet, 254)).toEqual(['10.0.0.0/25 dev eth0 proto kernel scope link src 10.0.0.1'])
    host.end()
  })

  it('ends with its lifetime, after it was deprecated', () => {
    const host = new Host({ address: null })
    const log: string[] = []
    host.inet.on('addr', (event, ifa) => log.push(`${event} ${ifa.flags}`))
    host.addr('10.0.0.1/24', { validLft: 20, preferredLft: 10 })
    host.kernel.runFor(9.9e9)
    expect(log).toEqual(['new 0'])
    host.kernel.runFor(0.2e9)
    expect(log).toEqual(['new 0', `new ${IfaFlag.DEPRECATED}`])
    host.kernel.runFor(9.8e9)
    expect(addresses(host).length).toBe(1)
    host.kernel.runFor(0.3e9)
    expect(addresses(host)).toEqual([])
    expect(routes(host.inet, 255)).toEqual([])
    host.end()
  })

  it('gets new lifetimes by replace', () => {
    const host = new Host({ address: null })
    host.addr('10.0.0.1/24', { validLft: 20, preferredLft: 10 })
    host.rtnl(() => {
      const config = { dev: host.dev, family: 2 as const, local: ip('10.0.0.1'), prefixlen: 24 }
      inetAddrAdd(host.inet, config, NlmNew.CREATE | NlmNew.REPLACE)
    })
    host.kernel.runFor(60e9)
    expect(addresses(host)).toEqual(['10.0.0.1/24 eth0'])
    expect(host.inet.addresses(2)[0]!.flags).toBe(IfaFlag.PERMANENT)
    host.end()
  })
})

describe('a device', () => {
  it('that goes down keeps its addresses and their local routes only', () => {
    const host = new Host()
    host.rtnl(() => devClose(host.dev))
    expect(addresses(host)).toEqual(['10.0.0.1/24 eth0'])
    expect(routes(host.inet, 254)).toEqual([])
    expect(routes(host.inet, 255)).toEqual([LOCAL])
    host.rtnl(() => devOpen(host.dev))
    expect(routes(host.inet, 254)).toEqual([CONNECTED])
    expect(routes(host.inet, 255)).toEqual([LOCAL, ALL])
    host.end()
  })

  it('without carrier marks its routes linkdown', () => {
    const host = new Host()
    host.rtnl(() => netifCarrierOff(host.dev))
    host.kernel.runFor(2e9)
    expect(routes(host.inet, 254)).toEqual([`${CONNECTED} linkdown`])
    expect(routes(host.inet, 255)).toEqual([LOCAL, `${ALL} linkdown`])
    host.rtnl(() => netifCarrierOn(host.dev))
    host.kernel.runFor(2e9)
    expect(routes(host.inet, 254)).toEqual([CONNECTED])
    host.end()
  })

  it('listens to all hosts while it is up', () => {
    const host = new Host({ address: null })
    expect([...host.dev.mc.keys()]).toEqual(['01:00:5e:00:00:01'])
    expect(host.ipv4.inDev(host.dev)!.mcList).toEqual([{ address: 0xe0000001, users: 1, loaded: true }])
    host.rtnl(() => devClose(host.dev))
    expect([...host.dev.mc.keys()]).toEqual([])
    host.end()
  })

  it('that is a loopback gets 127.0.0.1/8 when it comes up', () => {
    const host = new Host({ lo: true, address: null })
    expect(host.inet.addresses(2).map((ifa) => `${text(ifa.local)}/${ifa.prefixlen} ${ifa.scope}`)).toEqual([
      '127.0.0.1/8 254',
    ])
    expect(routes(host.inet, 255)).toEqual([
      'local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1',
      'local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1',
      'broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1',
    ])
    host.end()
  })

  it('takes its labels along when its name changes', () => {
    const host = new Host()
    host.addr('10.0.0.2/24', { label: 'eth0:two' })
    host.rtnl(() => {
      devClose(host.dev)
      devChangeName(host.dev, 'wan')
    })
    expect(host.inet.addresses(2).map((ifa) => ifa.label)).toEqual(['wan', 'wan:two'])
    host.end()
  })

  it('loses IPv4 when its MTU is too small for it', () => {
    const host = new Host()
    host.dev.minMtu = 60
    host.rtnl(() => devSetMtu(host.dev, 67))
    expect(host.inet.addresses(2)).toEqual([])
    host.rtnl(() => devSetMtu(host.dev, 1500))
    host.addr('10.0.0.1/24')
    expect(routes(host.inet, 254)).toEqual([CONNECTED])
    host.end()
  })
})

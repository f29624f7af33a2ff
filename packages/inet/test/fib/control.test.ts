import { devClose, netifCarrierOff } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import {
  fibAdd,
  type FibConfig,
  fibDel,
  fibLookup,
  NlmNew,
  RtnhFlag,
  RtnType,
  RtScope,
  Rtax,
} from '../../src/index.ts'
import { Host, ip, makeDev, MAC_B, text } from '../helpers.ts'
import { routes } from '../routes.ts'

type Wish = Partial<Omit<FibConfig, 'gateway' | 'prefsrc'>> & { to: string; via?: string; src?: string }

function config({ to, via, src, ...more }: Wish): FibConfig {
  const [dst, len] = to.split('/')
  return {
    family: 2,
    dst: ip(dst!),
    dstLen: Number(len ?? 32),
    gateway: via === undefined ? null : ip(via),
    prefsrc: src === undefined ? null : ip(src),
    ...more,
  }
}

function add(host: Host, wish: Wish, flags: number = NlmNew.CREATE | NlmNew.EXCL): void {
  host.rtnl(() => fibAdd(host.inet, config(wish), flags))
}

function del(host: Host, wish: Wish): void {
  host.rtnl(() => fibDel(host.inet, config(wish)))
}

describe('a route', () => {
  it('goes through a gateway on a connected network', () => {
    const host = new Host()
    add(host, { to: '0.0.0.0/0', via: '10.0.0.254' })
    expect(routes(host.inet, 254)[0]).toBe('default via 10.0.0.254 dev eth0')
    const way = fibLookup(host.inet, ip('8.8.8.8'))
    expect([text(way.nextHop), text(way.src), way.dev.name]).toEqual(['10.0.0.254', '10.0.0.1', 'eth0'])
    del(host, { to: '0.0.0.0/0' })
    expect(() => fibLookup(host.inet, ip('8.8.8.8'))).toThrow('Network is unreachable')
    host.end()
  })

  it.each<[string, Wish, string, string]>([
    [
      'a gateway nobody can reach',
      { to: '1.0.0.0/8', via: '9.9.9.9' },
      'ENETUNREACH',
      'Nexthop has invalid gateway',
    ],
    [
      'a gateway that is a broadcast',
      { to: '1.0.0.0/8', via: '10.0.0.255' },
      'EINVAL',
      'Nexthop has invalid gateway',
    ],
    [
      'a prefix with bits behind it',
      { to: '1.0.0.1/8', via: '10.0.0.2' },
      'EINVAL',
      'Invalid prefix for given prefix length',
    ],
    ['a prefix too long', { to: '1.0.0.1/33', via: '10.0.0.2' }, 'EINVAL', 'Invalid prefix length'],
    [
      'a source that is not ours',
      { to: '1.0.0.0/8', via: '10.0.0.2', src: '10.0.0.9' },
      'EINVAL',
      'Invalid prefsrc address',
    ],
    ['no way at all', { to: '1.0.0.0/8' }, 'ENODEV', 'No such device'],
    [
      'a dead one',
      { to: '1.0.0.0/8', via: '10.0.0.2', flags: RtnhFlag.DEAD },
      'EINVAL',
      'Invalid rtm_flags - can not contain DEAD/LINKDOWN',
    ],
    ['a type there is not', { to: '1.0.0.0/8', type: 77 }, 'EINVAL', 'Invalid route type'],
    [
      'a blackhole with a way',
      { to: '1.0.0.0/8', type: RtnType.BLACKHOLE, via: '10.0.0.2' },
      'EINVAL',
      'Gateway, device and multipath can not be specified for this route type',
    ],
    [
      'a local one of wide scope',
      { to: '1.0.0.1', type: RtnType.LOCAL, scope: RtScope.LINK },
      'EINVAL',
      'Invalid scope',
    ],
    [
      'onlink without a device',
      { to: '1.0.0.0/8', via: '9.9.9.9', flags: RtnhFlag.ONLINK },
      'ENODEV',
      'Nexthop device required for onlink',
    ],
  ])('is refused: %s', (_name, wish, code, message) => {
    const host = new Host()
    expect(() => add(host, wish)).toThrow(expect.objectContaining({ code, message }))
    host.end()
  })

  it('through a device that is down is refused', () => {
    const host = new Host()
    host.rtnl(() => devClose(host.dev))
    expect(() => add(host, { to: '1.0.0.0/8', oif: host.dev })).toThrow(
      expect.objectContaining({ code: 'ENETDOWN', message: 'Device for nexthop is not up' }),
    )
    host.end()
  })

  it('is added, appended, prepended, replaced and changed as the kernel does', () => {
    const host = new Host()
    const to = '1.0.0.0/8'
    const shown = (): string[] =>
      routes(host.inet, 254)
        .filter((r) => r.startsWith(to))
        .map((r) => r.split(' ')[2]!)
    add(host, { to, via: '10.0.0.2' })
    expect(() => add(host, { to, via: '10.0.0.3' })).toThrow('File exists')
    add(host, { to, via: '10.0.0.3' }, NlmNew.CREATE | NlmNew.APPEND)
    expect(shown()).toEqual(['10.0.0.2', '10.0.0.3'])
    add(host, { to, via: '10.0.0.4' }, NlmNew.CREATE)
    expect(shown()).toEqual(['10.0.0.4', '10.0.0.2', '10.0.0.3'])
    expect(() => add(host, { to, via: '10.0.0.2' }, NlmNew.CREATE)).toThrow('File exists')
    add(host, { to, via: '10.0.0.5' }, NlmNew.CREATE | NlmNew.REPLACE)
    expect(shown()).toEqual(['10.0.0.5', '10.0.0.2', '10.0.0.3'])
    add(host, { to, via: '10.0.0.5' }, NlmNew.CREATE | NlmNew.REPLACE)
    expect(() => add(host, { to, via: '10.0.0.3' }, NlmNew.REPLACE)).toThrow('File exists')
    expect(() => add(host, { to: '2.0.0.0/8', via: '10.0.0.3' }, NlmNew.REPLACE)).toThrow('No such file')
    del(host, { to, via: '10.0.0.2' })
    expect(shown()).toEqual(['10.0.0.5', '10.0.0.3'])
    expect(() => del(host, { to, via: '10.0.0.2' })).toThrow('No such process')
    expect(() => del(host, { to, table: 77 })).toThrow('ipv4: FIB table does not exist')
    host.end()
  })

  it('of the lower metric is taken, and the next when that goes', () => {
    const host = new Host()
    add(host, { to: '0.0.0.0/0', via: '10.0.0.2', priority: 200 })
    add(host, { to: '0.0.0.0/0', via: '10.0.0.3', priority: 100 })
    expect(text(fibLookup(host.inet, ip('1.1.1.1')).gateway)).toBe('10.0.0.3')
    del(host, { to: '0.0.0.0/0', priority: 100 })
    expect(text(fibLookup(host.inet, ip('1.1.1.1')).gateway)).toBe('10.0.0.2')
    host.end()
  })

  it.each([
    [RtnType.UNREACHABLE, 'EHOSTUNREACH'],
    [RtnType.PROHIBIT, 'EACCES'],
    [RtnType.BLACKHOLE, 'EINVAL'],
    [RtnType.THROW, 'ENETUNREACH'],
  ])('of type %s answers a lookup with %s', (type, code) => {
    const host = new Host()
    add(host, { to: '1.0.0.0/8', type })
    expect(() => fibLookup(host.inet, ip('1.2.3.4'))).toThrow(expect.objectContaining({ code }))
    host.end()
  })

  it('gives the source it prefers, and its MTU', () => {
    const host = new Host()
    host.addr('10.0.0.7/24')
    const metrics = new Map([[Rtax.MTU, 1200]])
    add(host, { to: '1.0.0.0/8', via: '10.0.0.2', src: '10.0.0.7', metrics })
    const way = fibLookup(host.inet, ip('1.2.3.4'))
    expect([text(way.src), way.mtu]).toEqual(['10.0.0.7', 1200])
    expect(routes(host.inet, 254)[0]).toBe('1.0.0.0/8 via 10.0.0.2 dev eth0 src 10.0.0.7')
    host.end()
  })

  it('goes when the address it prefers goes', () => {
    const host = new Host()
    host.addr('10.9.0.7/24')
    add(host, { to: '1.0.0.0/8', via: '10.0.0.2', src: '10.9.0.7' })
    host.rtnl(() => host.inet.family(2).addrDel({ dev: host.dev, family: 2, local: ip('10.9.0.7') }))
    expect(routes(host.inet, 254).length).toBe(1)
    host.end()
  })

  it('without carrier is passed over where the device wants that', () => {
    const host = new Host()
    const other = makeDev(host.kernel, MAC_B)
    add(host, { to: '1.0.0.0/8', oif: host.dev })
    add(host, { to: '1.0.0.0/8', oif: other, priority: 5 })
    host.rtnl(() => netifCarrierOff(host.dev))
    host.kernel.runFor(2e9)
    expect(fibLookup(host.inet, ip('1.2.3.4')).dev.name).toBe('eth0')
    host.ipv4.inDev(host.dev)!.cnf.ignoreRoutesWithLinkdown = true
    expect(fibLookup(host.inet, ip('1.2.3.4')).dev.name).toBe('eth1')
  })

  it('tells what comes and goes', () => {
    const host = new Host({ address: null })
    const log: string[] = []
    host.inet.on('route', (event, r) => log.push(`${event} ${r.type} ${text(r.dst)}/${r.dstLen}`))
    host.addr('10.0.0.1/24')
    add(host, { to: '1.0.0.0/8', via: '10.0.0.2' })
    del(host, { to: '1.0.0.0/8' })
    expect(log).toEqual([
      'new 2 10.0.0.1/32',
      'new 1 10.0.0.0/24',
      'new 3 10.0.0.255/32',
      'new 1 1.0.0.0/8',
      'del 1 1.0.0.0/8',
    ])
    host.end()
  })
})

describe('a lookup', () => {
  it('of an own address says local, and the loopback device if there is one', () => {
    for (const lo of [true, false]) {
      const host = new Host({ lo })
      const way = fibLookup(host.inet, ip('10.0.0.1'))
      expect([way.type, text(way.src), way.dev.name]).toEqual([RtnType.LOCAL, '10.0.0.1', lo ? 'lo' : 'eth0'])
      host.end()
    }
  })

  it('of groups and of all needs no route when the device is said', () => {
    const host = new Host()
    expect(fibLookup(host.inet, ip('224.0.0.1'), { oif: host.dev }).type).toBe(RtnType.MULTICAST)
    expect(fibLookup(host.inet, ip('255.255.255.255'), { oif: host.dev }).type).toBe(RtnType.BROADCAST)
    expect(fibLookup(host.inet, ip('10.0.0.255')).type).toBe(RtnType.BROADCAST)
    expect(() => fibLookup(host.inet, ip('224.0.0.1'))).toThrow('Network is unreachable')
    expect(() => fibLookup(host.inet, ip('10.0.0.2'), { src: ip('10.0.0.77') })).toThrow('Invalid argument')
    host.end()
  })
})

import { devChangeFlags, devGetFlags, devSetMtu, Iff } from '@vnet/netdev'
import { formatIpv6Address } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibAdd, fibDel, fibDump, inetAddrAdd } from '../../src/inet.ts'
import { addrconfSetForwarding } from '../../src/ipv6/index.ts'
import { IfaFlag, RtnType } from '../../src/types/constants.ts'
import { ipv6EchoRequest, ipv6Frame } from './frames.ts'
import { Host, ip, MS, SEC } from './helpers.ts'

describe('a device that changes', () => {
  it('loses IPv6 with an MTU below 1280, and gets it back, as the monitor of a real kernel showed', () => {
    const host = new Host()
    host.run(5 * SEC)
    const netconf: string[] = []
    host.ipv6.onNetconf = (event) => netconf.push(event)
    host.kernel.rtnl.run(() => devSetMtu(host.dev, 68))
    expect(host.ipv6.devs.size).toBe(0)
    expect(host.ipv6.fib.list()).toEqual([])
    expect(host.dev.addrGenMode).toBeNull()
    expect([...host.dev.mc.keys()]).toEqual([])
    host.take()
    host.run(60 * SEC)
    expect(host.take()).toEqual([])
    host.kernel.rtnl.run(() => devSetMtu(host.dev, 1500))
    host.run(3 * SEC)
    expect(netconf).toEqual(['del', 'new'])
    expect(host.ipv6.addresses().map((ifp) => ifp.flags)).toEqual([IfaFlag.PERMANENT])
    expect(host.ipv6.fib.list().map((r) => `${formatIpv6Address(r.dst)}/${r.dstLen}`)).toEqual([
      'fe80::ff:fe00:1/128',
      'ff00::/8',
      'fe80::/64',
    ])
  })

  it('forgets its neighbours when it stops resolving addresses', () => {
    const host = new Host()
    host.run(5 * SEC)
    expect(host.ipv6.nd.entries).toBe(3)
    host.kernel.rtnl.run(() => devChangeFlags(host.dev, devGetFlags(host.dev) | Iff.NOARP))
    expect(host.ipv6.nd.entries).toBe(0)
  })

  it('lets its detection wait while somebody sleeps with rtnl', () => {
    const host = new Host()
    host.kernel.rtnl.run(() => host.run(10 * SEC))
    expect(host.ipv6.addresses()[0]!.flags & IfaFlag.TENTATIVE).not.toBe(0)
    host.run(3 * SEC)
    expect(host.ipv6.addresses()[0]!.flags).toBe(IfaFlag.PERMANENT)
  })
})

describe('a route made by a person', () => {
  function routed(): Host {
    const host = new Host()
    const config = { dev: host.dev, family: 10 as const, local: ip('2001:db8::1'), prefixlen: 64 }
    host.kernel.rtnl.run(() => inetAddrAdd(host.inet, { ...config, flags: IfaFlag.NODAD }))
    host.run(5 * SEC)
    return host
  }
  const change = (host: Host, fn: () => void): string => {
    try {
      host.kernel.rtnl.run(fn)
    } catch (error) {
      const { code, extack } = error as { code: string; extack?: string }
      return extack === undefined ? code : `${code} ${extack}`
    }
    return ''
  }
  const to = (dst: string, dstLen: number, more: object = {}): Parameters<typeof fibAdd>[1] => ({
    family: 10,
    dst: ip(dst),
    dstLen,
    ...more,
  })

  it('is refused for the reasons of the kernel', () => {
    const host = routed()
    const { dev } = host
    const add = (config: Parameters<typeof fibAdd>[1]): string =>
      change(host, () => fibAdd(host.inet, config))
    expect(add(to('2001:db8:1::', 48, { gateway: ip('2001:db8::9') }))).toBe('')
    expect(add(to('2001:db8:1::', 48, { gateway: ip('2001:db8::8') }))).toBe('EEXIST')
    expect(add(to('2001:db8:2::', 48, { gateway: ip('2001:db9::8') }))).toBe('EHOSTUNREACH')
    expect(add(to('2001:db8:2::', 48, { gateway: ip('fe80::8') }))).toBe('EINVAL Egress device not specified')
    expect(add(to('2001:db8:2::', 48, { gateway: ip('2001:db8::1') }))).toBe(
      'EINVAL Gateway can not be a local address',
    )
    expect(add(to('2001:db8:2::', 48, { gateway: ip('ff02::1'), oif: dev }))).toBe(
      'EINVAL Invalid gateway address',
    )
    expect(add(to('2001:db8:2::', 48))).toBe('ENODEV')
    expect(add(to('2001:db8:2::', 129, { oif: dev }))).toBe('EINVAL Invalid prefix length')
    expect(add(to('2001:db8:2::', 48, { oif: dev, prefsrc: ip('2001:db8::7') }))).toBe(
      'EINVAL Invalid source address',
    )
    expect(change(host, () => fibDel(host.inet, to('2001:db8:9::', 48)))).toBe('ESRCH')
  })

  it('wins by its length, then its metric, and is taken away by what names it', () => {
    const host = routed()
    const { dev, inet } = host
    const via = (): string =>
      formatIpv6Address(host.ipv6.fib.lookup(host.ipv6, ip('2001:db8:1::5'), null)!.gateway!)
    const add = (len: number, gateway: string, priority: number): void =>
      host.kernel.rtnl.run(
        () => void fibAdd(inet, to('2001:db8:1::', len, { gateway: ip(gateway), priority, oif: dev })),
      )
    add(32, 'fe80::32', 1)
    add(48, 'fe80::48', 100)
    expect(via()).toBe('fe80::48')
    add(48, 'fe80::49', 50)
    expect(via()).toBe('fe80::49')
    host.kernel.rtnl.run(() => fibDel(inet, to('2001:db8:1::', 48, { gateway: ip('fe80::49') })))
    expect(via()).toBe('fe80::48')
    host.kernel.rtnl.run(() =>
      fibAdd(inet, to('2001:db8:1::', 48, { gateway: ip('fe80::50'), priority: 100, oif: dev }), 0x500),
    )
    expect(via()).toBe('fe80::50')
    expect(fibDump(inet, 10, 254).filter((route) => route.dstLen === 48)).toHaveLength(1)
  })

  it('of type unreachable or prohibit refuses', () => {
    const host = routed()
    const { inet } = host
    host.kernel.rtnl.run(() =>
      fibAdd(inet, to('2001:db8:1::', 48, { type: RtnType.UNREACHABLE, oif: host.dev })),
    )
    expect(change(host, () => inet.family(10).fibLookup(ip('2001:db8:1::1'), {}))).toBe('EHOSTUNREACH')
  })
})

describe('a packet for somebody else', () => {
  const B = '2001:db8::2'

  function router(): Host {
    const host = new Host()
    const config = { dev: host.dev, family: 10 as const, local: ip('2001:db8::1'), prefixlen: 64 }
    host.kernel.rtnl.run(() => inetAddrAdd(host.inet, { ...config, flags: IfaFlag.NODAD }))
    host.run(5 * SEC)
    host.take()
    return host
  }

  it('is dropped by a host, and passed on by a router with one hop less', () => {
    const host = router()
    const frame = ipv6Frame({ src: B, dst: '2001:db8::3', nextHeader: 59, hopLimit: 9 }, new Uint8Array(0))
    host.receive(frame)
    host.run(MS)
    expect(host.take()).toEqual([])
    expect(host.idev.mib.ip.InAddrErrors).toBe(1)
    host.kernel.rtnl.run(() => addrconfSetForwarding(host.idev, 1))
    expect(host.idev.mcList.map((group) => formatIpv6Address(group.addr))).toContain('ff02::2')
    host.receive(frame)
    const neigh = host.ipv6.nd.list(host.dev).find((n) => formatIpv6Address(n.primaryKey) === '2001:db8::3')!
    expect(neigh.arpQueue.last!.mem[neigh.arpQueue.last!.data + 7]).toBe(8)
    expect(host.idev.mib.ip.OutForwDatagrams).toBe(1)
  })

  it('is reported when its hops are over, it is too big, or there is no way', () => {
    const host = router()
    host.kernel.rtnl.run(() => addrconfSetForwarding(host.idev, 1))
    host.receive(ipv6Frame({ src: B, dst: '2001:db8::3', nextHeader: 59, hopLimit: 1 }, new Uint8Array(0)))
    host.idev.cnf.mtu6 = 1280
    host.inet.rtGenid.bump()
    host.receive(ipv6Frame({ src: B, dst: '2001:db8::3', nextHeader: 59 }, new Uint8Array(1300)))
    host.receive(ipv6EchoRequest('02:00:00:00:00:02', B, '2001:dead::3'))
    const { icmpOut } = host.idev.mib
    expect([icmpOut[3], icmpOut[2], icmpOut[1]]).toEqual([1, 1, 1])
  })
})

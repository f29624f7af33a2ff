import { devClose } from '@vnet/netdev'
import { neighbourAdvertisement, neighbourSolicitation } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibDump, inetAddrAdd, inetAddrDel } from '../../src/inet.ts'
import { addrconfSetAddrGenMode, addrconfSetDisableIpv6, In6AddrGenMode } from '../../src/ipv6/index.ts'
import { IfaFlag } from '../../src/types/constants.ts'
import { Host, ip, MS, SEC, together } from './helpers.ts'

const LL = 'fe80::ff:fe00:1'
const OTHER = '02:00:00:00:00:99'

/** Adds an address as `ip addr add` does. */
function add(host: Host, address: string, prefixlen = 64, more: object = {}): void {
  const config = { dev: host.dev, family: 10 as const, local: ip(address), prefixlen, ...more }
  host.kernel.rtnl.run(() => inetAddrAdd(host.inet, config))
}

const flagsOf = (host: Host): number[] => host.ipv6.addresses().map((ifp) => ifp.flags)

describe('duplicate address detection', () => {
  it('fails when somebody says that he has the address, with the text of the kernel', () => {
    const host = new Host()
    host.run(SEC)
    const mac = OTHER
    host.receive(
      neighbourAdvertisement({
        srcMac: mac,
        dstMac: '33:33:00:00:00:01',
        src: LL,
        dst: 'ff02::1',
        target: LL,
        solicited: false,
      }),
    )
    host.run(MS)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT | IfaFlag.TENTATIVE | IfaFlag.DADFAILED])
    expect(host.log()).toContain(`IPv6: vnet0: IPv6 duplicate address ${LL} used by ${mac} detected!`)
    host.take()
    host.run(60 * SEC)
    expect(host.take().filter((line) => line.includes('router solicitation'))).toEqual([])
  })

  it('that fails disables IPv6 where accept_dad is 2', () => {
    const host = new Host()
    host.idev.cnf.acceptDad = 2
    host.run(SEC)
    host.receive(neighbourSolicitation({ srcMac: OTHER, src: '::', target: LL }))
    host.run(MS)
    expect(host.ipv6.addresses()).toEqual([])
    expect(host.idev.cnf.disableIpv6).toBe(1)
    expect(host.log()).toContain('IPv6: vnet0: IPv6 being disabled!')
  })

  it('fails when somebody else tries the same address', () => {
    const host = new Host()
    host.run(SEC)
    host.receive(neighbourSolicitation({ srcMac: OTHER, src: '::', target: LL }))
    host.run(MS)
    expect(flagsOf(host)[0]! & IfaFlag.DADFAILED).not.toBe(0)
  })

  it('does not take its own solicitation, sent back by the link, for somebody else', () => {
    const host = new Host()
    host.run(SEC)
    const own = host.sent.find(({ bytes }) => bytes[54] === 135)!
    host.receive(own.bytes)
    host.run(3 * SEC)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT])
  })

  it('lets neither of two machines with one address have it, or only the first', () => {
    const a = new Host({ seed: 3 })
    const b = new Host({ seed: 4 })
    together(a, b, 5 * SEC)
    const good = [a, b].filter((host) => flagsOf(host)[0] === IfaFlag.PERMANENT)
    expect(good.length).toBeLessThan(2)
  })

  it('answers for the address it has', () => {
    const host = new Host()
    host.run(5 * SEC)
    host.take()
    host.receive(neighbourSolicitation({ srcMac: OTHER, src: '::', target: LL }))
    expect(host.take()).toEqual([
      `02:00:00:00:00:01 > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86: ${LL} > ff02::1: ICMP6, neighbor advertisement, tgt is ${LL}, length 32`,
    ])
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT])
  })

  it('is not done for an address given with nodad', () => {
    const host = new Host()
    host.run(5 * SEC)
    host.take()
    add(host, '2001:db8::1', 64, { flags: IfaFlag.NODAD })
    host.run(2 * SEC)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT | IfaFlag.NODAD, IfaFlag.PERMANENT])
    expect(host.take().filter((line) => line.includes('neighbor solicitation'))).toEqual([])
  })
})

describe('an address given by a person', () => {
  it('is refused with the sentences of the kernel', () => {
    const host = new Host()
    host.run(5 * SEC)
    const refusal = (fn: () => void): string => {
      try {
        fn()
      } catch (error) {
        const { code, extack } = error as { code: string; extack?: string }
        return `${code} ${extack ?? ''}`
      }
      return ''
    }
    expect(refusal(() => add(host, LL))).toBe('EEXIST ipv6: address already assigned')
    expect(refusal(() => add(host, '::'))).toBe('EADDRNOTAVAIL ipv6: Invalid address')
    expect(refusal(() => add(host, '::1'))).toBe(
      'EADDRNOTAVAIL ipv6: Cannot assign loopback address on this device',
    )
    expect(refusal(() => add(host, 'ff02::5'))).toBe(
      'EADDRNOTAVAIL ipv6: Cannot assign multicast address without "IFA_F_MCAUTOJOIN" flag',
    )
    expect(refusal(() => add(host, '2001:db8::1', 129))).toBe('EINVAL ipv6: Invalid prefix length')
    expect(refusal(() => add(host, '2001:db8::1', 64, { validLft: 0 }))).toBe(
      'EINVAL ipv6: address lifetime invalid',
    )
    const del = { dev: host.dev, family: 10 as const, local: ip('2001:db8::9'), prefixlen: 64 }
    expect(refusal(() => host.kernel.rtnl.run(() => inetAddrDel(host.inet, del)))).toBe(
      'EADDRNOTAVAIL ipv6: address not found',
    )
  })

  it('makes its prefix route, takes it away with the last address of the prefix, and sorts by scope', () => {
    const host = new Host()
    host.run(5 * SEC)
    add(host, '2001:db8::1')
    add(host, '2001:db8::2')
    host.run(3 * SEC)
    const routes = (): number => fibDump(host.inet, 10, 254).length
    expect(routes()).toBe(2)
    expect(host.ipv6.addresses().map((ifp) => ifp.scope)).toEqual([0, 0, 253])
    const del = (address: string): void => {
      const match = { dev: host.dev, family: 10 as const, local: ip(address), prefixlen: 64 }
      host.kernel.rtnl.run(() => inetAddrDel(host.inet, match))
    }
    del('2001:db8::1')
    expect(routes()).toBe(2)
    del('2001:db8::2')
    expect(routes()).toBe(1)
    expect(fibDump(host.inet, 10, 255)).toHaveLength(2)
  })

  it('makes no prefix route with noprefixroute', () => {
    const host = new Host()
    add(host, '2001:db8::1', 64, { flags: IfaFlag.NOPREFIXROUTE })
    expect(fibDump(host.inet, 10, 254)).toHaveLength(1)
  })

  it('is deprecated and removed when its lifetimes end', () => {
    const host = new Host()
    host.run(5 * SEC)
    add(host, '2001:db8::1', 64, { validLft: 20, preferredLft: 10 })
    host.run(9 * SEC)
    expect(flagsOf(host)[0]).toBe(0)
    host.run(2 * SEC)
    expect(flagsOf(host)[0]).toBe(IfaFlag.DEPRECATED)
    host.run(10 * SEC)
    expect(host.ipv6.addresses()).toHaveLength(1)
    expect(fibDump(host.inet, 10, 254)).toHaveLength(1)
  })

  it('given while the device is down waits for it, and all go when it goes down', () => {
    const host = new Host({ down: true })
    add(host, '2001:db8::1')
    host.run(5 * SEC)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT | IfaFlag.TENTATIVE])
    expect(fibDump(host.inet, 10)).toEqual([])
    host.up()
    host.run(3 * SEC)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT, IfaFlag.PERMANENT])
    expect(fibDump(host.inet, 10, 254)).toHaveLength(2)
    host.kernel.rtnl.run(() => devClose(host.dev))
    expect(host.ipv6.addresses()).toEqual([])
    expect(fibDump(host.inet, 10)).toEqual([])
  })
})

describe('settings of a device', () => {
  it('addr_gen_mode none makes no address, eui64 makes it again', () => {
    const host = new Host({ down: true })
    host.kernel.rtnl.run(() => addrconfSetAddrGenMode(host.idev, In6AddrGenMode.NONE))
    expect(host.dev.addrGenMode).toBe('none')
    host.up()
    host.run(5 * SEC)
    expect(host.ipv6.addresses()).toEqual([])
    expect(host.take()).toEqual([])
    host.kernel.rtnl.run(() => addrconfSetAddrGenMode(host.idev, In6AddrGenMode.EUI64))
    host.run(3 * SEC)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT])
  })

  it('disable_ipv6 takes all addresses, refuses new ones, and gives them back', () => {
    const host = new Host()
    host.run(5 * SEC)
    host.kernel.rtnl.run(() => addrconfSetDisableIpv6(host.idev, true))
    expect(host.ipv6.addresses()).toEqual([])
    expect(() => add(host, '2001:db8::1')).toThrow('ipv6: IPv6 is disabled on this device')
    host.receive(neighbourSolicitation({ srcMac: OTHER, src: '::', target: LL }))
    expect(host.idev.mib.ip.InDiscards).toBe(1)
    host.kernel.rtnl.run(() => addrconfSetDisableIpv6(host.idev, false))
    host.run(3 * SEC)
    expect(flagsOf(host)).toEqual([IfaFlag.PERMANENT])
  })
})

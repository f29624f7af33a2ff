import fc from 'fast-check'
import { linkLocalFromMac } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { inetAddrAdd } from '../../src/inet.ts'
import {
  Ipv6AddrType as T,
  ipv6AddrDiff,
  ipv6AddrEqual,
  ipv6AddrKey,
  ipv6AddrPrefix,
  ipv6AddrScope,
  ipv6AddrType,
  ipv6DevGetSaddr,
  ipv6PrefixEqual,
  ipv6PrefixKey,
  ipv6RtScope,
} from '../../src/ipv6/index.ts'
import { ipv6AddrLabel } from '../../src/ipv6/addr-select.ts'
import { IfaFlag } from '../../src/types/constants.ts'
import { Host, ip, macBytes, SEC } from './helpers.ts'

const address = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe('an IPv6 address', () => {
  it.each([
    ['::', T.ANY, 14, 0],
    ['::1', T.LOOPBACK | T.UNICAST, 2, 254],
    ['::ffff:10.0.0.1', T.MAPPED, 14, 0],
    ['::10.0.0.1', T.COMPATV4 | T.UNICAST, 14, 0],
    ['::2', T.COMPATV4 | T.UNICAST, 14, 0],
    ['fe80::1', T.LINKLOCAL | T.UNICAST, 2, 253],
    ['febf::1', T.LINKLOCAL | T.UNICAST, 2, 253],
    ['fec0::1', T.SITELOCAL | T.UNICAST, 5, 200],
    ['fc00::1', T.UNICAST, 14, 0],
    ['2001:db8::1', T.UNICAST, 14, 0],
    ['ff01::1', T.MULTICAST, 1, 0],
    ['ff02::1', T.MULTICAST, 2, 0],
    ['ff0e::1', T.MULTICAST, 14, 0],
  ])('%s has its type and its scopes', (text, type, scope, rtScope) => {
    expect([ipv6AddrType(ip(text)), ipv6AddrScope(ip(text)), ipv6RtScope(ip(text))]).toEqual([
      type,
      scope,
      rtScope,
    ])
  })

  it('shares as many bits with another as a count bit by bit says', () => {
    const bits = (a: Uint8Array): string => [...a].map((b) => b.toString(2).padStart(8, '0')).join('')
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 128 }), (a, other, keep) => {
        const b = Uint8Array.from(other)
        for (let i = 0; i < keep >> 3; i++) b[i] = a[i]!
        const x = bits(a)
        const y = bits(b)
        let same = 0
        while (same < 128 && x[same] === y[same]) same++
        expect(ipv6AddrDiff(a, b)).toBe(same)
        expect(ipv6PrefixEqual(a, b, keep)).toBe(same >= keep)
        expect(bits(ipv6AddrPrefix(a, keep))).toBe(x.slice(0, keep).padEnd(128, '0'))
        expect(ipv6AddrKey(a) === ipv6AddrKey(b)).toBe(ipv6AddrEqual(a, b))
        expect(ipv6PrefixKey(a, keep)).toBe(ipv6AddrKey(ipv6AddrPrefix(a, keep)))
      }),
    )
  })

  it('has the label of RFC 6724', () => {
    const labels = [
      '::1',
      '2001:db8::1',
      '::ffff:1.2.3.4',
      '2002::1',
      '2001::1',
      'fc00::1',
      'fec0::1',
      '3ffe::1',
    ]
    expect(labels.map((text) => ipv6AddrLabel(ip(text)))).toEqual([0, 1, 4, 2, 6, 5, 11, 12])
  })
})

describe('the choice of a source', () => {
  function hostWith(...addresses: [text: string, flags?: number, len?: number][]): Host {
    const host = new Host()
    host.run(5 * SEC)
    for (const [text, flags = 0, prefixlen = 64] of addresses) {
      const config = {
        dev: host.dev,
        family: 10 as const,
        local: ip(text),
        prefixlen,
        flags: flags | IfaFlag.NODAD,
      }
      const life = (flags & IfaFlag.DEPRECATED) !== 0 ? { preferredLft: 0 } : {}
      host.kernel.rtnl.run(() => inetAddrAdd(host.inet, { ...config, ...life }))
    }
    host.run(SEC)
    return host
  }
  const chosen = (host: Host, dst: string): Uint8Array | null => ipv6DevGetSaddr(host.ipv6, host.dev, ip(dst))

  it.each([
    ['the destination itself', '2001:db8::2', '2001:db8::2', [['2001:db8::1'], ['2001:db8::2']]],
    ['the scope that reaches', '2001:db8:9::1', '2001:db8::1', [['2001:db8::1']]],
    ['the smallest scope that does', 'fe80::9', 'fe80::ff:fe00:1', [['2001:db8::1']]],
    [
      'one that is not deprecated',
      '2001:db8::9',
      '2001:db8:5::1',
      [['2001:db8::1', IfaFlag.DEPRECATED], ['2001:db8:5::1']],
    ],
    [
      'a home address',
      '2001:db8::9',
      '2001:db8:5::1',
      [['2001:db8::1'], ['2001:db8:5::1', IfaFlag.HOMEADDRESS]],
    ],
    ['one of the same label', 'fd00::9', 'fd77::1', [['2001:db8::1'], ['fd77::1']]],
    [
      'the longest common prefix',
      '2001:db8:5::9',
      '2001:db8:5::1',
      [['2001:db8::1'], ['2001:db8:5::1'], ['2001:db8:6::1']],
    ],
    ['a link-local one for a group of the link', 'ff02::5', 'fe80::ff:fe00:1', [['2001:db8::1']]],
  ] as [string, string, string, [string, number?][]][])('takes %s', (_what, dst, expected, addresses) => {
    expect(chosen(hostWith(...addresses), dst)).toEqual(ip(expected))
  })

  it('takes no address that is still tentative', () => {
    const host = new Host()
    host.run(1)
    expect(chosen(host, 'fe80::9')).toBeNull()
  })

  it('makes the link-local address of the card', () => {
    const host = new Host({ mac: '52:54:00:12:34:98' })
    expect(host.ipv6.addresses()[0]!.local).toEqual(linkLocalFromMac(macBytes('52:54:00:12:34:98')))
  })
})

import type { InetFamily } from '../family.ts'
import { inet6AddrAdd, inet6AddrDel } from './addrconf-user.ts'
import type { Ipv6 } from './ipv6.ts'
import { fib6Add, fib6Del, fib6Dump, fib6Lookup } from './route.ts'
import { Transport6 } from './transport6.ts'

/** What IPv6 brings to `Inet`. @kernel inet6_family_ops net/ipv6/af_inet6.c */
export function inet6Family(ipv6: Ipv6): InetFamily {
  return {
    addresses: (dev) => ipv6.addresses(dev),
    addrAdd: (config, nlmFlags) => inet6AddrAdd(ipv6, config, nlmFlags),
    addrDel: (match) => {
      inet6AddrDel(ipv6, match)
    },
    fibAdd: (config, nlmFlags) => fib6Add(ipv6, config, nlmFlags),
    fibDel: (config) => {
      fib6Del(ipv6, config)
    },
    fibDump: (table) => fib6Dump(ipv6, table),
    fibLookup: (dst, options) => fib6Lookup(ipv6, dst, options),
    transport: new Transport6(ipv6),
  }
}

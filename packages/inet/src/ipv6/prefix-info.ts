import { scheduleWork } from '@vnet/kernel'
import { getUnalignedBe32 } from '@vnet/wire'
import { IfaFlag, INFINITY_LIFE_TIME } from '../types/constants.ts'
import { addrconfPrefixRoute, ipv6AddAddr, ipv6IfaChanged, prefixRoute } from './addrconf-addr.ts'
import { addrconfVerify } from './addrconf-verify.ts'
import { Ipv6AddrType, ipv6AddrAt, ipv6AddrType, ipv6RtScope } from './address.ts'
import { addrconfDadStart } from './dad.ts'
import { ipv6GenerateEui64 } from './eui64.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { ipv6GetIfaddr } from './addr-lookup.ts'

const OPTION_LENGTH = 32
const ONLINK = 0x80
const AUTOCONF = 0x40
/** A router may not shorten a life to less than this, in seconds: it could be a forger. @kernel MIN_VALID_LIFETIME include/net/addrconf.h */
const MIN_VALID_LIFETIME = 2 * 3600
/** Longer lives have no end: the timer could not count them. */
const MAX_FINITE = 0x7fffffff / 1000
/** Who made the address: a router. @kernel IFAPROT_KERNEL_RA include/uapi/linux/if_addr.h */
const IFAPROT_KERNEL_RA = 2

/** The prefix of an advertisement. */
interface Prefix {
  readonly prefix: Uint8Array
  readonly len: number
  readonly validLft: number
  readonly preferredLft: number
}

/** A router tells a prefix of the link; the option is at `at`. @kernel addrconf_prefix_rcv() net/ipv6/addrconf.c */
export function addrconfPrefixRcv(idev: Inet6Dev, mem: Uint8Array, at: number): void {
  if (mem[at + 1]! * 8 < OPTION_LENGTH) return
  const prefix = ipv6AddrAt(mem, at + 16)
  const type = ipv6AddrType(prefix)
  if ((type & (Ipv6AddrType.MULTICAST | Ipv6AddrType.LINKLOCAL)) !== 0) return
  const info: Prefix = {
    prefix,
    len: mem[at + 2]!,
    validLft: getUnalignedBe32(mem, at + 4),
    preferredLft: getUnalignedBe32(mem, at + 8),
  }
  if (info.preferredLft > info.validLft || info.len > 128) return
  const flags = mem[at + 3]!
  if ((flags & ONLINK) !== 0) onLink(idev, info)
  if ((flags & AUTOCONF) !== 0 && idev.cnf.autoconf !== 0 && info.len === 64) autoconf(idev, info)
}

function onLink(idev: Inet6Dev, info: Prefix): void {
  const { ipv6 } = idev
  const { clock } = ipv6.kernel
  const expires = info.validLft > MAX_FINITE ? 0 : clock.jiffies + info.validLft * clock.hz
  const route = prefixRoute(idev, info.prefix, info.len)
  if (route === null) {
    if (info.validLft !== 0 && ipv6.fib.mayLearn) addrconfPrefixRoute(idev, info.prefix, info.len, 0, expires)
  } else if (info.validLft === 0) ipv6.fib.remove(ipv6, route)
  else if (route.expires !== 0) {
    // A route without an end was made by a person's address.
    ipv6.fib.setExpires(ipv6, route, expires)
  }
}

function autoconf(idev: Inet6Dev, info: Prefix): void {
  const { ipv6, dev } = idev
  const addr = info.prefix.slice()
  if (!ipv6GenerateEui64(addr, dev)) return
  let ifp = ipv6GetIfaddr(ipv6, addr, dev, true)
  const fresh = ifp === null
  if (ifp === null) {
    if (info.validLft === 0 || idev.addrList.length >= idev.cnf.maxAddresses) return
    if (idev.cnf.disableIpv6 !== 0 || idev.dead) return
    ifp = ipv6AddAddr(idev, {
      pfx: addr,
      plen: info.len,
      flags: IfaFlag.MANAGETEMPADDR,
      validLft: info.validLft,
      preferredLft: info.preferredLft,
      scope: ipv6RtScope(addr),
      proto: IFAPROT_KERNEL_RA,
      rtPriority: 0,
    })
    addrconfDadStart(ifp)
  }
  updateLifetimes(ifp, info, fresh)
  // Lifetimes are looked after in process context.
  if (ipv6.kernel.ctx === 'process') addrconfVerify(ipv6)
  else scheduleWork(ipv6.verifyWork)
}

/** RFC 4862, 5.5.3 e: the preferred lifetime is as told, the valid one is not cut to less than two hours. */
function updateLifetimes(ifp: Inet6Ifaddr, info: Prefix, fresh: boolean): void {
  const left = remaining(ifp)
  if (!fresh && left === 0) return
  const least = fresh ? 0 : Math.min(left, MIN_VALID_LIFETIME)
  ifp.validLft = Math.max(info.validLft, least)
  ifp.preferredLft = info.preferredLft
  ifp.touch()
  ifp.flags &= ~IfaFlag.DEPRECATED
  if ((ifp.flags & IfaFlag.TENTATIVE) === 0) ipv6IfaChanged(ifp)
}

function remaining(ifp: Inet6Ifaddr): number {
  if (ifp.validLft === INFINITY_LIFE_TIME) return INFINITY_LIFE_TIME
  const { clock } = ifp.idev.ipv6.kernel
  return Math.max(ifp.validLft - Math.floor((clock.jiffies - ifp.tstampJiffies) / clock.hz), 0)
}

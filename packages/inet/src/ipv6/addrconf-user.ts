import { Errno } from '@vnet/kernel'
import { IfaFlag, INFINITY_LIFE_TIME, NlmNew, RtTable } from '../types/constants.ts'
import type { IfaddrConfig, IfaddrMatch } from '../types/objects.ts'
import {
  addrconfPrefixRoute,
  ipv6AddAddr,
  ipv6DelAddr,
  ipv6IfaChanged,
  prefixRoute,
} from './addrconf-addr.ts'
import { addrconfAddDev } from './addrconf-dev.ts'
import { addrconfVerify } from './addrconf-verify.ts'
import { ipv6AddrEqual, ipv6RtScope } from './address.ts'
import { addrconfDadStart } from './dad.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6GetIfaddr } from './addr-lookup.ts'

/** What a person may set of an address's flags. */
const USER_FLAGS =
  IfaFlag.NODAD |
  IfaFlag.HOMEADDRESS |
  IfaFlag.MANAGETEMPADDR |
  IfaFlag.NOPREFIXROUTE |
  IfaFlag.MCAUTOJOIN |
  IfaFlag.OPTIMISTIC
/** Longest life that is counted, in seconds. */
const MAX_FINITE = 0x7fffffff / 1000

interface Lifetimes {
  readonly validLft: number
  readonly preferredLft: number
  readonly flags: number
  /** When the prefix's route ends, in ticks; 0: never. */
  readonly expires: number
}

/**
 * Gives a device an address. rtnl is held.
 *
 * @param nlmFlags - `NlmNew` bits; with REPLACE an address that is there gets new lifetimes and flags
 * @throws Errno with the kernel's sentence
 * @kernel inet6_rtm_newaddr() net/ipv6/addrconf.c
 */
export function inet6AddrAdd(ipv6: Ipv6, config: IfaddrConfig, nlmFlags: number): Inet6Ifaddr {
  ipv6.kernel.rtnl.assertHeld('inet6AddrAdd')
  const asked = (config.flags ?? 0) & USER_FLAGS
  const both = IfaFlag.NODAD | IfaFlag.OPTIMISTIC
  if ((asked & both) === both)
    throw new Errno('EINVAL', 'ipv6: IFA_F_NODAD and IFA_F_OPTIMISTIC are mutually exclusive')
  const known = ipv6GetIfaddr(ipv6, config.local, config.dev, true)
  if (known === null) return addAddress(ipv6, config, asked)
  if ((nlmFlags & NlmNew.EXCL) !== 0 || (nlmFlags & NlmNew.REPLACE) === 0)
    throw new Errno('EEXIST', 'ipv6: address already assigned')
  modifyAddress(known, config, asked)
  return known
}

function lifetimes(ipv6: Ipv6, config: IfaddrConfig, asked: number): Lifetimes {
  const { validLft = INFINITY_LIFE_TIME, preferredLft = INFINITY_LIFE_TIME } = config
  if (validLft === 0 || preferredLft > validLft) throw new Errno('EINVAL', 'ipv6: address lifetime invalid')
  const { clock } = ipv6.kernel
  const forEver = validLft > MAX_FINITE
  let flags = asked
  if (forEver) flags |= IfaFlag.PERMANENT
  if (preferredLft === 0) flags |= IfaFlag.DEPRECATED
  return {
    validLft: forEver ? INFINITY_LIFE_TIME : validLft,
    preferredLft: preferredLft > MAX_FINITE ? INFINITY_LIFE_TIME : preferredLft,
    flags,
    expires: forEver ? 0 : clock.jiffies + validLft * clock.hz,
  }
}

/** @kernel inet6_addr_add() net/ipv6/addrconf.c */
function addAddress(ipv6: Ipv6, config: IfaddrConfig, asked: number): Inet6Ifaddr {
  const { prefixlen, local } = config
  if (prefixlen > 128) throw new Errno('EINVAL', 'ipv6: Invalid prefix length')
  const life = lifetimes(ipv6, config, asked)
  if ((asked & IfaFlag.MANAGETEMPADDR) !== 0 && prefixlen !== 64)
    throw new Errno('EINVAL', 'ipv6: address with "mngtmpaddr" flag must have a prefix length of 64')
  const idev = addrconfAddDev(ipv6, config.dev)
  if (idev.cnf.disableIpv6 !== 0) throw new Errno('EACCES', 'ipv6: IPv6 is disabled on this device')
  const peer = config.address
  const ifp = ipv6AddAddr(idev, {
    pfx: local.slice(),
    plen: prefixlen,
    peer: peer === undefined || ipv6AddrEqual(peer, local) ? null : peer.slice(),
    flags: life.flags,
    validLft: life.validLft,
    preferredLft: life.preferredLft,
    scope: ipv6RtScope(local),
    proto: config.proto ?? 0,
    rtPriority: config.rtPriority ?? 0,
  })
  if ((life.flags & IfaFlag.NOPREFIXROUTE) === 0)
    addrconfPrefixRoute(idev, local, prefixlen, ifp.rtPriority, life.expires)
  if ((life.flags & (IfaFlag.OPTIMISTIC | IfaFlag.NODAD)) === 0) ipv6IfaChanged(ifp)
  addrconfDadStart(ifp)
  addrconfVerify(ipv6)
  return ifp
}

/** @kernel inet6_addr_modify() net/ipv6/addrconf.c */
function modifyAddress(ifp: Inet6Ifaddr, config: IfaddrConfig, asked: number): void {
  const { ipv6 } = ifp.idev
  const life = lifetimes(ipv6, config, asked)
  const mine = USER_FLAGS | IfaFlag.DEPRECATED | IfaFlag.PERMANENT
  const hadRoute = (ifp.flags & IfaFlag.NOPREFIXROUTE) === 0
  ifp.flags = (ifp.flags & ~mine) | life.flags
  ifp.validLft = life.validLft
  ifp.preferredLft = life.preferredLft
  if (config.proto !== undefined) ifp.proto = config.proto
  ifp.touch()
  if ((ifp.flags & IfaFlag.TENTATIVE) === 0) ipv6IfaChanged(ifp)
  const priority = config.rtPriority ?? 0
  if ((ifp.flags & IfaFlag.NOPREFIXROUTE) === 0) {
    const old = prefixRoute(ifp.idev, ifp.local, ifp.prefixlen)
    if (old !== null && priority !== 0 && old.priority !== priority) ipv6.fib.remove(ipv6, old)
    if (priority !== 0) ifp.rtPriority = priority
    addrconfPrefixRoute(ifp.idev, ifp.local, ifp.prefixlen, ifp.rtPriority, life.expires)
  } else if (hadRoute) {
    const old = prefixRoute(ifp.idev, ifp.local, ifp.prefixlen)
    if (old?.table === RtTable.MAIN) ipv6.fib.remove(ipv6, old)
  }
  addrconfVerify(ipv6)
}

/** Takes an address off a device. rtnl is held. @throws Errno EINVAL, ENXIO, EADDRNOTAVAIL @kernel inet6_addr_del() net/ipv6/addrconf.c */
export function inet6AddrDel(ipv6: Ipv6, match: IfaddrMatch): void {
  ipv6.kernel.rtnl.assertHeld('inet6AddrDel')
  const { prefixlen, dev } = match
  if (prefixlen !== undefined && prefixlen > 128) throw new Errno('EINVAL', 'ipv6: Invalid prefix length')
  const idev = ipv6.devs.get(dev)
  if (idev === undefined) throw new Errno('ENXIO', 'ipv6: IPv6 is disabled on this device')
  const local = match.local ?? match.address
  if (local === undefined) throw new Errno('EINVAL')
  for (const ifp of idev.addrList) {
    if (prefixlen !== undefined && ifp.prefixlen !== prefixlen) continue
    if (!ipv6AddrEqual(ifp.local, local)) continue
    ipv6DelAddr(ifp)
    addrconfVerify(ipv6)
    return
  }
  throw new Errno('EADDRNOTAVAIL', 'ipv6: address not found')
}

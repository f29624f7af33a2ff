import { addrconfSetAddrGenMode, In6AddrGenMode, ipv6Of, type Inet, type Inet6Dev } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import {
  Af,
  IFLA_INET6_ADDR_GEN_MODE,
  NlAttrs,
  RtextFilter,
  rtnlAfRegister,
  type NetlinkServer,
  type NlWriter,
} from '@vnet/netlink'
import { ipv4DevconfValues, ipv6DevconfValues } from '../devconf.ts'

/** Inside the AF_INET part of a link. @kernel IFLA_INET_CONF include/uapi/linux/if_link.h */
const IFLA_INET_CONF = 1
/** Inside the AF_INET6 part of a link. @kernel IFLA_INET6_FLAGS include/uapi/linux/if_link.h */
const IflaInet6 = { FLAGS: 1, CONF: 2, STATS: 3, CACHEINFO: 5, ICMP6STATS: 6, TOKEN: 7 } as const
/** Longest packet put together again. @kernel IPV6_MAXPLEN include/linux/ipv6.h */
const IPV6_MAXPLEN = 65_535

/** Makes the parts of links known that belong to IPv4 and IPv6. @returns what takes them back */
export function registerLinkAf(server: NetlinkServer, inet: Inet): (() => void)[] {
  return [
    rtnlAfRegister(server, { family: Af.INET, fillLinkAf: (w, dev) => fillIpv4(w, inet, dev) }),
    rtnlAfRegister(server, {
      family: Af.INET6,
      fillLinkAf: (w, dev, extMask) => fillIpv6(w, inet, dev, extMask),
      setLinkAf: (dev, attrs) => setIpv6(inet, dev, attrs),
    }),
  ]
}

/** @kernel inet_fill_link_af() net/ipv4/devinet.c */
function fillIpv4(w: NlWriter, inet: Inet, dev: NetDevice<any>): boolean {
  const inDev = inet.ipv4.inDev(dev)
  if (inDev === null) return false
  w.putBinary(IFLA_INET_CONF, words(ipv4DevconfValues(inet, inDev.cnf)))
  return true
}

function words(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4))
  for (const [i, value] of values.entries()) view.setInt32(i * 4, value, true)
  return new Uint8Array(view.buffer)
}

/** @kernel inet6_fill_link_af() net/ipv6/addrconf.c */
function fillIpv6(w: NlWriter, inet: Inet, dev: NetDevice<any>, extMask: number): boolean {
  const idev = ipv6Of(inet).devs.get(dev)
  if (idev === undefined) return false
  putInet6(w, idev, extMask)
  return true
}

/** What IPv6 says of a device. @kernel inet6_fill_ifla6_attrs() net/ipv6/addrconf.c */
export function putInet6(w: NlWriter, idev: Inet6Dev, extMask: number): void {
  const { hz } = idev.dev.kernel.clock
  w.putU32(IflaInet6.FLAGS, idev.ifFlags >>> 0)
  const stamp = Math.floor((idev.tstamp * 100) / hz)
  w.putBinary(
    IflaInet6.CACHEINFO,
    words([IPV6_MAXPLEN, stamp, idev.ndParms.reachableTime, idev.ndParms.retransTime]),
  )
  w.putBinary(IflaInet6.CONF, words(ipv6DevconfValues(idev.cnf)))
  if ((extMask & RtextFilter.SKIP_STATS) === 0) {
    w.putBinary(IflaInet6.STATS, counters(Object.values(idev.mib.ip)))
    w.putBinary(IflaInet6.ICMP6STATS, counters(Object.values(idev.mib.icmp)))
  }
  w.putBinary(IflaInet6.TOKEN, new Uint8Array(16))
  w.putU8(IFLA_INET6_ADDR_GEN_MODE, idev.cnf.addrGenMode)
}

/** Counters with their number in front, as the kernel lists them. @kernel snmp6_fill_stats() net/ipv6/addrconf.c */
function counters(values: readonly number[]): Uint8Array {
  const all = [values.length + 1, ...values]
  return new Uint8Array(BigUint64Array.from(all, (value) => BigInt(value)).buffer)
}

/** Takes how addresses are made. @throws Errno EINVAL, EAFNOSUPPORT @kernel inet6_set_link_af() net/ipv6/addrconf.c */
function setIpv6(inet: Inet, dev: NetDevice<any>, attrs: Uint8Array): void {
  const idev = ipv6Of(inet).devs.get(dev)
  if (idev === undefined) throw new Errno('EAFNOSUPPORT')
  const walk = new NlAttrs(attrs, 0, attrs.length)
  let known = false
  while (walk.next()) {
    if (walk.type !== IFLA_INET6_ADDR_GEN_MODE) continue
    const mode = walk.number()
    // A stable address needs a secret, which nobody has set; random ones are not made.
    if (mode !== In6AddrGenMode.EUI64 && mode !== In6AddrGenMode.NONE) throw new Errno('EINVAL')
    addrconfSetAddrGenMode(idev, mode)
    known = true
  }
  if (!known) throw new Errno('EINVAL')
}

import { Errno, timerDelete } from '@vnet/kernel'
import { Arphrd, Iff, type NetDevice, netifOperUp } from '@vnet/netdev'
import { neighIfdown } from '../neigh/remove.ts'
import { neighParmsAlloc, neighParmsRelease } from '../neigh/table.ts'
import { IfaFlag, INFINITY_LIFE_TIME } from '../types/constants.ts'
import {
  addrconfAddMroute,
  addrconfPrefixRoute,
  ipv6AddAddr,
  ipv6IfaDown,
  ipv6IfaUp,
  ipv6UnlinkAddr,
} from './addrconf-addr.ts'
import { addrconfVerify } from './addrconf-verify.ts'
import {
  IN6ADDR_INTERFACELOCAL_ALLNODES,
  IN6ADDR_LINKLOCAL_ALLNODES,
  IN6ADDR_LOOPBACK,
  ipv6RtScope,
} from './address.ts'
import { addrconfDadStart } from './dad.ts'
import { In6AddrGenMode } from './devconf.ts'
import { ipv6GenerateEui64 } from './eui64.ts'
import { Inet6Dev } from './inet6-dev.ts'
import { Inet6IfFlag } from './if-flag.ts'
import type { Ipv6 } from './ipv6.ts'
import { ipv6DevMcDec, ipv6DevMcInc } from './mcast-group.ts'
import { ipv6McDown, ipv6McReset, ipv6McUp, mldStop } from './mld-report.ts'
import { IPV6_MIN_MTU } from './route.ts'

/** Who made an address. @kernel IFAPROT_KERNEL_LO include/uapi/linux/if_addr.h */
const IFAPROT = { UNSPEC: 0, KERNEL_LO: 1, KERNEL_LL: 3 } as const
const EUI64 = 'eui64'

/** True when the device is up and its link is there. @kernel addrconf_link_ready() net/ipv6/addrconf.c */
export function addrconfLinkReady(dev: NetDevice<any>): boolean {
  return netifOperUp(dev) && !dev.txq.every((txq) => txq.qdisc === dev.noop)
}

/** Starts IPv6 on a device; null when its frames are too small for it. rtnl is held. @kernel ipv6_add_dev() net/ipv6/addrconf.c */
export function ipv6AddDev(ipv6: Ipv6, dev: NetDevice<any>): Inet6Dev | null {
  if (dev.mtu < IPV6_MIN_MTU) return null
  const cnf = ipv6.devconfDflt.clone()
  cnf.mtu6 = dev.mtu
  const idev = new Inet6Dev(ipv6, dev, cnf, neighParmsAlloc(ipv6.nd, dev))
  if ((dev.flags & Iff.UP) !== 0 && addrconfLinkReady(dev)) idev.ifFlags |= Inet6IfFlag.READY
  ipv6McReset(idev)
  ipv6.devs.set(dev, idev)
  dev.addrGenMode = EUI64
  ipv6.onNetconf?.('new', idev)
  ipv6DevMcInc(idev, IN6ADDR_INTERFACELOCAL_ALLNODES)
  ipv6DevMcInc(idev, IN6ADDR_LINKLOCAL_ALLNODES)
  return idev
}

/** IPv6 of a device, started if need be; groups are told again. @kernel ipv6_find_idev() net/ipv6/addrconf.c */
function ipv6FindIdev(ipv6: Ipv6, dev: NetDevice<any>): Inet6Dev | null {
  const idev = ipv6.devs.get(dev) ?? ipv6AddDev(ipv6, dev)
  if (idev !== null && (dev.flags & Iff.UP) !== 0) ipv6McUp(idev)
  return idev
}

/** Makes a device ready for addresses, with the route to the groups. @throws Errno ENOBUFS, EACCES @kernel addrconf_add_dev() net/ipv6/addrconf.c */
export function addrconfAddDev(ipv6: Ipv6, dev: NetDevice<any>): Inet6Dev {
  const idev = ipv6FindIdev(ipv6, dev)
  if (idev === null) throw new Errno('ENOBUFS', 'ipv6: IPv6 is disabled on this device')
  if (idev.cnf.disableIpv6 !== 0) throw new Errno('EACCES', 'ipv6: IPv6 is disabled on this device')
  if ((dev.flags & Iff.LOOPBACK) === 0) addrconfAddMroute(ipv6, idev)
  return idev
}

/** Gives a device that came up the addresses it has by itself. @kernel addrconf_init_auto_addrs() net/ipv6/addrconf.c */
export function addrconfInitAutoAddrs(ipv6: Ipv6, dev: NetDevice<any>): void {
  if ((dev.flags & Iff.LOOPBACK) !== 0) initLoopback(ipv6, dev)
  else if (dev.type === Arphrd.ETHER) addrconfDevConfig(ipv6, dev)
  else if ((dev.flags & Iff.MULTICAST) !== 0) addrconfAddDev(ipv6, dev)
}

/** @kernel init_loopback() net/ipv6/addrconf.c */
function initLoopback(ipv6: Ipv6, dev: NetDevice<any>): void {
  const idev = ipv6FindIdev(ipv6, dev)
  if (idev === null || idev.addrList.some((ifp) => ifp.local[15] === 1 && ifp.scope === 254)) return
  const ifp = ipv6AddAddr(idev, config(IN6ADDR_LOOPBACK, 128, IFAPROT.KERNEL_LO))
  ifp.flags &= ~IfaFlag.TENTATIVE
  ifp.state = 'postdad'
  ipv6IfaUp(ifp)
}

function config(pfx: Uint8Array, plen: number, proto: number): Parameters<typeof ipv6AddAddr>[1] {
  const life = INFINITY_LIFE_TIME
  const scope = ipv6RtScope(pfx)
  return {
    pfx,
    plen,
    flags: IfaFlag.PERMANENT,
    validLft: life,
    preferredLft: life,
    scope,
    proto,
    rtPriority: 0,
  }
}

/** @kernel addrconf_dev_config() net/ipv6/addrconf.c */
function addrconfDevConfig(ipv6: Ipv6, dev: NetDevice<any>): void {
  const idev = addrconfAddDev(ipv6, dev)
  addrconfAddrGen(idev)
}

/** Makes the link-local address, unless the device shall have none or has it. @kernel addrconf_addr_gen() net/ipv6/addrconf.c */
export function addrconfAddrGen(idev: Inet6Dev): void {
  if (idev.cnf.addrGenMode !== In6AddrGenMode.EUI64) return
  const addr = new Uint8Array(16)
  addr[0] = 0xfe
  addr[1] = 0x80
  if (!ipv6GenerateEui64(addr, idev.dev)) return
  if (idev.addrList.some((ifp) => ifp.local.every((byte, i) => byte === addr[i]))) return
  const ifp = ipv6AddAddr(idev, config(addr, 64, IFAPROT.KERNEL_LL))
  addrconfPrefixRoute(idev, addr, 64, 0, 0)
  addrconfDadStart(ifp)
}

/**
 * Takes IPv6 off a device that goes down, or (`unregister`) away. rtnl is held.
 *
 * @kernel addrconf_ifdown() net/ipv6/addrconf.c
 */
export function addrconfIfdown(ipv6: Ipv6, dev: NetDevice<any>, unregister: boolean): void {
  const idev = ipv6.devs.get(dev)
  if (idev === undefined) return
  ipv6.fib.flushDev(ipv6, dev)
  neighIfdown(ipv6.nd, dev)
  ipv6.frags.flushDev(dev)
  if (unregister) idev.dead = true
  timerDelete(idev.rsTimer)
  const { ready: wasReady } = idev
  if (!unregister) idev.ifFlags &= ~(Inet6IfFlag.RS_SENT | Inet6IfFlag.RA_RCVD | Inet6IfFlag.READY)
  for (const ifp of idev.addrList.slice()) {
    ipv6UnlinkAddr(ifp)
    ipv6IfaDown(ifp)
  }
  if (unregister) destroy(ipv6, idev)
  else if (wasReady) ipv6McDown(idev)
  idev.tstamp = ipv6.kernel.clock.jiffies
  idev.raMtu = 0
  addrconfVerify(ipv6)
}

/** @kernel ipv6_mc_destroy_dev() net/ipv6/mcast.c */
function destroy(ipv6: Ipv6, idev: Inet6Dev): void {
  ipv6McDown(idev)
  for (const group of idev.mcList.slice()) {
    group.users = 1
    ipv6DevMcDec(idev, group.addr)
  }
  mldStop(idev)
  idev.mcTomb.length = 0
  ipv6.onNetconf?.('del', idev)
  ipv6.devs.delete(idev.dev)
  idev.dev.addrGenMode = null
  neighParmsRelease(ipv6.nd, idev.dev)
  neighIfdown(ipv6.nd, idev.dev)
}

import { cancelWork, Errno, type WorkStruct, workSetup } from '@vnet/kernel'
import { Arphrd, devMcAdd, devMcDel, Iff, type NetDevice } from '@vnet/netdev'
import { ipv6EthMcMap } from '@vnet/wire'
import { IN6ADDR_LINKLOCAL_ALLNODES, Ipv6AddrScope, ipv6AddrEqual, ipv6AddrScope } from './address.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { Maf, mcLookup } from './mcast-lookup.ts'
import { igmp6JoinGroup, igmp6LeaveGroup, mldDelDelrec, mldInV1Mode, mldIfcEvent } from './mld-report.ts'
import { mldGroupWork } from './mld-query.ts'

/**
 * A multicast group a device has joined. Only whole groups: no lists of sources.
 *
 * @kernel struct ifmcaddr6 include/net/if_inet6.h
 */
export class Ifmcaddr6 {
  readonly idev: Inet6Dev
  readonly addr: Uint8Array
  /** How often it was joined. */
  users = 1
  /** `Maf` bits. */
  flags = 0
  /** How many more reports are to carry the change. */
  crcount = 0
  /** Answers a query, after a random time. */
  readonly work: WorkStruct

  constructor(idev: Inet6Dev, addr: Uint8Array) {
    this.idev = idev
    this.addr = addr
    this.work = workSetup(idev.ipv6.kernel, () => mldGroupWork(this), idev.dev.name)
    const noReport =
      ipv6AddrEqual(addr, IN6ADDR_LINKLOCAL_ALLNODES) || ipv6AddrScope(addr) < Ipv6AddrScope.LINKLOCAL
    if (noReport) this.flags |= Maf.NOREPORT
  }
}

/** Joins a group on a device, or counts one more user. rtnl is held. @kernel ipv6_dev_mc_inc() net/ipv6/mcast.c */
export function ipv6DevMcInc(idev: Inet6Dev, addr: Uint8Array): Ifmcaddr6 {
  idev.ipv6.kernel.rtnl.assertHeld('ipv6DevMcInc')
  const known = mcLookup(idev, addr)
  if (known !== null) {
    known.users++
    return known
  }
  const group = new Ifmcaddr6(idev, addr.slice())
  idev.mcList.unshift(group)
  mldDelDelrec(idev, group)
  igmp6GroupAdded(group)
  return group
}

/** Takes back one {@link ipv6DevMcInc}; false when the group was not joined. rtnl is held. @kernel __ipv6_dev_mc_dec() net/ipv6/mcast.c */
export function ipv6DevMcDec(idev: Inet6Dev, addr: Uint8Array): boolean {
  idev.ipv6.kernel.rtnl.assertHeld('ipv6DevMcDec')
  const group = mcLookup(idev, addr)
  if (group === null) return false
  if (--group.users > 0) return true
  idev.mcList.splice(idev.mcList.indexOf(group), 1)
  igmp6GroupDropped(group)
  return true
}

/** Has the card take the group's frames, and reports the joining. @kernel igmp6_group_added() net/ipv6/mcast.c */
export function igmp6GroupAdded(group: Ifmcaddr6): void {
  const { idev } = group
  const { dev } = idev
  if (ipv6AddrScope(group.addr) < Ipv6AddrScope.LINKLOCAL) return
  if ((group.flags & Maf.LOADED) === 0) {
    group.flags |= Maf.LOADED
    if (hasLinkGroups(idev)) devMcAdd(dev, ipv6EthMcMap(group.addr))
  }
  if ((dev.flags & Iff.UP) === 0 || (group.flags & Maf.NOREPORT) !== 0) return
  if (mldInV1Mode(idev)) {
    igmp6JoinGroup(group)
    return
  }
  group.crcount = idev.mcQrv
  mldIfcEvent(idev)
}

/** Undoes {@link igmp6GroupAdded}. @kernel igmp6_group_dropped() net/ipv6/mcast.c */
export function igmp6GroupDropped(group: Ifmcaddr6): void {
  const { idev } = group
  if (ipv6AddrScope(group.addr) < Ipv6AddrScope.LINKLOCAL) return
  if ((group.flags & Maf.LOADED) !== 0) {
    group.flags &= ~Maf.LOADED
    if (hasLinkGroups(idev)) filterDel(idev.dev, ipv6EthMcMap(group.addr))
  }
  cancelWork(group.work)
  group.flags &= ~Maf.TIMER_RUNNING
  if ((group.flags & Maf.NOREPORT) !== 0 || idev.dead) return
  igmp6LeaveGroup(group)
}

function filterDel(dev: NetDevice<any>, address: Uint8Array): void {
  try {
    devMcDel(dev, address)
  } catch (error) {
    // Somebody took it off the device's list before.
    if (!(error instanceof Errno)) throw error
  }
}

/** Groups have link addresses on Ethernet; the loopback device hears everything. @kernel ndisc_mc_map() net/ipv6/ndisc.c */
function hasLinkGroups(idev: Inet6Dev): boolean {
  return idev.dev.type === Arphrd.ETHER
}

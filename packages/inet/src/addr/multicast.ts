import { Arphrd, devMcAdd, devMcDel, type NetDevice } from '@vnet/netdev'
import { ipEthMcMap } from '@vnet/wire'
import { Errno } from '@vnet/kernel'
import type { InDevice, IpMcList } from './in-device.ts'

/** All hosts: every device that is up listens. @kernel IGMP_ALL_HOSTS include/uapi/linux/igmp.h */
export const IGMP_ALL_HOSTS = 0xe0000001

/** Joins a group, or counts one more who did. rtnl is held. @kernel ip_mc_inc_group() net/ipv4/igmp.c */
export function ipMcIncGroup(inDev: InDevice, address: number): void {
  const known = inDev.mcList.find((group) => group.address === address)
  if (known !== undefined) {
    known.users++
    return
  }
  const group: IpMcList = { address, users: 1, loaded: false }
  inDev.mcList.unshift(group)
  groupAdded(inDev, group)
}

/** Takes back one `ipMcIncGroup`. rtnl is held. @kernel ip_mc_dec_group() net/ipv4/igmp.c */
export function ipMcDecGroup(inDev: InDevice, address: number): void {
  const at = inDev.mcList.findIndex((group) => group.address === address)
  const group = inDev.mcList[at]
  if (group === undefined || --group.users > 0) return
  inDev.mcList.splice(at, 1)
  groupDropped(inDev, group)
}

/** True when the device listens to a group. @kernel ip_check_mc_rcu() net/ipv4/igmp.c */
export function ipCheckMc(inDev: InDevice, address: number): boolean {
  const { mcList } = inDev
  for (let i = 0; i < mcList.length; i++) if (mcList[i]!.address === address) return true
  return false
}

/** The device came up: listens to all hosts, and again to its groups. @kernel ip_mc_up() net/ipv4/igmp.c */
export function ipMcUp(inDev: InDevice): void {
  for (const group of inDev.mcList) groupAdded(inDev, group)
  ipMcIncGroup(inDev, IGMP_ALL_HOSTS)
}

/** The device goes down. @kernel ip_mc_down() net/ipv4/igmp.c */
export function ipMcDown(inDev: InDevice): void {
  ipMcDecGroup(inDev, IGMP_ALL_HOSTS)
  for (const group of inDev.mcList) groupDropped(inDev, group)
  inDev.igmp.stop()
}

/** @kernel igmp_group_added() net/ipv4/igmp.c */
function groupAdded(inDev: InDevice, group: IpMcList): void {
  if (!group.loaded) {
    group.loaded = true
    filterAdd(inDev.dev, group.address)
  }
  if (group.address !== IGMP_ALL_HOSTS) inDev.igmp.changed(group.address, true)
}

/** @kernel igmp_group_dropped() net/ipv4/igmp.c */
function groupDropped(inDev: InDevice, group: IpMcList): void {
  if (group.loaded) {
    group.loaded = false
    filterDel(inDev.dev, group.address)
  }
  if (group.address !== IGMP_ALL_HOSTS) inDev.igmp.changed(group.address, false)
}

/** Groups have link addresses on Ethernet; the loopback device hears everything. @kernel arp_mc_map() net/ipv4/arp.c */
function hasLinkGroups(dev: NetDevice<any>): boolean {
  return dev.type === Arphrd.ETHER
}

function filterAdd(dev: NetDevice<any>, address: number): void {
  if (hasLinkGroups(dev)) devMcAdd(dev, ipEthMcMap(address))
}

function filterDel(dev: NetDevice<any>, address: number): void {
  if (!hasLinkGroups(dev)) return
  try {
    devMcDel(dev, ipEthMcMap(address))
  } catch (error) {
    // Somebody flushed the list of the device.
    if (!(error instanceof Errno)) throw error
  }
}

import type { NetDevice } from '@vnet/netdev'
import type { NeighParms } from '../neigh/parms.ts'
import type { Ifaddr4 } from './ifaddr.ts'
import type { Igmp } from './igmp.ts'

/** The settings of IPv4 on a device: /proc/sys/net/ipv4/conf. @kernel struct ipv4_devconf include/linux/inetdevice.h */
export class Ipv4Devconf {
  promoteSecondaries = false
  arpIgnore = 0
  arpAnnounce = 0
  arpFilter = false
  arpAccept = false
  arpNotify = false
  ignoreRoutesWithLinkdown = false
  acceptSourceRoute = false
  acceptLocal = false
  rpFilter = 0
}

/** A multicast group a device listens to. @kernel struct ip_mc_list include/linux/igmp.h */
export interface IpMcList {
  readonly address: number
  users: number
  /** The device's filter knows it. */
  loaded: boolean
}

/**
 * What IPv4 knows of a device.
 *
 * @kernel struct in_device include/linux/inetdevice.h
 */
export class InDevice {
  readonly dev: NetDevice<any>
  /** Primaries by scope, then secondaries. */
  readonly ifaList: Ifaddr4[] = []
  readonly cnf = new Ipv4Devconf()
  readonly arpParms: NeighParms
  /** Groups, the youngest first. */
  readonly mcList: IpMcList[] = []
  /** The device goes away: no promotions. */
  dead = false
  noarp: boolean
  /** Set right after the object is made, which it needs. */
  declare igmp: Igmp

  constructor(dev: NetDevice<any>, arpParms: NeighParms, noarp: boolean) {
    this.dev = dev
    this.arpParms = arpParms
    this.noarp = noarp
  }

  /** The primary address of a network. @kernel inet_ifa_byprefix() net/ipv4/devinet.c */
  byPrefix(prefix: number, mask: number): Ifaddr4 | null {
    return this.ifaList.find((ifa) => ifa.mask === mask && ifa.matches(prefix)) ?? null
  }
}

/** The best of a device's addresses to be the source of something to `dst` (0: to anyone); 0 when there is none. @kernel inet_select_addr() net/ipv4/devinet.c */
export function selectAddrOf(inDev: InDevice, dst: number, scope: number): number {
  let first = 0
  const { ifaList } = inDev
  for (let i = 0; i < ifaList.length; i++) {
    const ifa = ifaList[i]!
    if (ifa.secondary || ifa.scope > scope) continue
    if (dst === 0 || ifa.matches(dst)) return ifa.localNr
    if (first === 0) first = ifa.localNr
  }
  return first
}

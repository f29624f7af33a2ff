import { type TimerList, timerSetup, type WorkStruct, workSetup } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import type { NeighParms } from '../neigh/parms.ts'
import type { Ipv6Devconf } from './devconf.ts'
import { Inet6IfFlag } from './if-flag.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Ipv6 } from './ipv6.ts'
import type { Ifmcaddr6 } from './mcast-group.ts'
import { mldDadWork, mldGqWork, mldIfcWork } from './mld-report.ts'
import { addrconfRsTimer } from './router-solicit.ts'
import { Snmp6 } from './snmp6.ts'

/**
 * IPv6 on one device: settings, addresses, groups, counters.
 *
 * @kernel struct inet6_dev include/net/if_inet6.h
 */
export class Inet6Dev {
  readonly ipv6: Ipv6
  readonly dev: NetDevice<any>
  readonly cnf: Ipv6Devconf
  readonly mib = new Snmp6()
  readonly ndParms: NeighParms
  /** `Inet6IfFlag` bits. */
  ifFlags = 0
  /** The device goes away. */
  dead = false
  /** The device resolves no addresses: as last seen. */
  noarp = false
  /** By scope, the farthest first. @kernel ipv6_link_dev_addr() net/ipv6/addrconf.c */
  readonly addrList: Inet6Ifaddr[] = []
  /** The last joined first: what `ip maddr` shows. */
  readonly mcList: Ifmcaddr6[] = []
  /** Groups left whose leaving is still to be reported. */
  readonly mcTomb: Ifmcaddr6[] = []

  // ── MLD. Times in ticks.
  mcQrv = 2
  mcQi = 0
  mcQri = 0
  mcMaxdelay = 0
  /** Until when a router of version 1 is around, in ticks; 0: none seen. */
  mcV1Seen = 0
  mcIfcCount = 0
  mcDadCount = 0
  readonly mcIfcWork: WorkStruct
  readonly mcDadWork: WorkStruct
  readonly mcGqWork: WorkStruct

  // ── router solicitation
  readonly rsTimer: TimerList
  rsInterval = 0
  rsProbes = 0

  /** When it last changed, in ticks. */
  tstamp: number
  raMtu = 0

  constructor(ipv6: Ipv6, dev: NetDevice<any>, cnf: Ipv6Devconf, ndParms: NeighParms) {
    const { kernel } = ipv6
    this.ipv6 = ipv6
    this.dev = dev
    this.cnf = cnf
    this.ndParms = ndParms
    this.tstamp = kernel.clock.jiffies
    this.mcIfcWork = workSetup(kernel, () => mldIfcWork(this), dev.name)
    this.mcDadWork = workSetup(kernel, () => mldDadWork(this), dev.name)
    this.mcGqWork = workSetup(kernel, () => mldGqWork(this), dev.name)
    this.rsTimer = timerSetup(kernel, () => addrconfRsTimer(this), dev.name)
  }

  /** The device may be used: it is up and its link is there. */
  get ready(): boolean {
    return (this.ifFlags & Inet6IfFlag.READY) !== 0
  }
}

/** IPv6 on a device, or null. @kernel __in6_dev_get() include/net/addrconf.h */
export function in6DevGet(ipv6: Ipv6, dev: NetDevice<any>): Inet6Dev | null {
  return ipv6.devs.get(dev) ?? null
}

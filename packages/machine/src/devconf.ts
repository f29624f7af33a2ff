import type { Inet } from '@vnet/inet'

/** A setting of a family on a device: read, and with `set` written, as a whole number. */
export interface DevconfField<C> {
  readonly name: string
  get(cnf: C): number
  set?(cnf: C, value: number): void
}

type Ipv4Cnf = NonNullable<ReturnType<Inet['ipv4']['inDev']>>['cnf']

/** What of {@link Ipv6Cnf} can be a setting. */
export interface Ipv6Cnf {
  forwarding: number
  hopLimit: number
  mtu6: number
  acceptRa: number
  acceptRaDefrtr: number
  acceptRaPinfo: number
  acceptRedirects: number
  autoconf: number
  dadTransmits: number
  rtrSolicits: number
  rtrSolicitInterval: number
  rtrSolicitMaxInterval: number
  rtrSolicitDelay: number
  forceMldVersion: number
  mldv1UnsolicitedReportInterval: number
  mldv2UnsolicitedReportInterval: number
  maxAddresses: number
  disableIpv6: number
  acceptDad: number
  enhancedDad: number
  ndiscNotify: number
  addrGenMode: number
  ignoreRoutesWithLinkdown: number
}

type NumberKey = keyof Ipv6Cnf
type FlagKey = {
  [K in keyof Ipv4Cnf]: Ipv4Cnf[K] extends boolean ? K : never
}[keyof Ipv4Cnf]

function flag(name: string, key: FlagKey): DevconfField<Ipv4Cnf> {
  return { name, get: (cnf) => (cnf[key] ? 1 : 0), set: (cnf, value) => (cnf[key] = value !== 0) }
}

function number6(name: string, key: NumberKey): DevconfField<Ipv6Cnf> {
  return { name, get: (cnf) => cnf[key], set: (cnf, value) => (cnf[key] = value) }
}

/** The settings of IPv4 that do something here. @kernel devinet_sysctl net/ipv4/devinet.c */
export const IPV4_DEVCONF: readonly DevconfField<Ipv4Cnf>[] = [
  flag('accept_local', 'acceptLocal'),
  flag('accept_source_route', 'acceptSourceRoute'),
  flag('arp_accept', 'arpAccept'),
  { name: 'arp_announce', get: (cnf) => cnf.arpAnnounce, set: (cnf, value) => (cnf.arpAnnounce = value) },
  flag('arp_filter', 'arpFilter'),
  { name: 'arp_ignore', get: (cnf) => cnf.arpIgnore, set: (cnf, value) => (cnf.arpIgnore = value) },
  flag('arp_notify', 'arpNotify'),
  flag('ignore_routes_with_linkdown', 'ignoreRoutesWithLinkdown'),
  flag('promote_secondaries', 'promoteSecondaries'),
  { name: 'rp_filter', get: (cnf) => cnf.rpFilter, set: (cnf, value) => (cnf.rpFilter = value) },
]

/** The settings of IPv6 that do something here. @kernel addrconf_sysctl net/ipv6/addrconf.c */
export const IPV6_DEVCONF: readonly DevconfField<Ipv6Cnf>[] = [
  number6('accept_dad', 'acceptDad'),
  number6('accept_ra', 'acceptRa'),
  number6('accept_ra_defrtr', 'acceptRaDefrtr'),
  number6('accept_ra_pinfo', 'acceptRaPinfo'),
  number6('accept_redirects', 'acceptRedirects'),
  number6('autoconf', 'autoconf'),
  number6('dad_transmits', 'dadTransmits'),
  number6('enhanced_dad', 'enhancedDad'),
  number6('force_mld_version', 'forceMldVersion'),
  number6('hop_limit', 'hopLimit'),
  number6('ignore_routes_with_linkdown', 'ignoreRoutesWithLinkdown'),
  number6('max_addresses', 'maxAddresses'),
  number6('mldv1_unsolicited_report_interval', 'mldv1UnsolicitedReportInterval'),
  number6('mldv2_unsolicited_report_interval', 'mldv2UnsolicitedReportInterval'),
  number6('mtu', 'mtu6'),
  number6('ndisc_notify', 'ndiscNotify'),
  seconds6('router_solicitation_delay', 'rtrSolicitDelay'),
  seconds6('router_solicitation_interval', 'rtrSolicitInterval'),
  seconds6('router_solicitation_max_interval', 'rtrSolicitMaxInterval'),
  number6('router_solicitations', 'rtrSolicits'),
]

function seconds6(name: string, key: NumberKey): DevconfField<Ipv6Cnf> {
  return { name, get: (cnf) => Math.floor(cnf[key] / 1000), set: (cnf, value) => (cnf[key] = value * 1000) }
}

/** All settings of IPv4 by their numbers, from 1 on; those that do nothing have the kernel's defaults. @kernel IPV4_DEVCONF_FORWARDING include/uapi/linux/ip.h */
export function ipv4DevconfValues(inet: Inet, cnf: Ipv4Cnf): number[] {
  const values = new Array<number>(33).fill(0)
  const put = (nr: number, value: number | boolean): void => {
    values[nr - 1] = Number(value)
  }
  put(1, inet.ipForward)
  put(4, 1)
  put(5, 1)
  put(6, 1)
  put(7, 1)
  put(8, cnf.rpFilter)
  put(9, cnf.acceptSourceRoute)
  put(13, cnf.arpFilter)
  put(18, cnf.arpAnnounce)
  put(19, cnf.arpIgnore)
  put(20, cnf.promoteSecondaries)
  put(21, cnf.arpAccept)
  put(22, cnf.arpNotify)
  put(23, cnf.acceptLocal)
  put(27, 10_000)
  put(28, 1000)
  put(29, cnf.ignoreRoutesWithLinkdown)
  put(33, 1)
  return values
}

/** All settings of IPv6 by their numbers, from 0 on. @kernel DEVCONF_FORWARDING include/uapi/linux/ipv6.h */
export function ipv6DevconfValues(cnf: Ipv6Cnf): number[] {
  const values = new Array<number>(56).fill(0)
  const put = (nr: number, value: number): void => {
    values[nr] = value
  }
  put(0, cnf.forwarding)
  put(1, cnf.hopLimit)
  put(2, cnf.mtu6)
  put(3, cnf.acceptRa)
  put(4, cnf.acceptRedirects)
  put(5, cnf.autoconf)
  put(6, cnf.dadTransmits)
  put(7, cnf.rtrSolicits)
  put(8, cnf.rtrSolicitInterval)
  put(9, cnf.rtrSolicitDelay)
  put(16, cnf.maxAddresses)
  put(17, cnf.forceMldVersion)
  put(18, cnf.acceptRaDefrtr)
  put(19, cnf.acceptRaPinfo)
  put(25, cnf.disableIpv6)
  put(26, cnf.acceptDad)
  put(28, cnf.ndiscNotify)
  put(29, cnf.mldv1UnsolicitedReportInterval)
  put(30, cnf.mldv2UnsolicitedReportInterval)
  put(38, cnf.ignoreRoutesWithLinkdown)
  put(43, cnf.enhancedDad)
  put(44, cnf.addrGenMode)
  put(46, cnf.rtrSolicitMaxInterval)
  return values
}

/** How the low half of an address is made. @kernel IN6_ADDR_GEN_MODE_EUI64 include/uapi/linux/if_link.h */
export const In6AddrGenMode = { EUI64: 0, NONE: 1, STABLE_PRIVACY: 2, RANDOM: 3 } as const

/**
 * The settings of IPv6 on a device: what /proc/sys/net/ipv6/conf shows. Times are in milliseconds.
 *
 * @kernel struct ipv6_devconf include/linux/ipv6.h
 */
export class Ipv6Devconf {
  forwarding = 0
  hopLimit = 64
  mtu6 = 1280
  acceptRa = 1
  acceptRaDefrtr = 1
  acceptRaPinfo = 1
  acceptRaMtu = 1
  acceptRedirects = 1
  autoconf = 1
  dadTransmits = 1
  /** −1: for ever. */
  rtrSolicits = -1
  rtrSolicitInterval = 4000
  rtrSolicitMaxInterval = 3_600_000
  rtrSolicitDelay = 1000
  forceMldVersion = 0
  mldv1UnsolicitedReportInterval = 10_000
  mldv2UnsolicitedReportInterval = 1000
  maxAddresses = 16
  disableIpv6 = 0
  acceptDad = 1
  enhancedDad = 1
  ndiscNotify = 0
  addrGenMode: number = In6AddrGenMode.EUI64
  ignoreRoutesWithLinkdown = 0

  /** What a new device starts with. @kernel ipv6_devconf_dflt net/ipv6/addrconf.c */
  clone(): Ipv6Devconf {
    return Object.assign(new Ipv6Devconf(), this)
  }
}

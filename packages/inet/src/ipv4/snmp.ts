/** The counters of IPv4: the `Ip:` line of /proc/net/snmp from InReceives on, in its order. @kernel struct ipstats_mib include/net/snmp.h */
export class IpMib {
  inReceives = 0
  inHdrErrors = 0
  inAddrErrors = 0
  forwDatagrams = 0
  inUnknownProtos = 0
  inDiscards = 0
  inDelivers = 0
  outRequests = 0
  outDiscards = 0
  outNoRoutes = 0
  reasmTimeout = 0
  reasmReqds = 0
  reasmOks = 0
  reasmFails = 0
  fragOks = 0
  fragFails = 0
  fragCreates = 0
  /** Of /proc/net/netstat. */
  inNoRoutes = 0
  inTruncatedPkts = 0
  inCsumErrors = 0
}

/** Types that have counters of their own, in the order of the `Icmp:` line. @kernel icmpmibmap net/ipv4/proc.c */
export const ICMP_MIB_TYPES = [3, 11, 12, 4, 5, 8, 0, 13, 14, 17, 18] as const

/** The counters of ICMP. Those of the `Icmp:` line by type are `inType[t]` and `outType[t]` for each of `ICMP_MIB_TYPES`. @kernel struct icmp_mib include/net/snmp.h */
export class IcmpMib {
  inMsgs = 0
  inErrors = 0
  inCsumErrors = 0
  outMsgs = 0
  outErrors = 0
  outRateLimitGlobal = 0
  outRateLimitHost = 0
  readonly inType = new Uint32Array(256)
  readonly outType = new Uint32Array(256)
}

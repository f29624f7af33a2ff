/** Counters of IPv6 itself, in the order /proc shows them. @kernel snmp6_ipstats_list net/ipv6/proc.c */
export const IP6_COUNTERS = [
  'InReceives',
  'InHdrErrors',
  'InTooBigErrors',
  'InNoRoutes',
  'InAddrErrors',
  'InUnknownProtos',
  'InTruncatedPkts',
  'InDiscards',
  'InDelivers',
  'OutForwDatagrams',
  'OutRequests',
  'OutDiscards',
  'OutNoRoutes',
  'ReasmTimeout',
  'ReasmReqds',
  'ReasmOKs',
  'ReasmFails',
  'FragOKs',
  'FragFails',
  'FragCreates',
  'InMcastPkts',
  'OutMcastPkts',
  'InOctets',
  'OutOctets',
  'InMcastOctets',
  'OutMcastOctets',
  'InBcastOctets',
  'OutBcastOctets',
  'InNoECTPkts',
  'InECT1Pkts',
  'InECT0Pkts',
  'InCEPkts',
] as const

/** Counters of ICMPv6. @kernel snmp6_icmp6_list net/ipv6/proc.c */
export const ICMP6_COUNTERS = [
  'InMsgs',
  'InErrors',
  'OutMsgs',
  'OutErrors',
  'InCsumErrors',
  'OutRateLimitHost',
] as const

/** The message types with a name of their own. @kernel icmp6type2name net/ipv6/proc.c */
const ICMP6_NAMES: readonly (readonly [number, string])[] = [
  [1, 'DestUnreachs'],
  [2, 'PktTooBigs'],
  [3, 'TimeExcds'],
  [4, 'ParmProblems'],
  [128, 'Echos'],
  [129, 'EchoReplies'],
  [130, 'GroupMembQueries'],
  [131, 'GroupMembResponses'],
  [132, 'GroupMembReductions'],
  [133, 'RouterSolicits'],
  [134, 'RouterAdvertisements'],
  [135, 'NeighborSolicits'],
  [136, 'NeighborAdvertisements'],
  [137, 'Redirects'],
  [143, 'MLDv2Reports'],
]

/** One of {@link IP6_COUNTERS}. */
export type Ip6Counter = (typeof IP6_COUNTERS)[number]
/** One of {@link ICMP6_COUNTERS}. */
export type Icmp6Counter = (typeof ICMP6_COUNTERS)[number]

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>
}

/**
 * The counters of a device, or of the whole kernel.
 *
 * @kernel struct ipv6_devstat include/net/if_inet6.h
 */
export class Snmp6 {
  readonly ip: Record<Ip6Counter, number> = zeros(IP6_COUNTERS)
  readonly icmp: Record<Icmp6Counter, number> = zeros(ICMP6_COUNTERS)
  /** Messages by type. */
  readonly icmpIn: Float64Array = new Float64Array(256)
  readonly icmpOut: Float64Array = new Float64Array(256)
}

/**
 * All counters with the names and in the order of /proc/net/dev_snmp6 and /proc/net/snmp6.
 *
 * A line of those files is the name padded to 32 characters, a tab, the number. The device's file begins with
 * `ifIndex`; the kernel's own ends with the UDP counters (`ipv6.udpMib`). Neither is here.
 *
 * @kernel snmp6_dev_seq_show() net/ipv6/proc.c
 */
export function snmp6Fields(mib: Snmp6): [name: string, value: number][] {
  const fields: [string, number][] = []
  for (const name of IP6_COUNTERS) fields.push([`Ip6${name}`, mib.ip[name]])
  for (const name of ICMP6_COUNTERS) fields.push([`Icmp6${name}`, mib.icmp[name]])
  for (const [type, name] of ICMP6_NAMES) fields.push([`Icmp6In${name}`, mib.icmpIn[type]!])
  for (const [type, name] of ICMP6_NAMES) fields.push([`Icmp6Out${name}`, mib.icmpOut[type]!])
  pushTypes(fields, 'In', mib.icmpIn)
  pushTypes(fields, 'Out', mib.icmpOut)
  return fields
}

function pushTypes(fields: [string, number][], way: string, counts: Float64Array): void {
  for (let type = 0; type < 256; type++) {
    if (counts[type] !== 0) fields.push([`Icmp6${way}Type${type}`, counts[type]!])
  }
}

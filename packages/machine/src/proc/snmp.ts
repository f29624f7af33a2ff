import { ICMP_MIB_TYPES, ipv6Of, snmp6Fields, type Inet, type UdpMib } from '@vnet/inet'
import type { NetDevice } from '@vnet/netdev'

const IP_NAMES =
  'Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates'
const ICMP_TYPES =
  'DestUnreachs TimeExcds ParmProbs SrcQuenchs Redirects Echos EchoReps Timestamps TimestampReps AddrMasks AddrMaskReps'.split(
    ' ',
  )
const UDP_NAMES =
  'InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors'
const TCP_NAMES =
  'RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors'

type Values = readonly number[]

function section(name: string, names: string, values: Values): string {
  return `${name}: ${names}\n${name}: ${values.join(' ')}\n`
}

/** /proc/net/snmp. @kernel snmp_seq_show() net/ipv4/proc.c */
export function procNetSnmp(inet: Inet): string {
  return (
    section('Ip', IP_NAMES, ipValues(inet)) +
    icmpSections(inet) +
    section('Tcp', TCP_NAMES, tcpValues(inet)) +
    section('Udp', UDP_NAMES, udpValues(inet.ipv4.udp)) +
    section('UdpLite', UDP_NAMES, [0, 0, 0, 0, 0, 0, 0, 0, 0])
  )
}

/** A kernel without TCP still shows its limits, and what it refused. */
function tcpValues({ tcp }: Inet): Values {
  const { inSegs, outSegs, inErrs, outRsts, inCsumErrors } = tcp
  return [1, 200, 120000, -1, 0, 0, 0, 0, 0, inSegs, outSegs, 0, inErrs, outRsts, inCsumErrors]
}

function udpValues(udp: UdpMib): Values {
  return [
    udp.inDatagrams,
    udp.noPorts,
    udp.inErrors,
    udp.outDatagrams,
    udp.rcvbufErrors,
    udp.sndbufErrors,
    udp.inCsumErrors,
    udp.ignoredMulti,
    udp.memErrors,
  ]
}

function ipValues(inet: Inet): Values {
  const { ip } = inet.ipv4
  return [
    inet.ipForward ? 1 : 2,
    inet.ipv4.sysctl.ipDefaultTtl,
    ip.inReceives,
    ip.inHdrErrors,
    ip.inAddrErrors,
    ip.forwDatagrams,
    ip.inUnknownProtos,
    ip.inDiscards,
    ip.inDelivers,
    ip.outRequests,
    ip.outDiscards,
    ip.outNoRoutes,
    ip.reasmTimeout,
    ip.reasmReqds,
    ip.reasmOks,
    ip.reasmFails,
    ip.fragOks,
    ip.fragFails,
    ip.fragCreates,
  ]
}

/** The counters, and then the messages by type if there were any. @kernel icmp_put(), icmpmsg_put() net/ipv4/proc.c */
function icmpSections(inet: Inet): string {
  const { icmp } = inet.ipv4
  const ins = ICMP_TYPES.map((name) => `In${name}`).join(' ')
  const outs = ICMP_TYPES.map((name) => `Out${name}`).join(' ')
  const names = `InMsgs InErrors InCsumErrors ${ins} OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost ${outs}`
  const values = [
    icmp.inMsgs,
    icmp.inErrors,
    icmp.inCsumErrors,
    ...ICMP_MIB_TYPES.map((type) => icmp.inType[type]!),
    icmp.outMsgs,
    icmp.outErrors,
    icmp.outRateLimitGlobal,
    icmp.outRateLimitHost,
    ...ICMP_MIB_TYPES.map((type) => icmp.outType[type]!),
  ]
  return section('Icmp', names, values) + byType(icmp.inType, icmp.outType)
}

function byType(ins: Uint32Array, outs: Uint32Array): string {
  const names: string[] = []
  const values: number[] = []
  for (const [way, counts] of [
    ['In', ins],
    ['Out', outs],
  ] as const) {
    for (const [type, count] of counts.entries()) {
      if (count === 0) continue
      names.push(`${way}Type${type}`)
      values.push(count)
    }
  }
  return names.length === 0 ? '' : section('IcmpMsg', names.join(' '), values)
}

/** /proc/net/snmp6. @kernel snmp6_seq_show() net/ipv6/proc.c */
export function procNetSnmp6(inet: Inet): string {
  const { mib, udpMib } = ipv6Of(inet)
  const names = UDP_NAMES.split(' ')
  const udp = udpValues(udpMib)
  return [
    ...snmp6Fields(mib),
    ...names.map((name, i) => [`Udp6${name}`, udp[i]!] as const),
    // UDP-Lite has no groups to ignore.
    ...names.filter((name) => name !== 'IgnoredMulti').map((name) => [`UdpLite6${name}`, 0] as const),
  ]
    .map(([name, value]) => field(name, value))
    .join('')
}

/** /proc/net/dev_snmp6 of a device. @kernel snmp6_dev_seq_show() net/ipv6/proc.c */
export function procNetDevSnmp6(inet: Inet, dev: NetDevice<any>): string | undefined {
  const idev = ipv6Of(inet).devs.get(dev)
  if (idev === undefined) return undefined
  return (
    field('ifIndex', dev.ifindex) +
    snmp6Fields(idev.mib)
      .map(([name, value]) => field(name, value))
      .join('')
  )
}

function field(name: string, value: number): string {
  return `${name.padEnd(32)}\t${value}\n`
}

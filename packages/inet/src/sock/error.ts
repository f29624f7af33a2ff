import type { Inet } from '../inet.ts'
import { type InetFamilyNr, IpProto } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import { pingErrorSock } from './ping-rcv.ts'
import type { SockError } from './queue.ts'
import { rawMatches } from './raw-rcv.ts'
import { linkScope } from './scope.ts'
import { udpErrorSock } from './udp-rcv.ts'

/** An ICMP error about a packet that went out from here. @kernel icmp_socket_deliver() net/ipv4/icmp.c */
export interface ErrorReport {
  readonly family: InetFamilyNr
  /** Of the packet it is about. */
  readonly protocol: number
  readonly src: Uint8Array
  readonly dst: Uint8Array
  /** What is quoted of it: from its network header on, and where what follows that header begins. */
  readonly quoted: Uint8Array
  readonly headerLen: number
  readonly ifindex: number
  /** Positive errno. */
  readonly errno: number
  readonly fatal: boolean
  /** `SoEeOrigin`. */
  readonly origin: number
  readonly type: number
  readonly code: number
  readonly info: number
  readonly offender: Uint8Array
}

/** Gives an error to the sockets it is for. @kernel icmp_socket_deliver() net/ipv4/icmp.c */
export function sockError(inet: Inet, report: ErrorReport): void {
  for (const sock of inet.sockets.raw.slice()) {
    if (!rawMatches(sock, report.family, report.protocol, report.src, report.dst, report.ifindex)) continue
    const { hdrincl } = sock.options
    sock.report(entry(inet, report, hdrincl ? 0 : report.headerLen, 0), report.fatal)
  }
  const { quoted, headerLen } = report
  if (report.protocol === IpProto.UDP && quoted.length >= headerLen + 4) {
    const sock = udpErrorSock(inet, report)
    const port = (quoted[headerLen + 2]! << 8) | quoted[headerLen + 3]!
    sock?.report(entry(inet, report, headerLen + 8, port), report.fatal)
  }
  if (report.protocol === IpProto.ICMP || report.protocol === IpProto.ICMPV6) {
    pingErrorSock(inet, report)?.report(entry(inet, report, headerLen, 0), report.fatal)
  }
}

function entry(inet: Inet, report: ErrorReport, from: number, port: number): SockError {
  const to: InetAddr = { address: report.dst.slice(), port, scopeId: linkScope(report.dst, report.ifindex) }
  return {
    errno: report.errno,
    origin: report.origin,
    type: report.type,
    code: report.code,
    info: report.info,
    offender: {
      address: report.offender.slice(),
      port: 0,
      scopeId: linkScope(report.offender, report.ifindex),
    },
    to,
    bytes: report.quoted.slice(Math.min(from, report.quoted.length)),
    tstamp: inet.kernel.clock.ktimeGet(),
  }
}

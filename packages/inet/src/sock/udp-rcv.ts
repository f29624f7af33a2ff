import { CHECKSUM_UNNECESSARY, type SkBuff, skbLinearize, skbTrim } from '@vnet/netdev'
import { csumFold, csumPartial, getUnalignedBe16 } from '@vnet/wire'
import type { Inet } from '../inet.ts'
import type { ErrorReport } from './error.ts'
import type { UdpMib } from './mib.ts'
import { isAny, sameAddress } from './sock.ts'
import type { RxInfo } from './transport.ts'
import { UDP_HLEN, type UdpSock } from './udp.ts'

/** A socket has it. @kernel none */
export const UDP_DELIVERED = 0
/** Nobody listens: the sender may be told. @kernel none */
export const UDP_NOPORT = 1
/** Broken, or nobody's multicast, or no room. @kernel none */
export const UDP_DROPPED = 2

/**
 * Takes a UDP datagram; data stands at its header. The packet stays the caller's.
 *
 * @param pseudo - the pseudo header's sum without the length
 * @returns UDP_DELIVERED, UDP_NOPORT or UDP_DROPPED
 * @kernel __udp4_lib_rcv() net/ipv4/udp.c
 */
export function udpRcv(inet: Inet, skb: SkBuff, info: RxInfo, pseudo: number, mib: UdpMib): number {
  if (!isWhole(skb, info, pseudo, mib)) {
    mib.inErrors++
    return UDP_DROPPED
  }
  const source = getUnalignedBe16(skb.mem, skb.data)
  const dest = getUnalignedBe16(skb.mem, skb.data + 2)
  skb.data += UDP_HLEN
  skb.len -= UDP_HLEN
  const group = info.multicast || info.broadcast
  const result = group
    ? deliverAll(inet, skb, info, source, dest, mib)
    : deliverOne(inet, skb, info, source, dest, mib)
  skb.data -= UDP_HLEN
  skb.len += UDP_HLEN
  return result
}

function isWhole(skb: SkBuff, info: RxInfo, pseudo: number, mib: UdpMib): boolean {
  if (skb.len < UDP_HLEN || !skbLinearize(skb)) return false
  const len = getUnalignedBe16(skb.mem, skb.data + 4)
  if (len < UDP_HLEN || len > skb.len) return false
  if (len < skb.len) skbTrim(skb, len)
  const stored = getUnalignedBe16(skb.mem, skb.data + 6)
  // IPv4 senders may leave it out.
  if (stored === 0 && info.family === 2) return true
  if (skb.ipSummed === CHECKSUM_UNNECESSARY) return true
  if (stored !== 0 && csumFold(csumPartial(skb.mem, skb.data, len, pseudo + len)) === 0) return true
  mib.inCsumErrors++
  return false
}

function deliverOne(
  inet: Inet,
  skb: SkBuff,
  info: RxInfo,
  source: number,
  dest: number,
  mib: UdpMib,
): number {
  const sock = udpLookup(inet, info, source, dest)
  if (sock === null) {
    mib.noPorts++
    return UDP_NOPORT
  }
  return queue(sock, skb, info, source, mib) ? UDP_DELIVERED : UDP_DROPPED
}

function deliverAll(
  inet: Inet,
  skb: SkBuff,
  info: RxInfo,
  source: number,
  dest: number,
  mib: UdpMib,
): number {
  let result = UDP_DROPPED
  for (const sock of (inet.sockets.udp.get(dest) ?? []).slice()) {
    if (score(sock, info, source) < 0) continue
    if (queue(sock, skb, info, source, mib)) result = UDP_DELIVERED
  }
  if (result === UDP_DROPPED) mib.ignoredMulti++
  return result
}

function queue(sock: UdpSock, skb: SkBuff, info: RxInfo, source: number, mib: UdpMib): boolean {
  if (sock.queue(skb, info, source)) {
    mib.inDatagrams++
    return true
  }
  mib.rcvbufErrors++
  mib.inErrors++
  return false
}

/** The socket a datagram is for: the one that says most about it. @kernel __udp4_lib_lookup() net/ipv4/udp.c */
function udpLookup(inet: Inet, info: RxInfo, source: number, dest: number): UdpSock | null {
  let best: UdpSock | null = null
  let most = -1
  const socks = inet.sockets.udp.get(dest)
  if (socks === undefined) return null
  for (let i = 0; i < socks.length; i++) {
    const sock = socks[i]!
    const points = score(sock, info, source)
    if (points > most) {
      most = points
      best = sock
    }
  }
  return best
}

function score(sock: UdpSock, info: RxInfo, source: number): number {
  if (sock.family !== info.family || !sock.takesDevice(info.dev.ifindex)) return -1
  let points = sock.options.boundDevIf !== 0 ? 4 : 0
  if (!isAny(sock.local)) {
    // A connected socket has its own address as local: a group is another.
    if (!sameAddress(sock.local, info.dst)) return -1
    points += 4
  }
  const { remote } = sock
  if (remote === null) return points
  if (remote.port !== source || !sameAddress(remote.address, info.src)) return -1
  return points + 8
}

/** The socket whose datagram an ICMP error is about. @kernel __udp4_lib_err() net/ipv4/udp.c */
export function udpErrorSock(inet: Inet, report: ErrorReport): UdpSock | null {
  const { quoted, headerLen } = report
  const source = getUnalignedBe16(quoted, headerLen)
  const dest = getUnalignedBe16(quoted, headerLen + 2)
  for (const sock of inet.sockets.udp.get(source) ?? []) {
    if (sock.family !== report.family || !sock.takesDevice(report.ifindex)) continue
    if (!isAny(sock.local) && !sameAddress(sock.local, report.src)) continue
    const { remote } = sock
    if (remote !== null && (remote.port !== dest || !sameAddress(remote.address, report.dst))) continue
    return sock
  }
  return null
}

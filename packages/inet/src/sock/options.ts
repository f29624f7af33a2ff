import { IpPmtudisc } from '../types/constants.ts'

/**
 * The options of a socket: what setsockopt sets. Whoever speaks to programs checks ranges and assigns.
 *
 * @kernel struct inet_sock include/net/inet_sock.h
 */
export class SockOptions {
  /** Bytes of received datagrams that may wait, with their weight; setsockopt stores twice what is asked. */
  rcvbuf = 212_992
  sndbuf = 212_992
  broadcast = false
  reuseAddr = false
  reusePort = false
  mark = 0
  priority = 0
  /** Datagrams carry when they came. */
  timestamp = false
  /** The only device used; 0: any. SO_BINDTODEVICE. */
  boundDevIf = 0
  /** −1: the system's. For IPv6 the hop limit. */
  ttl = -1
  tos = 0
  /** `IpPmtudisc`. */
  mtuDiscover: number = IpPmtudisc.WANT
  /** Errors go to the error queue. IP_RECVERR, IPV6_RECVERR. */
  recverr = false
  recvttl = false
  recvtos = false
  pktinfo = false
  hdrincl = false
  freebind = false
  multicastTtl = 1
  multicastLoop = true
  /** ifindex, 0: by route. */
  multicastIf = 0
  /** Raw ICMP: bits of the types that are not wanted. ICMP_FILTER. */
  icmpFilter = 0
  /** Raw ICMPv6: the 256 bits of ICMP6_FILTER; null passes all. */
  icmp6Filter: Uint32Array | null = null
  /** Raw IPv6: where the checksum goes; −1: nowhere. IPV6_CHECKSUM. */
  checksumOffset = -1
  v6only = false
}

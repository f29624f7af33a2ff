/** Option levels. @kernel SOL_IP include/linux/socket.h */
export const SOL_IP = 0
export const SOL_IPV6 = 41
export const SOL_ICMPV6 = 58
export const SOL_RAW = 255

/** Options of IPv4. @kernel IP_TOS include/uapi/linux/in.h */
export const IpOpt = {
  TOS: 1,
  TTL: 2,
  HDRINCL: 3,
  OPTIONS: 4,
  RECVOPTS: 6,
  RETOPTS: 7,
  PKTINFO: 8,
  MTU_DISCOVER: 10,
  RECVERR: 11,
  RECVTTL: 12,
  RECVTOS: 13,
  MTU: 14,
  FREEBIND: 15,
  MULTICAST_IF: 32,
  MULTICAST_TTL: 33,
  MULTICAST_LOOP: 34,
} as const

/** Options of IPv6. @kernel IPV6_UNICAST_HOPS include/uapi/linux/in6.h */
export const Ipv6Opt = {
  CHECKSUM: 7,
  UNICAST_HOPS: 16,
  MULTICAST_IF: 17,
  MULTICAST_HOPS: 18,
  MULTICAST_LOOP: 19,
  MTU_DISCOVER: 23,
  MTU: 24,
  RECVERR: 25,
  V6ONLY: 26,
  FLOWINFO_SEND: 33,
  RECVPKTINFO: 49,
  PKTINFO: 50,
  RECVHOPLIMIT: 51,
  HOPLIMIT: 52,
  RECVTCLASS: 66,
  TCLASS: 67,
  FREEBIND: 78,
} as const

/** The one option of raw ICMP. @kernel ICMP_FILTER include/uapi/linux/icmp.h, ICMPV6_FILTER include/uapi/linux/icmpv6.h */
export const ICMP_FILTER = 1

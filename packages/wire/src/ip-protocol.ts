/**
 * Numbers of the protocols inside IPv4 and IPv6, extension headers included.
 *
 * @kernel IPPROTO_* include/uapi/linux/in.h include/uapi/linux/in6.h
 */
export const IpProto = {
  HOPOPTS: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  NONE: 59,
  DSTOPTS: 60,
  MH: 135,
} as const

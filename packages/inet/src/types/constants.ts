/** Address families. @kernel AF_INET include/linux/socket.h */
export const AF_INET = 2
/** The other one. @kernel AF_INET6 include/linux/socket.h */
export const AF_INET6 = 10
/** One of the two families. @kernel none */
export type InetFamilyNr = 2 | 10

/** How far an address or a destination reaches: the higher, the nearer. @kernel enum rt_scope_t include/uapi/linux/rtnetlink.h */
export const RtScope = { UNIVERSE: 0, SITE: 200, LINK: 253, HOST: 254, NOWHERE: 255 } as const

/** What a route does with a packet. @kernel RTN_UNICAST include/uapi/linux/rtnetlink.h */
export const RtnType = {
  UNSPEC: 0,
  UNICAST: 1,
  LOCAL: 2,
  BROADCAST: 3,
  ANYCAST: 4,
  MULTICAST: 5,
  BLACKHOLE: 6,
  UNREACHABLE: 7,
  PROHIBIT: 8,
  THROW: 9,
  NAT: 10,
  XRESOLVE: 11,
} as const

/** Who made a route. @kernel RTPROT_KERNEL include/uapi/linux/rtnetlink.h */
export const RtProt = { UNSPEC: 0, REDIRECT: 1, KERNEL: 2, BOOT: 3, STATIC: 4, RA: 9 } as const

/** The tables every kernel has. @kernel enum rt_class_t include/uapi/linux/rtnetlink.h */
export const RtTable = { UNSPEC: 0, DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const

/** State and wishes of a next hop. @kernel RTNH_F_DEAD include/uapi/linux/rtnetlink.h */
export const RtnhFlag = {
  DEAD: 1,
  PERVASIVE: 2,
  ONLINK: 4,
  OFFLOAD: 8,
  LINKDOWN: 16,
  UNRESOLVED: 32,
} as const

/** Metrics of a route, by number. @kernel RTAX_MTU include/uapi/linux/rtnetlink.h */
export const Rtax = { LOCK: 1, MTU: 2, WINDOW: 3, RTT: 4, ADVMSS: 8, HOPLIMIT: 10 } as const

/** Flags of a request that makes something. @kernel NLM_F_REPLACE include/uapi/linux/netlink.h */
export const NlmNew = { REPLACE: 0x100, EXCL: 0x200, CREATE: 0x400, APPEND: 0x800 } as const

/** Flags of an address. @kernel IFA_F_SECONDARY include/uapi/linux/if_addr.h */
export const IfaFlag = {
  SECONDARY: 0x01,
  TEMPORARY: 0x01,
  NODAD: 0x02,
  OPTIMISTIC: 0x04,
  DADFAILED: 0x08,
  HOMEADDRESS: 0x10,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  MANAGETEMPADDR: 0x100,
  NOPREFIXROUTE: 0x200,
  MCAUTOJOIN: 0x400,
  STABLE_PRIVACY: 0x800,
} as const

/** A lifetime that does not end. @kernel INFINITY_LIFE_TIME include/net/addrconf.h */
export const INFINITY_LIFE_TIME = 0xffffffff

/** States of a neighbour. @kernel NUD_REACHABLE include/uapi/linux/neighbour.h */
export const Nud = {
  NONE: 0x00,
  INCOMPLETE: 0x01,
  REACHABLE: 0x02,
  STALE: 0x04,
  DELAY: 0x08,
  PROBE: 0x10,
  FAILED: 0x20,
  NOARP: 0x40,
  PERMANENT: 0x80,
} as const

/** States in which a timer runs. @kernel NUD_IN_TIMER include/net/neighbour.h */
export const NUD_IN_TIMER = Nud.INCOMPLETE | Nud.REACHABLE | Nud.DELAY | Nud.PROBE
/** States in which the link address is known. @kernel NUD_VALID include/net/neighbour.h */
export const NUD_VALID = Nud.PERMANENT | Nud.NOARP | Nud.REACHABLE | Nud.PROBE | Nud.STALE | Nud.DELAY
/** States in which a packet may leave without a second thought. @kernel NUD_CONNECTED include/net/neighbour.h */
export const NUD_CONNECTED = Nud.PERMANENT | Nud.NOARP | Nud.REACHABLE

/** Flags of a neighbour. @kernel NTF_ROUTER include/uapi/linux/neighbour.h */
export const Ntf = {
  USE: 0x01,
  SELF: 0x02,
  MASTER: 0x04,
  PROXY: 0x08,
  EXT_LEARNED: 0x10,
  OFFLOADED: 0x20,
  STICKY: 0x40,
  ROUTER: 0x80,
} as const

/** What `neighUpdate` may do. @kernel NEIGH_UPDATE_F_OVERRIDE include/net/neighbour.h */
export const NeighUpdateFlag = {
  OVERRIDE: 0x01,
  WEAK_OVERRIDE: 0x02,
  OVERRIDE_ISROUTER: 0x04,
  USE: 0x10,
  EXT_LEARNED: 0x20,
  ISROUTER: 0x40,
  ADMIN: 0x80,
} as const

/** Protocol numbers this stack speaks. @kernel IPPROTO_ICMP include/uapi/linux/in.h */
export const IpProto = {
  IP: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  IPV6: 41,
  ROUTING: 43,
  FRAGMENT: 44,
  ICMPV6: 58,
  NONE: 59,
  DSTOPTS: 60,
  UDPLITE: 136,
  RAW: 255,
} as const

/** How a socket treats the path's MTU. @kernel IP_PMTUDISC_WANT include/uapi/linux/in.h */
export const IpPmtudisc = { DONT: 0, WANT: 1, DO: 2, PROBE: 3, INTERFACE: 4, OMIT: 5 } as const

/** Where an entry of an error queue comes from. @kernel SO_EE_ORIGIN_LOCAL include/uapi/linux/errqueue.h */
export const SoEeOrigin = { NONE: 0, LOCAL: 1, ICMP: 2, ICMP6: 3 } as const

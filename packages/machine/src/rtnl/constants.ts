/** Attributes of addresses. @kernel IFA_ADDRESS include/uapi/linux/if_addr.h */
export const Ifa = {
  ADDRESS: 1,
  LOCAL: 2,
  LABEL: 3,
  BROADCAST: 4,
  CACHEINFO: 6,
  MULTICAST: 7,
  FLAGS: 8,
  RT_PRIORITY: 9,
  TARGET_NETNSID: 10,
  PROTO: 11,
} as const

/** Attributes of routes. @kernel RTA_DST include/uapi/linux/rtnetlink.h */
export const Rta = {
  DST: 1,
  SRC: 2,
  IIF: 3,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  METRICS: 8,
  MULTIPATH: 9,
  FLOW: 11,
  CACHEINFO: 12,
  TABLE: 15,
  MARK: 16,
  VIA: 18,
  PREF: 20,
  ENCAP_TYPE: 21,
  ENCAP: 22,
  EXPIRES: 23,
  UID: 25,
  TTL_PROPAGATE: 26,
  IP_PROTO: 27,
  SPORT: 28,
  DPORT: 29,
  NH_ID: 30,
} as const

/** Flags of a route message. @kernel RTM_F_NOTIFY include/uapi/linux/rtnetlink.h */
export const RtmFlag = {
  NOTIFY: 0x100,
  CLONED: 0x200,
  EQUALIZE: 0x400,
  PREFIX: 0x800,
  LOOKUP_TABLE: 0x1000,
  FIB_MATCH: 0x2000,
} as const

/** What a route of the cache is. @kernel RTCF_LOCAL include/uapi/linux/in_route.h */
export const Rtcf = { BROADCAST: 0x10000000, MULTICAST: 0x20000000, LOCAL: 0x80000000 } as const

/** Attributes of neighbours. @kernel NDA_DST include/uapi/linux/neighbour.h */
export const Nda = {
  DST: 1,
  LLADDR: 2,
  CACHEINFO: 3,
  PROBES: 4,
  IFINDEX: 8,
  MASTER: 9,
  PROTOCOL: 12,
  FLAGS_EXT: 15,
} as const

/** Attributes of a neighbour table. @kernel NDTA_NAME include/uapi/linux/neighbour.h */
export const Ndta = {
  NAME: 1,
  THRESH1: 2,
  THRESH2: 3,
  THRESH3: 4,
  CONFIG: 5,
  PARMS: 6,
  STATS: 7,
  GC_INTERVAL: 8,
} as const

/** Inside {@link Ndta}.PARMS. @kernel NDTPA_IFINDEX include/uapi/linux/neighbour.h */
export const Ndtpa = {
  IFINDEX: 1,
  REFCNT: 2,
  REACHABLE_TIME: 3,
  BASE_REACHABLE_TIME: 4,
  RETRANS_TIME: 5,
  GC_STALETIME: 6,
  DELAY_PROBE_TIME: 7,
  QUEUE_LEN: 8,
  APP_PROBES: 9,
  UCAST_PROBES: 10,
  MCAST_PROBES: 11,
  ANYCAST_DELAY: 12,
  PROXY_DELAY: 13,
  PROXY_QLEN: 14,
  LOCKTIME: 15,
  QUEUE_LENBYTES: 16,
  MCAST_REPROBES: 17,
} as const

/** Attributes of a family's settings. @kernel NETCONFA_IFINDEX include/uapi/linux/netconf.h */
export const Netconfa = {
  IFINDEX: 1,
  FORWARDING: 2,
  RP_FILTER: 3,
  MC_FORWARDING: 4,
  PROXY_NEIGH: 5,
  IGNORE_ROUTES_WITH_LINKDOWN: 6,
  BC_FORWARDING: 8,
} as const

/** Whose settings: of all devices, and of new ones. @kernel NETCONFA_IFINDEX_ALL include/uapi/linux/netconf.h */
export const NetconfIfindex = { ALL: -1, DEFAULT: -2 } as const

/** Attributes of a policy rule. @kernel FRA_PRIORITY include/uapi/linux/fib_rules.h */
export const Fra = { PRIORITY: 6, SUPPRESS_PREFIXLEN: 14, TABLE: 15, PROTOCOL: 21 } as const

/** Message types that `Rtm` has not. @kernel RTM_GETMULTICAST include/uapi/linux/rtnetlink.h */
export const RtmMore = { NEWMULTICAST: 56, GETMULTICAST: 58 } as const

/** Bytes of the fixed parts. @kernel struct ifaddrmsg, struct rtmsg, struct ndmsg include/uapi/linux */
export const IFADDRMSG_LEN = 8
export const RTMSG_LEN = 12
export const NDMSG_LEN = 12
export const NETCONFMSG_LEN = 1

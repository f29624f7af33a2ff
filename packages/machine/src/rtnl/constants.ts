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

/** Inside Ndta.PARMS. @kernel NDTPA_IFINDEX include/uapi/linux/neighbour.h */
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

/** Message types that `Rtm` has not. @kernel RTM_GETMULTICAST include/uapi/linux/rtnetlink.h */
export const RtmMore = { NEWMULTICAST: 56, GETMULTICAST: 58 } as const

/** Bytes of the fixed part. @kernel struct netconfmsg include/uapi/linux/netconf.h */
export const NETCONFMSG_LEN = 1

/** Attributes of addresses. @kernel IFA_ADDRESS include/uapi/linux/if_addr.h */
export const Ifa = {
  ADDRESS: 1,
  LOCAL: 2,
  LABEL: 3,
  BROADCAST: 4,
  ANYCAST: 5,
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

/** Attributes of a policy rule. @kernel FRA_PRIORITY include/uapi/linux/fib_rules.h */
export const Fra = {
  DST: 1,
  SRC: 2,
  IIFNAME: 3,
  PRIORITY: 6,
  SUPPRESS_PREFIXLEN: 14,
  TABLE: 15,
  OIFNAME: 17,
  PROTOCOL: 21,
} as const

/** Bytes of the fixed part of a message about an address. @kernel struct ifaddrmsg include/uapi/linux/if_addr.h */
export const IFADDRMSG_LEN = 8

/** Bytes of the fixed part of a message about a route. @kernel struct rtmsg include/uapi/linux/rtnetlink.h */
export const RTMSG_LEN = 12

/** Bytes of the fixed part of a message about a neighbour. @kernel struct ndmsg include/uapi/linux/neighbour.h */
export const NDMSG_LEN = 12

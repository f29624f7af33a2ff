/** Message types of rtnetlink. @kernel RTM_NEWLINK include/uapi/linux/rtnetlink.h */
export const Rtm = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWRULE: 32,
  DELRULE: 33,
  GETRULE: 34,
  NEWQDISC: 36,
  DELQDISC: 37,
  GETQDISC: 38,
  NEWNEIGHTBL: 64,
  GETNEIGHTBL: 66,
  NEWNETCONF: 80,
  DELNETCONF: 81,
  GETNETCONF: 82,
  NEWNSID: 88,
  GETNSID: 90,
  NEWSTATS: 92,
  GETSTATS: 94,
  MAX: 123,
} as const

/** Groups of rtnetlink. @kernel enum rtnetlink_groups include/uapi/linux/rtnetlink.h */
export const Rtnlgrp = {
  LINK: 1,
  NEIGH: 3,
  TC: 4,
  IPV4_IFADDR: 5,
  IPV4_ROUTE: 7,
  IPV6_IFADDR: 9,
  IPV6_ROUTE: 11,
  IPV6_IFINFO: 12,
  IPV4_NETCONF: 24,
  IPV6_NETCONF: 25,
  MAX: 36,
} as const

/** Address families, as far as they matter here. @kernel AF_INET include/linux/socket.h */
export const Af = { UNSPEC: 0, INET: 2, BRIDGE: 7, INET6: 10, PACKET: 17 } as const

/** Attributes of links. @kernel enum include/uapi/linux/if_link.h */
export const Ifla = {
  ADDRESS: 1,
  BROADCAST: 2,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  QDISC: 6,
  STATS: 7,
  MASTER: 10,
  TXQLEN: 13,
  MAP: 14,
  WEIGHT: 15,
  OPERSTATE: 16,
  LINKMODE: 17,
  LINKINFO: 18,
  NET_NS_PID: 19,
  IFALIAS: 20,
  NUM_VF: 21,
  VFINFO_LIST: 22,
  STATS64: 23,
  AF_SPEC: 26,
  GROUP: 27,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  PROMISCUITY: 30,
  NUM_TX_QUEUES: 31,
  NUM_RX_QUEUES: 32,
  CARRIER: 33,
  CARRIER_CHANGES: 35,
  PROTO_DOWN: 39,
  GSO_MAX_SEGS: 40,
  GSO_MAX_SIZE: 41,
  XDP: 43,
  EVENT: 44,
  TARGET_NETNSID: 46,
  CARRIER_UP_COUNT: 47,
  CARRIER_DOWN_COUNT: 48,
  NEW_IFINDEX: 49,
  MIN_MTU: 50,
  MAX_MTU: 51,
  PROP_LIST: 52,
  ALT_IFNAME: 53,
  PERM_ADDRESS: 54,
  PARENT_DEV_NAME: 56,
  PARENT_DEV_BUS_NAME: 57,
  GRO_MAX_SIZE: 58,
  TSO_MAX_SIZE: 59,
  TSO_MAX_SEGS: 60,
  ALLMULTI: 61,
} as const

/** Inside {@link Ifla}.LINKINFO. @kernel IFLA_INFO_KIND include/uapi/linux/if_link.h */
export const IflaInfo = { KIND: 1, DATA: 2 } as const

/** Inside {@link Ifla}.XDP. @kernel IFLA_XDP_ATTACHED include/uapi/linux/if_link.h */
export const IFLA_XDP_ATTACHED = 2
/** How IPv6 makes addresses, inside the AF_INET6 part of {@link Ifla}.AF_SPEC. @kernel IFLA_INET6_ADDR_GEN_MODE include/uapi/linux/if_link.h */
export const IFLA_INET6_ADDR_GEN_MODE = 8

/** Bits of {@link Ifla}.EXT_MASK. @kernel RTEXT_FILTER_VF include/uapi/linux/rtnetlink.h */
export const RtextFilter = { VF: 1, BRVLAN: 2, BRVLAN_COMPRESSED: 4, SKIP_STATS: 8 } as const

/** Bytes of the fixed part of a link message. @kernel struct ifinfomsg include/uapi/linux/rtnetlink.h */
export const IFINFOMSG_LEN = 16

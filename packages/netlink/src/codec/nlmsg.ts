/** Bytes of a message header. @kernel NLMSG_HDRLEN include/uapi/linux/netlink.h */
export const NLMSG_HDRLEN = 16
/** Bytes of an attribute header. @kernel NLA_HDRLEN include/uapi/linux/netlink.h */
export const NLA_HDRLEN = 4

/** The next multiple of four: where the next message or attribute begins. @kernel NLMSG_ALIGN() include/uapi/linux/netlink.h */
export function nlmsgAlign(length: number): number {
  return (length + 3) & ~3
}

/** Protocols: the third argument of `socket(AF_NETLINK, …)`. @kernel NETLINK_ROUTE include/uapi/linux/netlink.h */
export const NetlinkProtocolNr = {
  ROUTE: 0,
  USERSOCK: 2,
  SOCK_DIAG: 4,
  XFRM: 6,
  NETFILTER: 12,
  KOBJECT_UEVENT: 15,
  GENERIC: 16,
} as const

/** Message types of netlink itself. @kernel NLMSG_ERROR include/uapi/linux/netlink.h */
export const Nlmsg = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, MIN_TYPE: 0x10 } as const

/** Message flags; those from 0x100 on mean different things in requests to get, make and delete, and in errors. @kernel NLM_F_REQUEST include/uapi/linux/netlink.h */
export const NlmF = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  ECHO: 0x8,
  DUMP_INTR: 0x10,
  DUMP_FILTERED: 0x20,
  ROOT: 0x100,
  MATCH: 0x200,
  ATOMIC: 0x400,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  NONREC: 0x100,
  BULK: 0x200,
  CAPPED: 0x100,
  ACK_TLVS: 0x200,
} as const

/** Bits of an attribute's type. @kernel NLA_F_NESTED include/uapi/linux/netlink.h */
export const NlaF = { NESTED: 0x8000, NET_BYTEORDER: 0x4000, TYPE_MASK: 0x3fff } as const

/** Attributes after an error. @kernel enum nlmsgerr_attrs include/uapi/linux/netlink.h */
export const NlmsgerrAttr = { MSG: 1, OFFS: 2, COOKIE: 3, POLICY: 4, MISS_TYPE: 5, MISS_NEST: 6 } as const

/** The socket option level. @kernel SOL_NETLINK include/linux/socket.h */
export const SOL_NETLINK = 270

/** Socket options of level {@link SOL_NETLINK}. @kernel NETLINK_ADD_MEMBERSHIP include/uapi/linux/netlink.h */
export const NetlinkOption = {
  ADD_MEMBERSHIP: 1,
  DROP_MEMBERSHIP: 2,
  PKTINFO: 3,
  BROADCAST_ERROR: 4,
  NO_ENOBUFS: 5,
  LISTEN_ALL_NSID: 8,
  LIST_MEMBERSHIPS: 9,
  CAP_ACK: 10,
  EXT_ACK: 11,
  GET_STRICT_CHK: 12,
} as const

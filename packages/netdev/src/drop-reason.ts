/**
 * Why a packet was dropped. The names are the kernel's; the numbers are ours, as the kernel's change from release to release.
 *
 * @kernel enum skb_drop_reason include/net/dropreason-core.h
 * @rule STAT-15
 */
export const SkbDropReason = {
  NOT_DROPPED_YET: 0,
  CONSUMED: 1,
  NOT_SPECIFIED: 2,
  NO_SOCKET: 3,
  PKT_TOO_SMALL: 4,
  PKT_TOO_BIG: 5,
  TCP_CSUM: 6,
  UDP_CSUM: 7,
  IP_CSUM: 8,
  IP_INHDR: 9,
  OTHERHOST: 10,
  UNICAST_IN_L2_MULTICAST: 11,
  SOCKET_FILTER: 12,
  SOCKET_RCVBUFF: 13,
  PROTO_MEM: 14,
  IP_NOPROTO: 15,
  IP_RPFILTER: 16,
  NEIGH_FAILED: 17,
  NEIGH_QUEUEFULL: 18,
  QDISC_DROP: 19,
  QDISC_OVERLIMIT: 20,
  CPU_BACKLOG: 21,
  XDP: 22,
  TC_INGRESS: 23,
  TC_EGRESS: 24,
  UNHANDLED_PROTO: 25,
  SKB_CSUM: 26,
  SKB_GSO_SEG: 27,
  SKB_UCOPY_FAULT: 28,
  DEV_HDR: 29,
  DEV_READY: 30,
  FULL_RING: 31,
  NOMEM: 32,
  HDR_TRUNC: 33,
  TAP_FILTER: 34,
  TAP_TXFILTER: 35,
  ICMP_CSUM: 36,
  INVALID_PROTO: 37,
  RECURSION_LIMIT: 38,
  QUEUE_PURGE: 39,
  MAC_INVALID_SOURCE: 40,
  IP_OUTNOROUTES: 41,
  IP_INADDRERRORS: 42,
  TX_STOPPED: 43,
} as const

/** One of {@link SkbDropReason}. @kernel enum skb_drop_reason include/net/dropreason-core.h */
export type SkbDropReason = (typeof SkbDropReason)[keyof typeof SkbDropReason]

const NAMES: readonly string[] = Object.keys(SkbDropReason)

/** How many reasons there are. @kernel SKB_DROP_REASON_MAX include/net/dropreason-core.h */
export const SKB_DROP_REASON_MAX = NAMES.length

/** The name of a reason, e.g. 'UNHANDLED_PROTO'. @kernel drop_reasons net/core/skbuff.c */
export function skbDropReasonName(reason: number): string {
  return NAMES[reason] ?? `UNKNOWN(${reason})`
}

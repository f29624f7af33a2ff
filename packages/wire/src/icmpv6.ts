import { type IcmpFields, type IcmpHeader, readIcmp, writeIcmp } from './icmp.ts'

/**
 * Message types, those of neighbour discovery included.
 *
 * @kernel ICMPV6_* NDISC_* include/uapi/linux/icmpv6.h include/net/ndisc.h
 */
export const Icmpv6Type = {
  DEST_UNREACH: 1,
  PKT_TOOBIG: 2,
  TIME_EXCEED: 3,
  PARAMPROB: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
  MGM_QUERY: 130,
  MGM_REPORT: 131,
  MGM_REDUCTION: 132,
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOUR_SOLICITATION: 135,
  NEIGHBOUR_ADVERTISEMENT: 136,
  REDIRECT: 137,
  MLD2_REPORT: 143,
} as const

/**
 * Reads an ICMPv6 message; null when there are fewer than 8 bytes.
 *
 * @param pseudo - the pseudo header's sum (`csumIpv6Nofold`); without it `checksumOk` means nothing.
 * @kernel icmpv6_rcv() net/ipv6/icmp.c
 */
export function parseIcmpv6(
  bytes: Uint8Array,
  off = 0,
  len = bytes.length - off,
  pseudo = 0,
): IcmpHeader | null {
  return readIcmp(bytes, off, len, pseudo)
}

/**
 * Writes an ICMPv6 header at `off`, in front of its payload, with the checksum of both.
 *
 * @param pseudo - the pseudo header's sum (`csumIpv6Nofold`).
 * @returns 8, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel icmpv6_push_pending_frames() net/ipv6/icmp.c
 */
export function buildIcmpv6(out: Uint8Array, off: number, fields: IcmpFields, pseudo: number): number {
  return writeIcmp(out, off, fields, pseudo)
}

import { type SkBuff, skbLinearize } from '@vnet/netdev'
import type { Inet } from '../inet.ts'
import { type InetFamilyNr, IpProto } from '../types/constants.ts'
import type { RawSock } from './raw.ts'
import { isAny, sameAddress } from './sock.ts'
import type { RxInfo } from './transport.ts'

/**
 * Shows a packet to the raw sockets of its protocol. IPv4: data stands at the network header; IPv6: behind the headers.
 * The packet stays the caller's.
 *
 * @param icmpType - for ICMP the message's type, else −1
 * @returns true when at least one socket wanted it
 * @kernel raw_local_deliver() net/ipv4/raw.c
 */
export function rawDeliver(
  inet: Inet,
  skb: SkBuff,
  info: RxInfo,
  protocol: number,
  icmpType: number,
): boolean {
  const { raw } = inet.sockets
  if (raw.length === 0) return false
  let wanted = false
  for (const sock of raw.slice()) {
    if (!rawMatches(sock, info.family, protocol, info.dst, info.src, info.dev.ifindex)) continue
    wanted = true
    if (icmpType >= 0 && isFiltered(sock, icmpType)) continue
    if (skbLinearize(skb)) sock.queue(skb, info, 0)
  }
  return wanted
}

/** True when a packet between these two is a raw socket's. @kernel raw_v4_match() net/ipv4/raw.c */
export function rawMatches(
  sock: RawSock,
  family: InetFamilyNr,
  protocol: number,
  local: Uint8Array,
  remote: Uint8Array,
  ifindex: number,
): boolean {
  if (sock.family !== family || sock.protocol !== protocol) return false
  if (!sock.takesDevice(ifindex)) return false
  if (!isAny(sock.local) && !sameAddress(sock.local, local)) return false
  return sock.remote === null || sameAddress(sock.remote.address, remote)
}

function isFiltered(sock: RawSock, type: number): boolean {
  const { icmpFilter, icmp6Filter } = sock.options
  if (sock.protocol === IpProto.ICMP) return type < 32 && (icmpFilter & (1 << type)) !== 0
  if (sock.protocol !== IpProto.ICMPV6 || icmp6Filter === null) return false
  return ((icmp6Filter[type >> 5] ?? 0) & (1 << (type & 31))) !== 0
}

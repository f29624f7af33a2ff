import { allocSkb, kfreeSkb, PACKET_HOST, type SkBuff, SkbDropReason, skbPut, skbReserve } from '@vnet/netdev'
import {
  getUnalignedBe32,
  inetChecksum,
  ipv4IsMulticast,
  ipv4IsZeronet,
  putUnalignedBe16,
  putUnalignedBe32,
} from '@vnet/wire'
import { addrTypeDev } from '../fib/addr-type.ts'
import { IpProto, RtnType } from '../types/constants.ts'
import { fragOff, IP_OFFSET, IPV4_HLEN, ipHdrLen, ipPushHeader } from './header.ts'
import type { Ipv4 } from './ipv4.ts'
import { ipLocalOut } from './output.ts'
import { ipRouteOutput, isRoute, type Rt4 } from './route.ts'

/** So long an error may be, with its header. @kernel icmp_send() net/ipv4/icmp.c */
const MOST = 576
const ICMP_HLEN = 8
const HEADROOM = 64
/** Types that report errors: about those nothing is ever reported. @kernel icmp_pointers net/ipv4/icmp.c */
const ERRORS: readonly number[] = [3, 4, 5, 11, 12]
/** The highest type there is. @kernel NR_ICMP_TYPES include/uapi/linux/icmp.h */
export const NR_ICMP_TYPES = 18

/** True for the types that report errors. @kernel icmp_pointers net/ipv4/icmp.c */
export function isIcmpError(type: number): boolean {
  return ERRORS.includes(type)
}

/**
 * Reports an error about a packet to its sender. The packet stays the caller's; its header is at `networkHeader`.
 *
 * Never about fragments but the first, errors, groups or what came from nobody in particular.
 *
 * @param info - the second word of the message: an MTU, a pointer
 * @kernel icmp_send() net/ipv4/icmp.c
 */
export function icmpSend(ipv4: Ipv4, skb: SkBuff, type: number, code: number, info = 0): void {
  const { mem, networkHeader: at } = skb
  if (at < skb.head || at + IPV4_HLEN > skb.tail) return
  if (!mayReport(ipv4, skb)) return
  const saddr = getUnalignedBe32(mem, at + 12)
  const daddr = getUnalignedBe32(mem, at + 16)
  if (!ipv4.limits.isFree(type) && !ipv4.limits.globalAllow()) {
    ipv4.icmp.outRateLimitGlobal++
    return
  }
  const src = addrTypeDev(ipv4, null, daddr) === RtnType.LOCAL ? daddr : 0
  const rt = ipRouteOutput(ipv4, saddr, { src })
  if (!isRoute(rt)) return
  if (!ipv4.limits.isFree(type) && rt.type !== RtnType.LOCAL && !ipv4.limits.peerAllow(saddr)) {
    ipv4.icmp.outRateLimitHost++
    return
  }
  const quoted = Math.min(skb.tail - at, Math.min(rt.mtu, MOST) - IPV4_HLEN - ICMP_HLEN)
  if (quoted < IPV4_HLEN) return
  const message = allocSkb(ipv4.kernel, HEADROOM + ICMP_HLEN + quoted)
  if (message === null) return
  skbReserve(message, HEADROOM)
  const to = skbPut(message, ICMP_HLEN + quoted)
  message.mem.set(mem.subarray(at, at + quoted), to + ICMP_HLEN)
  const tos = (mem[at + 1]! & 0x1e) | 0xc0
  icmpPush(ipv4, message, type, code, info, tos, rt)
}

/** Reports an error and drops the packet. @kernel ipv4_link_failure() net/ipv4/route.c */
export function icmpSendAndDrop(ipv4: Ipv4, skb: SkBuff, type: number, code: number): void {
  icmpSend(ipv4, skb, type, code)
  kfreeSkb(skb, SkbDropReason.NEIGH_FAILED)
}

/**
 * Fills in the ICMP header of a message whose payload stands 8 bytes behind `data`, puts the IP header in front, and
 * sends.
 *
 * @param rest - the second word of the header
 * @kernel icmp_push_reply() net/ipv4/icmp.c
 */
export function icmpPush(
  ipv4: Ipv4,
  skb: SkBuff,
  type: number,
  code: number,
  rest: number,
  tos: number,
  rt: Rt4,
): void {
  const { mem, data } = skb
  mem[data] = type
  mem[data + 1] = code
  putUnalignedBe16(0, mem, data + 2)
  putUnalignedBe32(rest, mem, data + 4)
  putUnalignedBe16(inetChecksum(mem, data, skb.len), mem, data + 2)
  icmpOutCount(ipv4, type)
  ipPushHeader(skb, rt.src, rt.dst, IpProto.ICMP, ipv4.sysctl.ipDefaultTtl, tos, nextIdent(ipv4), 0)
  ipLocalOut(ipv4, skb, rt, true)
}

/** Counts a message that goes out. @kernel icmp_out_count() net/ipv4/icmp.c */
export function icmpOutCount(ipv4: Ipv4, type: number): void {
  ipv4.icmp.outMsgs++
  ipv4.icmp.outType[type]!++
}

/** The identification of the next packet that may be split. @kernel __ip_select_ident() net/ipv4/route.c */
export function nextIdent(ipv4: Ipv4): number {
  ipv4.ident = (ipv4.ident + 1) & 0xffff
  return ipv4.ident
}

function mayReport(ipv4: Ipv4, skb: SkBuff): boolean {
  const { mem, networkHeader: at } = skb
  if (skb.pktType !== PACKET_HOST && !isLooped(skb)) return false
  if ((fragOff(mem, at) & IP_OFFSET) !== 0) return false
  const saddr = getUnalignedBe32(mem, at + 12)
  const daddr = getUnalignedBe32(mem, at + 16)
  if (ipv4IsZeronet(saddr) || ipv4IsMulticast(saddr) || ipv4IsMulticast(daddr)) return false
  if (addrTypeDev(ipv4, null, daddr) === RtnType.BROADCAST) return false
  if (addrTypeDev(ipv4, null, saddr) === RtnType.BROADCAST) return false
  if (mem[at + 9] !== IpProto.ICMP) return true
  const inner = at + ipHdrLen(mem, at)
  if (inner >= skb.tail) return false
  return mem[inner]! <= NR_ICMP_TYPES && !isIcmpError(mem[inner]!)
}

/** Our own packets without a loopback device come back marked so. */
function isLooped(skb: SkBuff): boolean {
  return skb.pktType === 5
}

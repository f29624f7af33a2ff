import { consumeSkb, kfreeSkb, type SkBuff, SkbDropReason, skbGsoSegment } from '@vnet/netdev'
import { IpProto } from '../types/constants.ts'
import { ipHdrLen } from './header.ts'

/** Bytes of the longest IPv4 packet a merged packet stands for; of an ordinary packet its own. @kernel skb_gso_network_seglen() net/core/gso.c */
export function gsoNetworkLen(skb: SkBuff): number {
  const { gsoSize, mem, data } = skb
  if (gsoSize === 0) return skb.len
  const hlen = ipHdrLen(mem, data)
  const transport = mem[data + 9] === IpProto.TCP ? (mem[data + hlen + 12]! >> 4) * 4 : 8
  return hlen + transport + gsoSize
}

/**
 * Takes apart datagrams that were merged on receive: no socket here takes them so. The packet is gone.
 *
 * @returns false when there was no memory
 * @kernel udp_rcv_segment() include/net/udp.h
 */
export function udpRcvSegment(skb: SkBuff, each: (segment: SkBuff) => void): boolean {
  let segment = skbGsoSegment(skb, 0)
  if (segment === null) {
    kfreeSkb(skb, SkbDropReason.SKB_GSO_SEG)
    return false
  }
  consumeSkb(skb)
  while (segment !== null) {
    const next: SkBuff | null = segment.next
    segment.next = null
    each(segment)
    segment = next
  }
  return true
}

import { IPPROTO_UDP } from './flow.ts'
import { groCompleteAt } from './gro-complete.ts'
import { groChecksumGood, groFind, groIpHeaderGood, groNetworkFits } from './gro-match.ts'
import {
  GRO_HELD,
  GRO_MERGED,
  GRO_NORMAL,
  type GroFlow,
  type GroNode,
  MAX_GRO_SKBS,
  groBucket,
  groHold,
  groMerge,
} from './gro-node.ts'
import { flowWord } from './gro-tcp.ts'
import type { SkBuff } from './skbuff.ts'

/** Most datagrams in one merged packet. @kernel UDP_GRO_CNT_MAX net/ipv4/udp_offload.c */
export const UDP_GRO_CNT_MAX = 64

/**
 * Merges a UDP datagram, holds it, or leaves it alone. Only called when the device asks for it.
 *
 * Parameters as in `groTcp`.
 *
 * @kernel udp_gro_receive_segment() net/ipv4/udp_offload.c
 */
export function groUdp(
  gro: GroNode,
  skb: SkBuff,
  nh: number,
  th: number,
  v6: boolean,
  sized: boolean,
): number {
  const { mem, tail } = skb
  if (tail - th < 8) return GRO_NORMAL
  const total = (mem[th + 4]! << 8) | mem[th + 5]!
  const len = skb.len - (th - nh) - 8
  const alone = !sized || len === 0 || total !== len + 8
  if (alone && gro.count === 0) return GRO_NORMAL
  if (!v6 && !groIpHeaderGood(skb.shinfo.i32, nh)) return GRO_NORMAL
  const bucket = groBucket(gro, flowWord(skb.shinfo.i32, nh, th, v6))
  const index = bucket.count === 0 ? -1 : groFind(bucket, skb, nh, th, v6, IPPROTO_UDP)
  if (index >= 0) {
    const flow = bucket.flows[index]!
    if (!alone && datagramFits(flow, skb, nh, th, len)) {
      if (!sumGood(skb, nh, th, v6)) return GRO_NORMAL
      groMerge(gro, flow, skb, th - nh + 8)
      if (len < flow.mss || flow.count >= UDP_GRO_CNT_MAX) groCompleteAt(gro, bucket, index)
      return GRO_MERGED
    }
    groCompleteAt(gro, bucket, index)
  }
  if (alone || !sumGood(skb, nh, th, v6)) return GRO_NORMAL
  if (bucket.count === MAX_GRO_SKBS) groCompleteAt(gro, bucket, 0)
  skb.networkHeader = nh
  skb.transportHeader = th
  const flow = groHold(gro, bucket, skb)
  flow.v6 = v6
  flow.proto = IPPROTO_UDP
  flow.mss = len
  return GRO_HELD
}

function datagramFits(flow: GroFlow, skb: SkBuff, nh: number, th: number, len: number): boolean {
  const held = flow.skb!
  if (len > flow.mss || noSum(skb.mem, th) !== noSum(held.mem, held.transportHeader)) return false
  const { groMaxSize } = skb.dev!
  return held.len + len < (groMaxSize < 65536 ? groMaxSize : 65536) && groNetworkFits(flow, skb, nh)
}

/** IPv4 allows datagrams without a checksum; IPv6 does not. */
function sumGood(skb: SkBuff, nh: number, th: number, v6: boolean): boolean {
  if (noSum(skb.mem, th)) return !v6
  return groChecksumGood(skb, nh, th, v6, IPPROTO_UDP)
}

function noSum(mem: Uint8Array, th: number): boolean {
  return (mem[th + 6]! | mem[th + 7]!) === 0
}

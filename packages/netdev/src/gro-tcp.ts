import { wordMask } from './byte-order.ts'
import { IPPROTO_TCP } from './flow.ts'
import { groChecksumGood, groFind, groIpHeaderGood, groNetworkFits } from './gro-match.ts'
import {
  GRO_HELD,
  GRO_MERGED,
  GRO_NORMAL,
  type GroBucket,
  type GroFlow,
  type GroNode,
  MAX_GRO_SKBS,
  groBucket,
  groHold,
  groMerge,
} from './gro-node.ts'
import { groCompleteAt } from './gro-complete.ts'
import type { SkBuff } from './skbuff.ts'

/** FIN, SYN, RST, PSH, URG: a segment with one of them is the last of a merged packet. */
const ENDS = 0x01 | 0x02 | 0x04 | 0x08 | 0x20
const FIN_PSH = 0x01 | 0x08
const CWR = 0x80
/** Of the word with header length, flags and window, all but FIN, PSH and CWR. */
const SAME_FLAGS = wordMask(0xff, 0xff & ~(FIN_PSH | CWR), 0xff, 0xff)
/** Of the word with checksum and urgent pointer, the latter. */
const SAME_URGENT = wordMask(0, 0, 0xff, 0xff)

/**
 * Merges a TCP segment, holds it, or leaves it alone.
 *
 * @param nh - network header, a multiple of four
 * @param th - transport header
 * @param sized - the IP length is the packet's: no padding, nothing cut off
 * @returns GRO_NORMAL when the caller shall pass it up
 * @kernel tcp_gro_receive() net/ipv4/tcp_offload.c
 */
export function groTcp(
  gro: GroNode,
  skb: SkBuff,
  nh: number,
  th: number,
  v6: boolean,
  sized: boolean,
): number {
  const { mem, tail } = skb
  if (tail - th < 20) return GRO_NORMAL
  const headerLen = (mem[th + 12]! >> 4) * 4
  if (headerLen < 20 || tail - th < headerLen) return GRO_NORMAL
  const len = skb.len - (th - nh) - headerLen
  const flags = mem[th + 13]!
  // An acknowledgement, the end of a burst, an odd one: nothing to wait for.
  const alone = !sized || len === 0 || (flags & ENDS) !== 0
  if (alone && gro.count === 0) return GRO_NORMAL
  const words = skb.shinfo.i32
  if (!v6 && !groIpHeaderGood(words, nh)) return GRO_NORMAL
  const bucket = groBucket(gro, flowWord(words, nh, th, v6))
  const index = bucket.count === 0 ? -1 : groFind(bucket, skb, nh, th, v6, IPPROTO_TCP)
  if (index >= 0) {
    const flow = bucket.flows[index]!
    if (sized && segmentFits(flow, skb, nh, th, headerLen, len, flags)) {
      if (!groChecksumGood(skb, nh, th, v6, IPPROTO_TCP)) return GRO_NORMAL
      mergeSegment(gro, flow, skb, th, headerLen + th - nh, len, flags)
      if (len < flow.mss || (flags & ENDS) !== 0) groCompleteAt(gro, bucket, index)
      return GRO_MERGED
    }
    groCompleteAt(gro, bucket, index)
  }
  if (alone || !groChecksumGood(skb, nh, th, v6, IPPROTO_TCP)) return GRO_NORMAL
  hold(gro, bucket, skb, nh, th, v6, len)
  return GRO_HELD
}

/** One word out of addresses and ports. @kernel none */
export function flowWord(words: Int32Array, nh: number, th: number, v6: boolean): number {
  const ports = words[th >> 2]!
  if (!v6) return words[(nh + 12) >> 2]! ^ words[(nh + 16) >> 2]! ^ ports
  const at = (nh + 8) >> 2
  return words[at + 2]! ^ words[at + 3]! ^ words[at + 6]! ^ words[at + 7]! ^ ports
}

function segmentFits(
  flow: GroFlow,
  skb: SkBuff,
  nh: number,
  th: number,
  headerLen: number,
  len: number,
  flags: number,
): boolean {
  const held = flow.skb!
  const at = held.transportHeader
  if (len === 0 || len > flow.mss || be32(skb.mem, th + 4) !== flow.nextSeq) return false
  if ((flags & CWR) !== 0) return false
  const words = skb.shinfo.i32
  const otherWords = held.shinfo.i32
  const w = th >> 2
  const o = at >> 2
  // Acknowledgement; header length, flags, window; urgent pointer.
  if (words[w + 2] !== otherWords[o + 2] || ((words[w + 3]! ^ otherWords[o + 3]!) & SAME_FLAGS) !== 0)
    return false
  if (((words[w + 4]! ^ otherWords[o + 4]!) & SAME_URGENT) !== 0) return false
  for (let i = 20; i < headerLen; i += 4) {
    if (words[w + (i >> 2)] !== otherWords[o + (i >> 2)]) return false
  }
  return held.len + len < maxSize(skb) && groNetworkFits(flow, skb, nh)
}

/** A merged packet must fit the 16 bits of the IP length. */
function maxSize(skb: SkBuff): number {
  const { groMaxSize } = skb.dev!
  return groMaxSize < 65536 ? groMaxSize : 65536
}

function mergeSegment(
  gro: GroNode,
  flow: GroFlow,
  skb: SkBuff,
  th: number,
  pull: number,
  len: number,
  flags: number,
): void {
  const held = flow.skb!
  const at = held.transportHeader + 13
  held.mem[at] = held.mem[at]! | (flags & FIN_PSH)
  flow.nextSeq = (be32(skb.mem, th + 4) + len) | 0
  groMerge(gro, flow, skb, pull)
}

function hold(
  gro: GroNode,
  bucket: GroBucket,
  skb: SkBuff,
  nh: number,
  th: number,
  v6: boolean,
  len: number,
): void {
  if (bucket.count === MAX_GRO_SKBS) groCompleteAt(gro, bucket, 0)
  skb.networkHeader = nh
  skb.transportHeader = th
  const flow = groHold(gro, bucket, skb)
  flow.v6 = v6
  flow.proto = IPPROTO_TCP
  flow.mss = len
  flow.nextSeq = (be32(skb.mem, th + 4) + len) | 0
}

function be32(mem: Uint8Array, at: number): number {
  return (mem[at]! << 24) | (mem[at + 1]! << 16) | (mem[at + 2]! << 8) | mem[at + 3]!
}

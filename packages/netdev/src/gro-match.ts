import { csumFold32, csumPartial, csumPseudo, skbChecksum } from './checksum.ts'
import type { GroBucket, GroFlow } from './gro-node.ts'
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNNECESSARY,
  type SkBuff,
} from './skbuff.ts'

const IP_DF = 0x40

/**
 * Finds the held packet of the same flow: device, link header, tag, addresses, protocol, ports.
 *
 * Words are only compared with words, so their byte order does not matter.
 *
 * @returns its place in the bucket, or -1
 * @kernel gro_list_prepare(), inet_gro_receive() net/core/gro.c
 */
export function groFind(
  bucket: GroBucket,
  skb: SkBuff,
  nh: number,
  th: number,
  v6: boolean,
  proto: number,
): number {
  const words = skb.shinfo.i32
  const ports = words[th >> 2]!
  const addrs = (nh + (v6 ? 8 : 12)) >> 2
  for (let i = 0; i < bucket.count; i++) {
    const flow = bucket.flows[i]!
    if (flow.proto !== proto || flow.v6 !== v6) continue
    const held = flow.skb!
    const other = held.shinfo.i32
    if (other[held.transportHeader >> 2] !== ports) continue
    const otherAddrs = (held.networkHeader + (v6 ? 8 : 12)) >> 2
    if (words[addrs] !== other[otherAddrs] || words[addrs + 1] !== other[otherAddrs + 1]) continue
    if (v6 && !sameWords(words, addrs + 2, other, otherAddrs + 2, 6)) continue
    if (sameLink(skb, held)) return i
  }
  return -1
}

function sameWords(a: Int32Array, aAt: number, b: Int32Array, bAt: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

function sameLink(skb: SkBuff, held: SkBuff): boolean {
  if (skb.dev !== held.dev || skb.vlanPresent !== held.vlanPresent) return false
  if (skb.vlanPresent && (skb.vlanTci !== held.vlanTci || skb.vlanProto !== held.vlanProto)) return false
  const { mem, macHeader } = skb
  const other = held.mem
  const otherMac = held.macHeader
  for (let i = 0; i < 12; i++) if (mem[macHeader + i] !== other[otherMac + i]) return false
  return true
}

/**
 * True when the IP header continues the held packet's: what segmenting the sum would write into it.
 *
 * @kernel gro_receive_network_flush() include/net/gro.h
 */
export function groNetworkFits(flow: GroFlow, skb: SkBuff, nh: number): boolean {
  const held = flow.skb!
  const { mem } = skb
  const other = held.mem
  const at = held.networkHeader
  if (flow.v6) {
    // Version, traffic class and flow label; then the hop limit.
    return skb.shinfo.i32[nh >> 2] === held.shinfo.i32[at >> 2] && mem[nh + 7] === other[at + 7]
  }
  const same =
    mem[nh + 1] === other[at + 1] &&
    mem[nh + 6] === other[at + 6] &&
    mem[nh + 7] === other[at + 7] &&
    mem[nh + 8] === other[at + 8]
  if (!same) return false
  const step = (((mem[nh + 4]! << 8) | mem[nh + 5]!) - ((other[at + 4]! << 8) | other[at + 5]!)) & 0xffff
  // The second packet decides whether identifications count up or stay.
  if (flow.count === 1 && step === 0 && (mem[nh + 6]! & IP_DF) !== 0) {
    flow.fixedId = true
    return true
  }
  return step === (flow.fixedId ? 0 : flow.count & 0xffff)
}

/**
 * Checks the transport checksum, in software if the card did not. A good one is not looked at again.
 *
 * @param th where the transport header starts
 * @param sumOffset where in it the checksum stands: 16 for TCP, 6 for UDP
 * @kernel skb_gro_checksum_validate() include/net/gro.h
 * @rule CSUM-03
 */
export function groChecksumGood(skb: SkBuff, nh: number, th: number, v6: boolean, proto: number): boolean {
  const { ipSummed } = skb
  if (ipSummed === CHECKSUM_UNNECESSARY || ipSummed === CHECKSUM_PARTIAL) return true
  const len = skb.len - (th - nh)
  let sum = csumPseudo(skb.mem, nh + (v6 ? 8 : 12), v6 ? 16 : 4, proto, len)
  if (ipSummed === CHECKSUM_COMPLETE) {
    // The card summed from the network header on: take that header out again.
    const header = csumPartial(skb.mem, skb.shinfo.i32, nh, th - nh)
    sum += csumFold32(skb.csum >>> 0) + (0xffff ^ header)
  } else if (ipSummed === CHECKSUM_NONE) sum += skbChecksum(skb, th - nh, len)
  if (csumFold32(sum) !== 0xffff) return false
  skb.ipSummed = CHECKSUM_UNNECESSARY
  return true
}

/** True when the checksum of a 20 byte IPv4 header, aligned to four, is good. @kernel ip_fast_csum() lib/checksum.c */
export function groIpHeaderGood(words: Int32Array, nh: number): boolean {
  const at = nh >> 2
  const a = words[at]!
  const b = words[at + 1]!
  const c = words[at + 2]!
  const d = words[at + 3]!
  const e = words[at + 4]!
  // In a right header the halves add up to all ones, whichever way round the bytes are.
  const low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff) + (e & 0xffff)
  const high = (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16) + (e >>> 16)
  return csumFold32(low + high) === 0xffff
}

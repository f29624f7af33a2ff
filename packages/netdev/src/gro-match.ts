import { wordMask } from './byte-order.ts'
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

/** Of the words of an IPv4 header: type of service; flags and offset; time to live. */
const SAME_TOS = wordMask(0, 0xff, 0, 0)
const SAME_FRAG = wordMask(0, 0, 0xff, 0xff)
const SAME_TTL = wordMask(0xff, 0, 0, 0)

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

function sameBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

function sameLink(skb: SkBuff, held: SkBuff): boolean {
  if (skb.dev !== held.dev || skb.vlanPresent !== held.vlanPresent) return false
  if (skb.vlanPresent && (skb.vlanTci !== held.vlanTci || skb.vlanProto !== held.vlanProto)) return false
  const { mem, macHeader: mac } = skb
  const other = held.mem
  const at = held.macHeader
  if ((mac & 3) !== 2 || (at & 3) !== 2) return sameBytes(mem, mac, other, at, 12)
  const words = skb.shinfo.i32
  const otherWords = held.shinfo.i32
  return (
    words[(mac + 2) >> 2] === otherWords[(at + 2) >> 2] &&
    words[(mac + 6) >> 2] === otherWords[(at + 6) >> 2] &&
    mem[mac] === other[at] &&
    mem[mac + 1] === other[at + 1] &&
    mem[mac + 10] === other[at + 10] &&
    mem[mac + 11] === other[at + 11]
  )
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
  const words = skb.shinfo.i32
  const otherWords = held.shinfo.i32
  const w = nh >> 2
  const o = at >> 2
  if (((words[w]! ^ otherWords[o]!) & SAME_TOS) !== 0) return false
  if (((words[w + 1]! ^ otherWords[o + 1]!) & SAME_FRAG) !== 0) return false
  if (((words[w + 2]! ^ otherWords[o + 2]!) & SAME_TTL) !== 0) return false
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
 * @param th - where the transport header starts
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

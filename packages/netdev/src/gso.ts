import { csumFold32, csumPseudo, ipSendCheck, skbChecksum, writeSum } from './checksum.ts'
import { ETH_P_IP, ETH_P_IPV6 } from './eth-addr.ts'
import { PktFeature } from './features.ts'
import { FlowKeys, IPPROTO_TCP, IPPROTO_UDP, skbFlowDissect } from './flow.ts'
import {
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  MAX_SKB_FRAGS,
  NET_SKB_PAD,
  SKB_GSO_TCP_FIXEDID,
  type SkBuff,
} from './skbuff.ts'
import { skbAllocFrom } from './skb-alloc.ts'
import { skbCopyBits } from './skb-bits.ts'
import { copyMeta } from './skb-clone.ts'
import { pskbMayPull } from './skb-expand.ts'
import { freeFragList } from './skb-free.ts'
import { skbSharePayload } from './gso-frags.ts'

const TCP_FIN_PSH = 0x01 | 0x08
const TCP_CWR = 0x80

/** Where the headers of the packet being cut lie, as distances from its `data`. */
interface Headers {
  readonly v6: boolean
  readonly proto: number
  readonly network: number
  readonly transport: number
  /** All headers together. */
  readonly length: number
}

/**
 * Cuts a packet into segments of `gsoSize` bytes of payload, each with headers of its own.
 *
 * TCP and UDP over IPv4 and IPv6. With scatter-gather among the features the payload is shared, not copied; without a
 * checksum feature the sums are made here. The packet itself is left to the caller, who consumes it afterwards.
 *
 * @param features - what the device can do, see `PktFeature`
 * @returns the segments, linked by `next`; null when the packet cannot be cut, or there is no memory
 * @kernel skb_gso_segment() include/net/gso.h
 * @rule CSUM-02 CSUM-04
 */
export function skbGsoSegment(skb: SkBuff, features: number): SkBuff | null {
  const mss = skb.gsoSize
  const headers = mss > 0 ? findHeaders(skb) : null
  if (headers === null) return null
  const payload = skb.len - headers.length
  if (payload <= 0) return null
  let first: SkBuff | null = null
  let last: SkBuff | null = null
  for (let done = 0, index = 0; done < payload; done += mss, index++) {
    const size = Math.min(mss, payload - done)
    const segment = makeSegment(skb, headers, done, size, features)
    if (segment === null) {
      if (first !== null) freeFragList(first)
      return null
    }
    fixHeaders(segment, skb, headers, index, done, done + size === payload)
    finishChecksum(segment, skb, headers, features)
    if (last === null) first = segment
    else last.next = segment
    last = segment
  }
  return first
}

function findHeaders(skb: SkBuff): Headers | null {
  // Link, tags, IPv6 and TCP with options lie within this.
  if (!pskbMayPull(skb, Math.min(skb.len, 160))) return null
  const keys = new FlowKeys()
  if (!skbFlowDissect(skb, keys) || keys.isFrag || keys.transport < 0) return null
  const v6 = keys.protocol === ETH_P_IPV6
  if (!v6 && keys.protocol !== ETH_P_IP) return null
  let length = 8
  if (keys.ipProto === IPPROTO_TCP) {
    if (skb.tail - keys.transport < 20) return null
    length = (skb.mem[keys.transport + 12]! >> 4) * 4
    if (length < 20) return null
  } else if (keys.ipProto !== IPPROTO_UDP) return null
  if (skb.tail - keys.transport < length) return null
  return {
    v6,
    proto: keys.ipProto,
    network: keys.network - skb.data,
    transport: keys.transport - skb.data,
    length: keys.transport - skb.data + length,
  }
}

function makeSegment(
  skb: SkBuff,
  headers: Headers,
  done: number,
  size: number,
  features: number,
): SkBuff | null {
  const { length } = headers
  const share = (features & PktFeature.SG) !== 0
  // As much headroom as the packet had: whoever sends it on may push a header.
  const headroom = Math.max(skb.data - skb.head, NET_SKB_PAD)
  const segment = skbAllocFrom(skb.cache, headroom + length + (share ? 0 : size))
  if (segment === null) return null
  segment.data = segment.head + headroom
  segment.tail = segment.data + length
  segment.len = length
  skbCopyBits(skb, 0, segment.mem, segment.data, length)
  copyMeta(skb, segment, segment.data - skb.data)
  segment.networkHeader = segment.data + headers.network
  segment.transportHeader = segment.data + headers.transport
  segment.gsoSize = 0
  segment.gsoSegs = 0
  segment.gsoType = 0
  segment.birthOwner = skb.birthOwner
  if (share && skbSharePayload(skb, segment, length + done, size, MAX_SKB_FRAGS)) return segment
  if (segment.end - segment.tail < size) return replaceByCopy(skb, segment, headers, done, size)
  skbCopyBits(skb, length + done, segment.mem, segment.tail, size)
  segment.tail += size
  segment.len += size
  return segment
}

/** The payload lies in too many pieces to share: copy it after all. */
function replaceByCopy(
  skb: SkBuff,
  segment: SkBuff,
  headers: Headers,
  done: number,
  size: number,
): SkBuff | null {
  freeFragList(segment)
  return makeSegment(skb, headers, done, size, 0)
}

function fixHeaders(
  segment: SkBuff,
  skb: SkBuff,
  headers: Headers,
  index: number,
  done: number,
  isLast: boolean,
): void {
  const { mem, networkHeader: nh, transportHeader: th } = segment
  const ipLen = segment.len - headers.network
  if (headers.v6) {
    writeSum(mem, nh + 4, ipLen - 40)
  } else {
    writeSum(mem, nh + 2, ipLen)
    if ((skb.gsoType & SKB_GSO_TCP_FIXEDID) === 0) {
      writeSum(mem, nh + 4, (((mem[nh + 4]! << 8) | mem[nh + 5]!) + index) & 0xffff)
    }
    ipSendCheck(mem, nh)
  }
  if (headers.proto === IPPROTO_UDP) {
    writeSum(mem, th + 4, segment.len - headers.transport)
    return
  }
  const seq = (((mem[th + 4]! << 24) | (mem[th + 5]! << 16) | (mem[th + 6]! << 8) | mem[th + 7]!) + done) | 0
  writeSum(mem, th + 4, seq >>> 16)
  writeSum(mem, th + 6, seq & 0xffff)
  let flags = mem[th + 13]!
  if (!isLast) flags &= ~TCP_FIN_PSH
  if (index > 0) flags &= ~TCP_CWR
  mem[th + 13] = flags
}

function finishChecksum(segment: SkBuff, skb: SkBuff, headers: Headers, features: number): void {
  const { mem, networkHeader: nh, transportHeader: th } = segment
  const { v6, proto, transport } = headers
  const offset = proto === IPPROTO_TCP ? 16 : 6
  const at = th + offset
  // UDP over IPv4 may go without a checksum, and then stays so.
  if (proto === IPPROTO_UDP && skb.ipSummed !== CHECKSUM_PARTIAL && (mem[at]! | mem[at + 1]!) === 0) return
  const len = segment.len - transport
  const pseudo = csumPseudo(mem, nh + (v6 ? 8 : 12), v6 ? 16 : 4, proto, len)
  if (sumsInHardware(features, v6)) {
    writeSum(mem, at, pseudo)
    segment.ipSummed = CHECKSUM_PARTIAL
    segment.csumStart = th
    segment.csumOffset = offset
    return
  }
  writeSum(mem, at, 0)
  const sum = ~csumFold32(pseudo + skbChecksum(segment, transport, len)) & 0xffff
  writeSum(mem, at, sum === 0 && proto === IPPROTO_UDP ? 0xffff : sum)
  segment.ipSummed = CHECKSUM_NONE
}

function sumsInHardware(features: number, v6: boolean): boolean {
  return (features & (PktFeature.HW_CSUM | (v6 ? PktFeature.IPV6_CSUM : PktFeature.IP_CSUM))) !== 0
}

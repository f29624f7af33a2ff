import { ETH_HLEN, ETH_P_8021AD, ETH_P_8021Q, ETH_P_IP, ETH_P_IPV6 } from './eth-addr.ts'
import type { SkBuff } from './skbuff.ts'

/** TCP. @kernel IPPROTO_TCP include/uapi/linux/in.h */
export const IPPROTO_TCP = 6
/** UDP. @kernel IPPROTO_UDP include/uapi/linux/in.h */
export const IPPROTO_UDP = 17

const IPPROTO_HOPOPTS = 0
const IPPROTO_ROUTING = 43
const IPPROTO_FRAGMENT = 44
const IPPROTO_DSTOPTS = 60
const IPPROTO_SCTP = 132
const IPPROTO_UDPLITE = 136
/** Extension headers and tags looked through before giving up. */
const MAX_HEADERS = 8

/**
 * What tells one flow from another. One object can be filled again and again.
 *
 * @kernel struct flow_keys include/net/flow_dissector.h
 */
export class FlowKeys {
  /** EtherType of the network header, host order; 0 when there is none. */
  protocol = 0
  /** Transport protocol, 0 when unknown. */
  ipProto = 0
  /** Bytes of one address in memory: 4, 16, or 0. Both follow each other at `addrs`. */
  addrLen = 0
  addrs = 0
  /** Host order; 0 for fragments and protocols without ports. */
  sport = 0
  dport = 0
  /** Part of a fragmented datagram; and the first of its parts. */
  isFrag = false
  firstFrag = false
  /** VLAN id of the outermost tag, -1 without one. */
  vlanId = -1
  /** Where the headers start, absolute in `skb.mem`; -1 when unknown. */
  network = -1
  transport = -1
}

/**
 * Reads addresses and ports of a packet, through VLAN tags and IPv6 extension headers. Never throws, looks at the linear part only.
 *
 * @returns false when the headers are cut off or not understood; what was read until then is in `keys`
 * @kernel skb_flow_dissect_flow_keys() include/linux/skbuff.h
 */
export function skbFlowDissect(skb: SkBuff, keys: FlowKeys): boolean {
  const { mem, tail } = skb
  keys.protocol = 0
  keys.ipProto = 0
  keys.addrLen = 0
  keys.addrs = 0
  keys.sport = 0
  keys.dport = 0
  keys.isFrag = false
  keys.firstFrag = false
  keys.vlanId = skb.vlanPresent ? skb.vlanTci & 0xfff : -1
  keys.network = -1
  keys.transport = -1
  let at = skb.networkHeader
  let protocol = skb.protocol
  if (at < skb.data || protocol === 0) {
    // Nobody said where the network header is: a whole frame, unless the protocol is known and no link header is.
    at = skb.data
    if (skb.protocol === 0 || skb.macHeader === skb.data) {
      if (tail - at < ETH_HLEN) return false
      protocol = (mem[at + 12]! << 8) | mem[at + 13]!
      at += ETH_HLEN
    }
  }
  for (let tags = 0; protocol === ETH_P_8021Q || protocol === ETH_P_8021AD; tags++) {
    if (tags === MAX_HEADERS || tail - at < 4) return false
    if (keys.vlanId < 0) keys.vlanId = ((mem[at]! << 8) | mem[at + 1]!) & 0xfff
    protocol = (mem[at + 2]! << 8) | mem[at + 3]!
    at += 4
  }
  keys.protocol = protocol
  keys.network = at
  if (protocol === ETH_P_IP) return dissectIpv4(mem, at, tail, keys)
  if (protocol === ETH_P_IPV6) return dissectIpv6(mem, at, tail, keys)
  return false
}

/**
 * The flow hash of a packet: the same for all packets of a flow, in both directions, in every run. Computed once, then kept.
 *
 * @returns 32 bits, never 0
 * @kernel skb_get_hash() include/linux/skbuff.h
 * @rule MQ-03
 */
export function skbGetHash(skb: SkBuff): number {
  if (skb.hash !== 0) return skb.hash >>> 0
  const keys = skb.cache.flowKeys
  skbFlowDissect(skb, keys)
  const hash = flowHash(skb.mem, keys)
  skb.hash = hash | 0
  return hash
}

/** Hash of flow keys whose addresses lie in `mem`. @kernel flow_hash_from_keys() net/core/flow_dissector.c */
export function flowHash(mem: Uint8Array, keys: FlowKeys): number {
  const { addrs, addrLen } = keys
  let src = addrs
  let dst = addrs + addrLen
  let { sport, dport } = keys
  if (flowIsReversed(mem, keys)) {
    dst = addrs
    src = addrs + addrLen
    sport = keys.dport
    dport = keys.sport
  }
  let h = mix(0x9747b28c, (keys.protocol << 8) | keys.ipProto)
  for (let i = 0; i < addrLen; i += 4) h = mix(h, be32(mem, src + i))
  for (let i = 0; i < addrLen; i += 4) h = mix(h, be32(mem, dst + i))
  h = mix(h, (sport << 16) | dport)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return h === 0 ? 1 : h >>> 0
}

/** Both directions of a flow hash alike: the smaller end comes first. @kernel __flow_hash_consistentify() net/core/flow_dissector.c */
function flowIsReversed(mem: Uint8Array, keys: FlowKeys): boolean {
  const { addrs, addrLen } = keys
  for (let i = 0; i < addrLen; i++) {
    const diff = mem[addrs + i]! - mem[addrs + addrLen + i]!
    if (diff !== 0) return diff > 0
  }
  return keys.sport > keys.dport
}

function dissectIpv4(mem: Uint8Array, at: number, tail: number, keys: FlowKeys): boolean {
  if (tail - at < 20) return false
  const ihl = (mem[at]! & 15) * 4
  if (mem[at]! >> 4 !== 4 || ihl < 20 || tail - at < ihl) return false
  keys.ipProto = mem[at + 9]!
  keys.addrs = at + 12
  keys.addrLen = 4
  const frag = (mem[at + 6]! << 8) | mem[at + 7]!
  if ((frag & 0x3fff) !== 0) {
    // Later fragments carry no ports, so the first one's are not used either: they belong together.
    keys.isFrag = true
    keys.firstFrag = (frag & 0x1fff) === 0
    return true
  }
  return dissectPorts(mem, at + ihl, tail, keys)
}

function dissectIpv6(mem: Uint8Array, start: number, tail: number, keys: FlowKeys): boolean {
  if (tail - start < 40 || mem[start]! >> 4 !== 6) return false
  keys.addrs = start + 8
  keys.addrLen = 16
  let next = mem[start + 6]!
  let at = start + 40
  for (let headers = 0; headers < MAX_HEADERS; headers++) {
    keys.ipProto = next
    if (next === IPPROTO_FRAGMENT) {
      if (tail - at < 8) return false
      keys.ipProto = mem[at]!
      keys.isFrag = true
      keys.firstFrag = mem[at + 2] === 0 && (mem[at + 3]! & 0xf8) === 0
      return true
    }
    if (next !== IPPROTO_HOPOPTS && next !== IPPROTO_ROUTING && next !== IPPROTO_DSTOPTS) {
      return dissectPorts(mem, at, tail, keys)
    }
    if (tail - at < 8) return false
    next = mem[at]!
    at += (mem[at + 1]! + 1) * 8
    if (at > tail) return false
  }
  return false
}

function dissectPorts(mem: Uint8Array, at: number, tail: number, keys: FlowKeys): boolean {
  keys.transport = at
  const { ipProto } = keys
  if (
    ipProto !== IPPROTO_TCP &&
    ipProto !== IPPROTO_UDP &&
    ipProto !== IPPROTO_SCTP &&
    ipProto !== IPPROTO_UDPLITE
  ) {
    return true
  }
  if (tail - at < 4) return false
  keys.sport = (mem[at]! << 8) | mem[at + 1]!
  keys.dport = (mem[at + 2]! << 8) | mem[at + 3]!
  return true
}

function be32(mem: Uint8Array, at: number): number {
  return (mem[at]! << 24) | (mem[at + 1]! << 16) | (mem[at + 2]! << 8) | mem[at + 3]!
}

/** One step of MurmurHash3 (public domain, Austin Appleby). */
function mix(hash: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  const h = hash ^ Math.imul(k, 0x1b873593)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

import { parseArp } from './arp.ts'
import { clampEnd, getUnalignedBe16 } from './bytes.ts'
import { classify, FRAME_L3_NAMES, FRAME_L4_NAMES, frameL3, frameL4 } from './classify.ts'
import { parseEth } from './eth.ts'
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ethProtoIs8023, ethTypeVlan } from './ethertype.ts'
import { IpProto } from './ip-protocol.ts'
import { parseIpv4 } from './ipv4.ts'
import { parseIpv6 } from './ipv6.ts'
import { parseIpv6Extensions } from './ipv6-extension.ts'
import { parseTcp } from './tcp.ts'
import { parseUdp } from './udp.ts'
import { parseVlan, type VlanTag } from './vlan.ts'

/** What a frame is, in one flat record; what it does not have is null. */
export interface FrameInfo {
  /** Bytes of the frame that are there. */
  readonly length: number
  /** By the innermost type, whatever state the packet is in. */
  readonly classification: 'arp' | 'ipv4' | 'ipv6' | 'other'
  readonly srcMac: string | null
  readonly dstMac: string | null
  /** Outer tag first. */
  readonly vlans: readonly VlanTag[]
  /** The innermost type; null in an 802.3 frame. */
  readonly etherType: number | null
  /** `'arp'`, `'ipv4'` or `'ipv6'` when its header could be read, `'llc'` for an 802.3 frame. */
  readonly l3: 'arp' | 'ipv4' | 'ipv6' | 'llc' | null
  readonly l3Offset: number | null
  /** IP addresses, or ARP's. */
  readonly src: string | null
  readonly dst: string | null
  /** The protocol's number, behind any extension headers. */
  readonly protocol: number | null
  readonly l4: 'icmp' | 'tcp' | 'udp' | 'icmpv6' | 'other' | 'fragment' | null
  readonly l4Offset: number | null
  readonly srcPort: number | null
  readonly dstPort: number | null
  /** `TcpFlag` bits. */
  readonly tcpFlags: number | null
  /** One of several pieces of a packet, the first included. */
  readonly fragment: boolean
  /** Behind the last header that could be read. */
  readonly payloadOffset: number
  readonly payloadLength: number
  /** A header stops too early, or says more than there is. */
  readonly truncated: boolean
}

type Draft = { -readonly [K in keyof FrameInfo]: FrameInfo[K] }

/**
 * Says what a frame is; any bytes at all give an answer.
 *
 * For people and tests: it makes text of every address. On the packet path use `classify`.
 *
 * @kernel none
 */
export function dissect(bytes: Uint8Array, off = 0, len = bytes.length - off): FrameInfo {
  const end = clampEnd(bytes, off, len)
  const frameClass = classify(bytes, off, end - off)
  const info: Draft = {
    length: end - off,
    classification: FRAME_L3_NAMES[frameL3(frameClass) as 0 | 1 | 2 | 3],
    srcMac: null,
    dstMac: null,
    vlans: [],
    etherType: null,
    l3: null,
    l3Offset: null,
    src: null,
    dst: null,
    protocol: null,
    l4: null,
    l4Offset: null,
    srcPort: null,
    dstPort: null,
    tcpFlags: null,
    fragment: false,
    payloadOffset: off,
    payloadLength: end - off,
    truncated: true,
  }
  const eth = parseEth(bytes, off, end - off)
  if (eth === null) return info
  info.srcMac = eth.src
  info.dstMac = eth.dst
  info.truncated = eth.truncated
  let proto = eth.proto
  let at = eth.payloadOffset
  const vlans: VlanTag[] = []
  while (ethTypeVlan(proto)) {
    const tag = parseVlan(bytes, at, end - at)
    if (tag === null) {
      info.truncated = true
      break
    }
    vlans.push(tag)
    proto = tag.proto
    at = tag.payloadOffset
  }
  info.vlans = vlans
  info.etherType = ethProtoIs8023(proto) ? proto : null
  info.payloadOffset = at
  info.payloadLength = ethProtoIs8023(proto) ? end - at : Math.min(proto, end - at)
  if (info.etherType === null) {
    info.l3 = 'llc'
    info.l3Offset = at
  } else if (proto === ETH_P_ARP) dissectArp(info, bytes, at, end)
  else if (proto === ETH_P_IP) dissectIpv4(info, bytes, at, end)
  else if (proto === ETH_P_IPV6) dissectIpv6(info, bytes, at, end)
  const l4 = FRAME_L4_NAMES[frameL4(frameClass)]!
  if (info.protocol !== null && l4 !== 'none') info.l4 = l4
  return info
}

function dissectArp(info: Draft, bytes: Uint8Array, at: number, end: number): void {
  const arp = parseArp(bytes, at, end - at)
  if (arp === null) {
    info.truncated = true
    return
  }
  info.l3 = 'arp'
  info.l3Offset = at
  info.src = arp.senderIp
  info.dst = arp.targetIp
  info.payloadOffset = at + 28
  info.payloadLength = 0
}

function dissectIpv4(info: Draft, bytes: Uint8Array, at: number, end: number): void {
  const ip = parseIpv4(bytes, at, end - at)
  if (ip === null) {
    info.truncated = true
    return
  }
  info.l3 = 'ipv4'
  info.l3Offset = at
  info.src = ip.src
  info.dst = ip.dst
  info.protocol = ip.protocol
  info.fragment = ip.moreFragments || ip.fragmentOffset !== 0
  info.truncated ||= ip.truncated
  info.payloadOffset = ip.payloadOffset
  info.payloadLength = ip.payloadLength
  if (ip.fragmentOffset === 0) dissectTransport(info, bytes)
}

function dissectIpv6(info: Draft, bytes: Uint8Array, at: number, end: number): void {
  const ip = parseIpv6(bytes, at, end - at)
  if (ip === null) {
    info.truncated = true
    return
  }
  const extensions = parseIpv6Extensions(bytes, ip.payloadOffset, ip.payloadLength, ip.nextHeader)
  info.l3 = 'ipv6'
  info.l3Offset = at
  info.src = ip.src
  info.dst = ip.dst
  info.protocol = extensions.protocol
  info.fragment = extensions.fragment !== null
  info.truncated ||= ip.truncated || extensions.truncated
  info.payloadOffset = extensions.payloadOffset
  info.payloadLength = extensions.payloadLength
  const whole = !extensions.truncated && (extensions.fragment === null || extensions.fragment.offset === 0)
  if (whole) dissectTransport(info, bytes)
}

/** Reads the header at `payloadOffset`, when it is one with ports. */
function dissectTransport(info: Draft, bytes: Uint8Array): void {
  const at = info.payloadOffset
  info.l4Offset = at
  if (info.protocol === IpProto.UDP) {
    const udp = parseUdp(bytes, at, info.payloadLength)
    if (udp === null) {
      info.truncated = true
      return
    }
    info.srcPort = udp.srcPort
    info.dstPort = udp.dstPort
    info.truncated ||= udp.truncated && !info.fragment
    info.payloadOffset = udp.payloadOffset
    info.payloadLength = udp.payloadLength
  } else if (info.protocol === IpProto.TCP) {
    const tcp = parseTcp(bytes, at, info.payloadLength)
    if (tcp === null) {
      info.truncated = true
      return
    }
    info.srcPort = tcp.srcPort
    info.dstPort = tcp.dstPort
    info.tcpFlags = tcp.flags
    info.payloadOffset = tcp.payloadOffset
    info.payloadLength = tcp.payloadLength
  }
}

/**
 * Gives the type behind any VLAN tags; null when the frame is too short. A value below 0x600 is an 802.3 length.
 *
 * @kernel vlan_get_protocol() include/linux/if_vlan.h
 */
export function vlanGetProtocol(bytes: Uint8Array, off = 0, len = bytes.length - off): number | null {
  const end = clampEnd(bytes, off, len)
  let at = off + 12
  while (at + 2 <= end) {
    const proto = getUnalignedBe16(bytes, at)
    if (!ethTypeVlan(proto)) return proto
    at += 4
  }
  return null
}

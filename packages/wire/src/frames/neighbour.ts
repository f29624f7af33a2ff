import { ICMP_HLEN } from '../icmp.ts'
import { buildIcmpv6, Icmpv6Type } from '../icmpv6.ts'
import { IpProto } from '../ip-protocol.ts'
import {
  addrconfAddrSolictMult,
  type Ipv6Address,
  ipv6AddrAny,
  ipv6Bytes,
  ipv6EthMcMap,
  putIpv6,
} from '../ipv6-address.ts'
import { ETH_ALEN, type MacAddress, putMac } from '../mac.ts'
import { ND_OPT_SOURCE_LL_ADDR, ND_OPT_TARGET_LL_ADDR } from '../ndisc.ts'
import { beginIpFrame } from './ip.ts'

/** Neighbour discovery must come from the same link: a router would have lowered it. */
const HOP_LIMIT = 255

/** The target address, and an option with an Ethernet address. */
const ND_PAYLOAD = 16 + 2 + ETH_ALEN

/** A question: who has this IPv6 address? */
export interface NeighbourSolicitationFields {
  readonly srcMac: MacAddress
  /** `::` while the sender tries the address for itself. */
  readonly src: Ipv6Address
  readonly target: Ipv6Address
}

/**
 * Builds a neighbour solicitation to the target's solicited-node group.
 *
 * From `::` it carries no Ethernet address, as duplicate address detection wants.
 *
 * @throws RangeError when an address is wrong.
 * @kernel ndisc_send_ns() net/ipv6/ndisc.c
 */
export function neighbourSolicitation(fields: NeighbourSolicitationFields): Uint8Array {
  const group = addrconfAddrSolictMult(ipv6Bytes(fields.target))
  const payloadLength = ipv6AddrAny(ipv6Bytes(fields.src)) ? 16 : ND_PAYLOAD
  const { frame, offset, pseudo } = beginIpFrame(
    {
      srcMac: fields.srcMac,
      dstMac: ipv6EthMcMap(group),
      src: ipv6Bytes(fields.src),
      dst: group,
      ttl: HOP_LIMIT,
    },
    IpProto.ICMPV6,
    ICMP_HLEN + payloadLength,
  )
  putIpv6(fields.target, frame, offset + ICMP_HLEN)
  if (payloadLength > 16) putLinkAddress(frame, offset, ND_OPT_SOURCE_LL_ADDR, fields.srcMac)
  buildIcmpv6(frame, offset, { type: Icmpv6Type.NEIGHBOUR_SOLICITATION, payloadLength }, pseudo)
  return frame
}

/** An answer: I have it. */
export interface NeighbourAdvertisementFields {
  readonly srcMac: MacAddress
  readonly dstMac: MacAddress
  readonly src: Ipv6Address
  readonly dst: Ipv6Address
  readonly target: Ipv6Address
  /** The sender is a router. */
  readonly router?: boolean
  /** It answers a question; true unless given. */
  readonly solicited?: boolean
  /** It replaces what is known; true unless given. */
  readonly override?: boolean
}

/**
 * Builds a neighbour advertisement with the sender's Ethernet address.
 *
 * @throws RangeError when an address is wrong.
 * @kernel ndisc_send_na() net/ipv6/ndisc.c
 */
export function neighbourAdvertisement(fields: NeighbourAdvertisementFields): Uint8Array {
  const addresses = {
    srcMac: fields.srcMac,
    dstMac: fields.dstMac,
    src: ipv6Bytes(fields.src),
    dst: ipv6Bytes(fields.dst),
    ttl: HOP_LIMIT,
  }
  const { frame, offset, pseudo } = beginIpFrame(addresses, IpProto.ICMPV6, ICMP_HLEN + ND_PAYLOAD)
  putIpv6(fields.target, frame, offset + ICMP_HLEN)
  putLinkAddress(frame, offset, ND_OPT_TARGET_LL_ADDR, fields.srcMac)
  const flags =
    (fields.router === true ? 4 : 0) |
    (fields.solicited === false ? 0 : 2) |
    (fields.override === false ? 0 : 1)
  const type = Icmpv6Type.NEIGHBOUR_ADVERTISEMENT
  buildIcmpv6(frame, offset, { type, rest: (flags << 29) >>> 0, payloadLength: ND_PAYLOAD }, pseudo)
  return frame
}

function putLinkAddress(frame: Uint8Array, offset: number, option: number, mac: MacAddress): void {
  const at = offset + ICMP_HLEN + 16
  frame[at] = option
  frame[at + 1] = 1
  putMac(mac, frame, at + 2)
}

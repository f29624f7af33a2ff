import { csumIpv6Nofold, csumTcpudpNofold } from '../checksum.ts'
import { buildEth, ETH_HLEN } from '../eth.ts'
import { ETH_P_IP, ETH_P_IPV6 } from '../ethertype.ts'
import { buildIpv4, IPV4_HLEN } from '../ipv4.ts'
import { type Ipv4Address, ipv4Number } from '../ipv4-address.ts'
import { buildIpv6, IPV6_HLEN } from '../ipv6.ts'
import type { Ipv6Address } from '../ipv6-address.ts'
import type { MacAddress } from '../mac.ts'

/** An address of either version; text with a colon or 16 bytes are IPv6. */
export type IpAddress = Ipv4Address | Ipv6Address

/** The addresses every IP frame has. */
export interface IpFrameFields {
  readonly srcMac: MacAddress
  readonly dstMac: MacAddress
  /** The version is taken from this address; `dst` must have the same. */
  readonly src: IpAddress
  readonly dst: IpAddress
  /** Time to live or hop limit; 64 unless given. */
  readonly ttl?: number
  /** Type of service or traffic class; 0 unless given. */
  readonly tos?: number
  /** IPv4 only: the packet's number; 0 unless given. */
  readonly ipId?: number
  /** IPv4 only: routers may not split it. */
  readonly dontFragment?: boolean
}

/**
 * True when an address is of IPv6.
 *
 * @kernel none
 */
export function isIpv6Address(address: IpAddress): address is Ipv6Address {
  return typeof address === 'string'
    ? address.includes(':')
    : typeof address === 'object' && address.length === 16
}

/** A frame with its Ethernet and IP headers in place, and room for the rest. */
export interface IpFrame {
  readonly frame: Uint8Array
  /** Where the transport header goes. */
  readonly offset: number
  /** The pseudo header's sum. */
  readonly pseudo: number
}

/** Builds the headers in front of `length` bytes of transport header and payload. */
export function beginIpFrame(fields: IpFrameFields, protocol: number, length: number): IpFrame {
  const v6 = isIpv6Address(fields.src)
  if (v6 !== isIpv6Address(fields.dst)) {
    throw new RangeError(
      `the source ${String(fields.src)} and the destination ${String(fields.dst)} must be of one IP version`,
    )
  }
  const offset = ETH_HLEN + (v6 ? IPV6_HLEN : IPV4_HLEN)
  const frame = new Uint8Array(offset + length)
  buildEth(frame, 0, { dst: fields.dstMac, src: fields.srcMac, proto: v6 ? ETH_P_IPV6 : ETH_P_IP })
  if (v6) {
    buildIpv6(frame, ETH_HLEN, {
      src: fields.src as Ipv6Address,
      dst: fields.dst as Ipv6Address,
      nextHeader: protocol,
      payloadLength: length,
      hopLimit: fields.ttl ?? 64,
      trafficClass: fields.tos ?? 0,
    })
    return { frame, offset, pseudo: csumIpv6Nofold(frame, ETH_HLEN + 8, length, protocol) }
  }
  const src = ipv4Number(fields.src as Ipv4Address)
  const dst = ipv4Number(fields.dst as Ipv4Address)
  buildIpv4(frame, ETH_HLEN, {
    src,
    dst,
    protocol,
    payloadLength: length,
    ttl: fields.ttl ?? 64,
    tos: fields.tos ?? 0,
    id: fields.ipId ?? 0,
    dontFragment: fields.dontFragment ?? false,
  })
  return { frame, offset, pseudo: csumTcpudpNofold(src, dst, length, protocol) }
}

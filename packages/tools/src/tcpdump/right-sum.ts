import { csumIpv6Nofold, csumTcpudpNofold, getUnalignedBe32, inetChecksum, IpProto } from '@vnet/wire'
import type { FrameInfo } from '@vnet/wire'

/** Where the checksum stands in each header. */
const FIELD: Readonly<Record<number, number>> = {
  [IpProto.ICMP]: 2,
  [IpProto.TCP]: 16,
  [IpProto.UDP]: 6,
  [IpProto.ICMPV6]: 2,
}

/** The checksum a packet has, and the one it should have. */
export interface Sums {
  readonly given: number
  readonly right: number
}

/** Computes the checksum of what an IP packet carries. The packet is whole and has one. */
export function sumsOf(bytes: Uint8Array, info: FrameInfo): Sums {
  const at = info.l4Offset!
  const l3 = info.l3Offset!
  const protocol = info.protocol!
  const copy = bytes.slice(at, info.payloadOffset + info.payloadLength)
  const field = FIELD[protocol] ?? 0
  const given = ((copy[field] ?? 0) << 8) | (copy[field + 1] ?? 0)
  copy.fill(0, field, field + 2)
  let pseudo = 0
  if (info.l3 === 'ipv6') pseudo = csumIpv6Nofold(bytes, l3 + 8, copy.length, protocol)
  else if (protocol !== IpProto.ICMP) {
    const [from, to] = [getUnalignedBe32(bytes, l3 + 12), getUnalignedBe32(bytes, l3 + 16)]
    pseudo = csumTcpudpNofold(from, to, copy.length, protocol)
  }
  return { given, right: inetChecksum(copy, 0, copy.length, pseudo) }
}

import { clampEnd, getUnalignedBe32 } from './bytes.ts'
import { csumIpv6Nofold, csumTcpudpNofold, inetChecksum } from './checksum.ts'
import { dissect } from './dissect.ts'
import { IpProto } from './ip-protocol.ts'
import { parseIpv4 } from './ipv4.ts'

/** `'none'`: the protocol has no checksum, or it was not made; `'unknown'`: the bytes it covers are not all here. */
export type ChecksumState = 'good' | 'bad' | 'none' | 'unknown'

/** What the two checksums of a frame are. */
export interface FrameChecksums {
  /** The IPv4 header's; IPv6 has none. */
  readonly ip: ChecksumState
  /** ICMP's, TCP's or UDP's. */
  readonly l4: ChecksumState
}

/**
 * Checks a frame's checksums.
 *
 * @kernel skb_checksum_validate() include/linux/skbuff.h
 * @rule CSUM-01 CSUM-03 CSUM-04
 */
export function verifyChecksums(bytes: Uint8Array, off = 0, len = bytes.length - off): FrameChecksums {
  const info = dissect(bytes, off, len)
  if (info.l3Offset === null || (info.l3 !== 'ipv4' && info.l3 !== 'ipv6')) return { ip: 'none', l4: 'none' }
  let ip: ChecksumState = 'none'
  if (info.l3 === 'ipv4') {
    const header = parseIpv4(bytes, info.l3Offset, clampEnd(bytes, off, len) - info.l3Offset)
    ip = header !== null && header.checksumOk ? 'good' : 'bad'
  }
  if (info.l4Offset === null || info.fragment || info.truncated) return { ip, l4: 'unknown' }
  const end = info.payloadOffset + info.payloadLength
  return {
    ip,
    l4: transportState(bytes, info.l3Offset, info.l3 === 'ipv6', info.l4Offset, end, info.protocol!),
  }
}

function transportState(
  bytes: Uint8Array,
  l3: number,
  v6: boolean,
  l4: number,
  end: number,
  protocol: number,
): ChecksumState {
  const hasPseudo =
    protocol === IpProto.TCP || protocol === IpProto.UDP || (v6 && protocol === IpProto.ICMPV6)
  if (!hasPseudo && !(protocol === IpProto.ICMP && !v6)) return 'none'
  if (protocol === IpProto.UDP && (bytes[l4 + 6]! | bytes[l4 + 7]!) === 0) return v6 ? 'bad' : 'none'
  const length = end - l4
  let pseudo = 0
  if (hasPseudo) {
    pseudo = v6
      ? csumIpv6Nofold(bytes, l3 + 8, length, protocol)
      : csumTcpudpNofold(getUnalignedBe32(bytes, l3 + 12), getUnalignedBe32(bytes, l3 + 16), length, protocol)
  }
  return inetChecksum(bytes, l4, length, pseudo) === 0 ? 'good' : 'bad'
}

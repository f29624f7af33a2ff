import { clampEnd, getUnalignedBe16, getUnalignedBe32 } from './bytes.ts'
import { IpProto } from './ip-protocol.ts'

/** One extension header. */
export interface Ipv6Extension {
  readonly type: number
  readonly offset: number
  readonly length: number
}

/** A chain of extension headers, read to its end. */
export interface Ipv6Extensions {
  readonly headers: readonly Ipv6Extension[]
  /** The protocol after the last header. */
  readonly protocol: number
  readonly payloadOffset: number
  readonly payloadLength: number
  /** What the fragment header says, when there is one. */
  readonly fragment: { readonly offset: number; readonly more: boolean; readonly id: number } | null
  /** A header stops before its end; `protocol` is then the type of that header. */
  readonly truncated: boolean
}

/**
 * True for the headers that may stand between the IPv6 header and its protocol.
 *
 * @kernel ipv6_ext_hdr() net/ipv6/exthdrs_core.c
 */
export function ipv6ExtHdr(nextHeader: number): boolean {
  return (
    nextHeader === IpProto.HOPOPTS ||
    nextHeader === IpProto.ROUTING ||
    nextHeader === IpProto.FRAGMENT ||
    nextHeader === IpProto.AH ||
    nextHeader === IpProto.DSTOPTS
  )
}

/**
 * Gives the length in bytes of the extension header at `off`; the caller checks that 2 bytes are there.
 *
 * @kernel ipv6_optlen() include/net/ipv6.h
 */
export function ipv6ExtHdrLength(bytes: Uint8Array, off: number, type: number): number {
  if (type === IpProto.FRAGMENT) return 8
  if (type === IpProto.AH) return (bytes[off + 1]! + 2) * 4
  return (bytes[off + 1]! + 1) * 8
}

/**
 * Walks the extension headers from `off` on to the protocol inside.
 *
 * Stops after the header of a fragment that is not the first: no protocol header follows it.
 *
 * @kernel ipv6_skip_exthdr() net/ipv6/exthdrs_core.c
 */
export function parseIpv6Extensions(
  bytes: Uint8Array,
  off: number,
  len: number,
  nextHeader: number,
): Ipv6Extensions {
  const end = clampEnd(bytes, off, len)
  const headers: Ipv6Extension[] = []
  let at = off
  let type = nextHeader
  let fragment: Ipv6Extensions['fragment'] = null
  let truncated = false
  while (ipv6ExtHdr(type)) {
    const length = end - at < 2 ? 2 : ipv6ExtHdrLength(bytes, at, type)
    if (at + length > end) {
      truncated = true
      break
    }
    headers.push({ type, offset: at, length })
    const isFragment = type === IpProto.FRAGMENT
    if (isFragment) {
      const word = getUnalignedBe16(bytes, at + 2)
      fragment = { offset: word & 0xfff8, more: (word & 1) === 1, id: getUnalignedBe32(bytes, at + 4) }
    }
    type = bytes[at]!
    at += length
    if (isFragment && fragment !== null && fragment.offset !== 0) break
  }
  return { headers, protocol: type, payloadOffset: at, payloadLength: end - at, fragment, truncated }
}

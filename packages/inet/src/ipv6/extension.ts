import { IpProto, ipv6ExtHdr, ipv6ExtHdrLength } from '@vnet/wire'

/** What an option nobody knows asks for: bits 7 and 6 of its type. */
const UNKNOWN_SKIP = 0
const UNKNOWN_DISCARD = 1
const UNKNOWN_SEND = 2
/** Option of one byte of padding, and of many. */
const TLV_PAD1 = 0
const TLV_PADN = 1
const TLV_ROUTERALERT = 5
const TLV_JUMBO = 194
const TLV_HAO = 201
/** Longest padding between two options. @kernel ip6_parse_tlv() net/ipv6/exthdrs.c */
const MAX_PADDING = 7
/** More options than this nobody needs. @kernel IP6_DEFAULT_MAX_DST_OPTS_CNT include/net/ipv6.h */
const MAX_OPTIONS = 8

/** The answer of {@link ipv6ParseTlv}. `at`: the option at fault, for the error message. */
export interface TlvVerdict {
  readonly ok: boolean
  /** A parameter problem is to be reported for the byte at `at`. */
  readonly report: boolean
  /** ... also when the packet went to a group. */
  readonly reportMulticast: boolean
  readonly at: number
  /** The value of a router alert, or -1. */
  readonly routerAlert: number
}

const FINE: TlvVerdict = { ok: true, report: false, reportMulticast: false, at: 0, routerAlert: -1 }
const BAD: TlvVerdict = { ok: false, report: false, reportMulticast: false, at: 0, routerAlert: -1 }

/**
 * Walks the options of a hop-by-hop or destination options header that lies at `off` and has `len` bytes.
 *
 * @kernel ip6_parse_tlv() net/ipv6/exthdrs.c
 */
export function ipv6ParseTlv(mem: Uint8Array, off: number, len: number, hopByHop: boolean): TlvVerdict {
  const end = off + len
  let padding = 0
  let count = 0
  let alert = -1
  for (let at = off + 2; at < end;) {
    const type = mem[at]!
    if (type === TLV_PAD1) {
      if (++padding > MAX_PADDING) return BAD
      at++
      continue
    }
    if (at + 2 > end) return BAD
    const optlen = mem[at + 1]! + 2
    if (at + optlen > end) return BAD
    if (type === TLV_PADN) {
      padding += optlen
      if (padding > MAX_PADDING || !isZero(mem, at + 2, at + optlen)) return BAD
    } else {
      padding = 0
      if (++count > MAX_OPTIONS) return BAD
      if (hopByHop && type === TLV_ROUTERALERT) {
        if (optlen !== 4) return BAD
        alert = (mem[at + 2]! << 8) | mem[at + 3]!
      } else if (type === TLV_HAO || (hopByHop && type === TLV_JUMBO)) return BAD
      else if (type >> 6 !== UNKNOWN_SKIP) return unknown(type, at)
    }
    at += optlen
  }
  return alert < 0 ? FINE : { ...FINE, routerAlert: alert }
}

function unknown(type: number, at: number): TlvVerdict {
  const action = type >> 6
  if (action === UNKNOWN_DISCARD) return BAD
  return { ...BAD, report: true, reportMulticast: action === UNKNOWN_SEND, at }
}

function isZero(mem: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (mem[i] !== 0) return false
  return true
}

/** Where the chain of extension headers ends. */
export interface SkippedExthdr {
  readonly protocol: number
  readonly offset: number
  /** The packet is a fragment that is not the first: no protocol header follows. */
  readonly laterFragment: boolean
}

/** Steps over the extension headers at `off`; null when one is cut short. @kernel ipv6_skip_exthdr() net/ipv6/exthdrs_core.c */
export function ipv6SkipExthdr(
  mem: Uint8Array,
  off: number,
  end: number,
  next: number,
): SkippedExthdr | null {
  let type = next
  let at = off
  while (ipv6ExtHdr(type)) {
    if (at + 8 > end) return null
    const length = ipv6ExtHdrLength(mem, at, type)
    const later = type === IpProto.FRAGMENT && (((mem[at + 2]! << 8) | mem[at + 3]!) & 0xfff8) !== 0
    type = mem[at]!
    if (later) return { protocol: type, offset: at + 8, laterFragment: true }
    at += length
  }
  return at > end ? null : { protocol: type, offset: at, laterFragment: false }
}

import { clampEnd, getUnalignedBe32 } from './bytes.ts'
import { Icmpv6Type } from './icmpv6.ts'
import { formatIpv6Address } from './ipv6-address.ts'
import { ETH_ALEN, formatMac } from './mac.ts'

/**
 * Option: the sender's Ethernet address.
 *
 * @kernel ND_OPT_SOURCE_LL_ADDR include/net/ndisc.h
 */
export const ND_OPT_SOURCE_LL_ADDR = 1

/**
 * Option: the target's Ethernet address.
 *
 * @kernel ND_OPT_TARGET_LL_ADDR include/net/ndisc.h
 */
export const ND_OPT_TARGET_LL_ADDR = 2

/** One option: its kind, and where its value is. */
export interface NdOption {
  readonly type: number
  readonly offset: number
  readonly length: number
}

/** A message of neighbour discovery, read. */
export interface NdMessage {
  readonly type: number
  /** The address asked for or told of; null in router messages. */
  readonly target: string | null
  /** Redirects: where the packets were going; else null. */
  readonly destination: string | null
  /** Neighbour advertisements: the sender is a router. */
  readonly router: boolean
  /** Neighbour advertisements: the answer to a question. */
  readonly solicited: boolean
  /** Neighbour advertisements: replaces what is known. */
  readonly override: boolean
  /** The Ethernet address from a source or target option; null when there is none. */
  readonly linkAddress: string | null
  readonly options: readonly NdOption[]
  /** The options stop in the middle, or one has length 0. */
  readonly truncated: boolean
}

/** Bytes before the options, by message type. */
function fixedLength(type: number): number {
  switch (type) {
    case Icmpv6Type.ROUTER_SOLICITATION:
      return 8
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      return 16
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
    case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
      return 24
    case Icmpv6Type.REDIRECT:
      return 40
    default:
      return 0
  }
}

/**
 * Reads a neighbour discovery message from its ICMPv6 header on; null for another type or one cut short.
 *
 * @kernel ndisc_rcv() ndisc_parse_options() net/ipv6/ndisc.c
 */
export function parseNd(bytes: Uint8Array, off = 0, len = bytes.length - off): NdMessage | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < 8) return null
  const type = bytes[off]!
  const fixed = fixedLength(type)
  if (fixed === 0 || end - off < fixed) return null
  const options: NdOption[] = []
  let linkAddress: string | null = null
  let at = off + fixed
  while (at + 8 <= end) {
    const length = bytes[at + 1]! * 8
    if (length === 0 || at + length > end) break
    const kind = bytes[at]!
    options.push({ type: kind, offset: at + 2, length: length - 2 })
    if ((kind === ND_OPT_SOURCE_LL_ADDR || kind === ND_OPT_TARGET_LL_ADDR) && length >= 2 + ETH_ALEN) {
      linkAddress ??= formatMac(bytes, at + 2)
    }
    at += length
  }
  const flags = type === Icmpv6Type.NEIGHBOUR_ADVERTISEMENT ? getUnalignedBe32(bytes, off + 4) >>> 29 : 0
  return {
    type,
    target: fixed >= 24 ? formatIpv6Address(bytes, off + 8) : null,
    destination: fixed === 40 ? formatIpv6Address(bytes, off + 24) : null,
    router: (flags & 4) !== 0,
    solicited: (flags & 2) !== 0,
    override: (flags & 1) !== 0,
    linkAddress,
    options,
    truncated: at < end,
  }
}

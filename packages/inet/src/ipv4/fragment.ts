import {
  allocSkb,
  consumeSkb,
  kfreeSkb,
  type SkBuff,
  SkbDropReason,
  skbLinearize,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { putUnalignedBe16 } from '@vnet/wire'
import { fragOff, IP_DF, IP_MF, IP_OFFSET, ipHdrLen, ipSendCheck } from './header.ts'
import type { Ipv4 } from './ipv4.ts'
import { optionsFragment } from './options.ts'
import type { Rt4 } from './route.ts'

const EMSGSIZE = -90
const ENOMEM = -12

/** Where the pieces go. */
type IpOutput = (ipv4: Ipv4, skb: SkBuff, rt: Rt4) => number

/**
 * Splits a packet that is longer than the way allows, and sends the pieces. The packet is gone.
 *
 * @param ignoreDf - it is split although it says that it must not; else whoever passes packets on has asked before
 * @kernel ip_do_fragment() net/ipv4/ip_output.c
 */
export function ipFragment(ipv4: Ipv4, skb: SkBuff, rt: Rt4, ignoreDf: boolean, output: IpOutput): number {
  if (!ignoreDf && (fragOff(skb.mem, skb.data) & IP_DF) !== 0) return fail(ipv4, skb, EMSGSIZE)
  const hlen = skbLinearize(skb) ? ipHdrLen(skb.mem, skb.data) : 0
  const room = (rt.mtu - hlen) & ~7
  if (hlen === 0 || room < 8) return fail(ipv4, skb, hlen === 0 ? ENOMEM : EMSGSIZE)
  const end = skb.len - hlen
  for (let at = 0; at < end; at += room) {
    const piece = cut(ipv4, skb, hlen, at, Math.min(room, end - at))
    if (piece === null) return fail(ipv4, skb, ENOMEM)
    ipv4.ip.fragCreates++
    const rc = output(ipv4, piece, rt)
    if (rc < 0) return fail(ipv4, skb, rc)
  }
  ipv4.ip.fragOks++
  consumeSkb(skb)
  return 0
}

function fail(ipv4: Ipv4, skb: SkBuff, rc: number): number {
  ipv4.ip.fragFails++
  kfreeSkb(skb, SkbDropReason.PKT_TOO_BIG)
  return rc
}

function cut(ipv4: Ipv4, skb: SkBuff, hlen: number, at: number, len: number): SkBuff | null {
  const piece = allocSkb(ipv4.kernel, 64 + hlen + len)
  if (piece === null) return null
  skbReserve(piece, 64)
  const to = skbPut(piece, hlen + len)
  const from = skb.data
  piece.mem.set(skb.mem.subarray(from, from + hlen), to)
  piece.mem.set(skb.mem.subarray(from + hlen + at, from + hlen + at + len), to + hlen)
  piece.networkHeader = to
  piece.priority = skb.priority
  piece.mark = skb.mark
  const before = fragOff(skb.mem, from)
  const last = at + len === skb.len - hlen && (before & IP_MF) === 0
  const offset = (before & IP_OFFSET) + (at >> 3)
  putUnalignedBe16(offset | (last ? 0 : IP_MF) | (before & IP_DF), piece.mem, to + 6)
  if (at > 0) optionsFragment(piece.mem, to, hlen)
  ipSendCheck(piece)
  return piece
}

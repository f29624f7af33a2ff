import { skbPut } from '@vnet/netdev'
import {
  Icmpv6Type,
  IpProto,
  ND_OPT_SOURCE_LL_ADDR,
  ND_OPT_TARGET_LL_ADDR,
  putUnalignedBe32,
} from '@vnet/wire'
import { IfaFlag } from '../types/constants.ts'
import { ipv6DevGetSaddr, ipv6GetLladdr } from './addr-select.ts'
import { ipv6AddrType } from './address.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { ipv6GetIfaddr } from './addr-lookup.ts'
import { ip6LocalOut } from './output.ts'
import { icmp6Checksum, ip6Alloc, ip6PushHeader } from './header.ts'

/** A router lowers it: nobody from outside the link can send this. */
const HOP_LIMIT = 255
/** Option with six random bytes, by which a solicitation that comes back is known. @kernel ND_OPT_NONCE include/net/ndisc.h */
export const ND_OPT_NONCE = 14
const ND_HEAD = 24
const RS_HEAD = 8

/** Bytes an option with a link address takes. @kernel ndisc_opt_addr_space() include/net/ndisc.h */
function linkOptionLength(idev: Inet6Dev): number {
  return idev.dev.addrLen === 0 ? 0 : (idev.dev.addrLen + 2 + 7) & ~7
}

function putLinkOption(idev: Inet6Dev, body: Uint8Array, at: number, type: number): void {
  body[at] = type
  body[at + 1] = linkOptionLength(idev) >> 3
  body.set(idev.dev.devAddr.subarray(0, idev.dev.addrLen), at + 2)
}

/**
 * Asks who has `target`. From `::` (duplicate address detection) it carries no link address, but a nonce.
 *
 * @param nonce - six bytes as a number; 0: none
 * @kernel ndisc_send_ns() net/ipv6/ndisc.c
 */
export function ndiscSendNs(
  idev: Inet6Dev,
  target: Uint8Array,
  dst: Uint8Array,
  src: Uint8Array | null,
  nonce: number,
): void {
  const from = src ?? ipv6GetLladdr(idev.ipv6, idev.dev, IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC)
  if (from === null) return
  const option = ipv6AddrType(from) === 0 ? 0 : linkOptionLength(idev)
  const body = new Uint8Array(ND_HEAD + option + (nonce === 0 ? 0 : 8))
  body[0] = Icmpv6Type.NEIGHBOUR_SOLICITATION
  body.set(target, 8)
  if (option > 0) putLinkOption(idev, body, ND_HEAD, ND_OPT_SOURCE_LL_ADDR)
  if (nonce !== 0) putNonce(body, ND_HEAD + option, nonce)
  ndiscSend(idev, body, from, dst)
}

function putNonce(body: Uint8Array, at: number, nonce: number): void {
  body[at] = ND_OPT_NONCE
  body[at + 1] = 1
  for (let i = 0; i < 6; i++) body[at + 2 + i] = Math.floor(nonce / 2 ** (8 * (5 - i))) & 0xff
}

/** The flags of an advertisement. */
export interface NaFlags {
  readonly router?: boolean
  readonly solicited?: boolean
  readonly override?: boolean
  /** With the link address. */
  readonly incOpt: boolean
}

/** Tells that `target` is here. @kernel ndisc_send_na() net/ipv6/ndisc.c */
export function ndiscSendNa(idev: Inet6Dev, dst: Uint8Array, target: Uint8Array, flags: NaFlags): void {
  const { ipv6, dev } = idev
  const ifp = ipv6GetIfaddr(ipv6, target, dev, true)
  let src: Uint8Array | null = target
  let override = flags.override === true
  if (ifp === null) src = ipv6DevGetSaddr(ipv6, dev, dst)
  else if ((ifp.flags & IfaFlag.OPTIMISTIC) !== 0) override = false
  if (src === null) return
  const option = flags.incOpt ? linkOptionLength(idev) : 0
  const body = new Uint8Array(ND_HEAD + option)
  body[0] = Icmpv6Type.NEIGHBOUR_ADVERTISEMENT
  const bits = (flags.router === true ? 4 : 0) | (flags.solicited === true ? 2 : 0) | (override ? 1 : 0)
  putUnalignedBe32((bits << 29) >>> 0, body, 4)
  body.set(target, 8)
  if (option > 0) putLinkOption(idev, body, ND_HEAD, ND_OPT_TARGET_LL_ADDR)
  ndiscSend(idev, body, src, dst)
}

/** Asks for routers. @kernel ndisc_send_rs() net/ipv6/ndisc.c */
export function ndiscSendRs(idev: Inet6Dev, src: Uint8Array, dst: Uint8Array): void {
  const option = linkOptionLength(idev)
  const body = new Uint8Array(RS_HEAD + option)
  body[0] = Icmpv6Type.ROUTER_SOLICITATION
  if (option > 0) putLinkOption(idev, body, RS_HEAD, ND_OPT_SOURCE_LL_ADDR)
  ndiscSend(idev, body, src, dst)
}

/** Tells the link about all addresses of a device, unasked. @kernel ndisc_send_unsol_na() net/ipv6/ndisc.c */
export function ndiscSendUnsolNa(idev: Inet6Dev, allNodes: Uint8Array): void {
  for (const ifp of idev.addrList) {
    if ((ifp.flags & IfaFlag.TENTATIVE) !== 0) continue
    const router = idev.cnf.forwarding !== 0
    ndiscSendNa(idev, allNodes, ifp.local, { router, override: true, incOpt: true })
  }
}

function ndiscSend(idev: Inet6Dev, body: Uint8Array, src: Uint8Array, dst: Uint8Array): void {
  const { ipv6, dev } = idev
  const skb = ip6Alloc(ipv6, body.length)
  if (skb === null) return
  const at = skbPut(skb, body.length)
  skb.mem.set(body, at)
  icmp6Checksum(skb, at, src, dst)
  ip6PushHeader(skb, src, dst, IpProto.ICMPV6, HOP_LIMIT)
  ipv6.incIcmpOut(idev, body[0]!)
  ip6LocalOut(ipv6, skb, { dev, nextHop: dst, mtu: dev.mtu })
}

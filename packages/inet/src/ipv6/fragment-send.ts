import {
  ETH_P_IPV6,
  consumeSkb,
  kfreeSkb,
  type SkBuff,
  SkbDropReason,
  skbLinearize,
  skbPut,
} from '@vnet/netdev'
import { IpProto, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ipv6 } from './ipv6.ts'
import type { Ip6Path } from './output.ts'
import { ip6Alloc, IPV6_HLEN } from './header.ts'

/** Bytes of a fragment header. @kernel struct frag_hdr include/net/ipv6.h */
export const FRAG_HLEN = 8
const EMSGSIZE = -90
const ENOBUFS = -105

/** Where the pieces go. */
type Ip6Output = (ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, path: Ip6Path) => number

/** Sends a packet in pieces that fit. The packet is gone. @kernel ip6_fragment() net/ipv6/ip6_output.c */
export function ip6Fragment(
  ipv6: Ipv6,
  idev: Inet6Dev,
  skb: SkBuff,
  path: Ip6Path,
  output: Ip6Output,
): number {
  const piece = (path.mtu - IPV6_HLEN - FRAG_HLEN) & ~7
  if (piece < 8 || !skbLinearize(skb)) {
    ipv6.inc(idev, 'FragFails')
    kfreeSkb(skb, SkbDropReason.PKT_TOO_BIG)
    return EMSGSIZE
  }
  const id = ipv6.kernel.rng.u32()
  const total = skb.len - IPV6_HLEN
  let rc = 0
  for (let offset = 0; offset < total && rc === 0; offset += piece) {
    const len = Math.min(piece, total - offset)
    const fragment = makeFragment(ipv6, skb, offset, len, offset + len < total, id)
    if (fragment === null) rc = ENOBUFS
    else {
      ipv6.inc(idev, 'FragCreates')
      rc = output(ipv6, idev, fragment, path)
    }
  }
  ipv6.inc(idev, rc === 0 ? 'FragOKs' : 'FragFails')
  consumeSkb(skb)
  return rc
}

function makeFragment(
  ipv6: Ipv6,
  skb: SkBuff,
  offset: number,
  len: number,
  more: boolean,
  id: number,
): SkBuff | null {
  const fragment = ip6Alloc(ipv6, FRAG_HLEN + len)
  if (fragment === null) return null
  fragment.data -= IPV6_HLEN
  fragment.tail -= IPV6_HLEN
  const at = skbPut(fragment, IPV6_HLEN + FRAG_HLEN + len)
  const { mem } = fragment
  mem.set(skb.mem.subarray(skb.data, skb.data + IPV6_HLEN), at)
  putUnalignedBe16(FRAG_HLEN + len, mem, at + 4)
  mem[at + 6] = IpProto.FRAGMENT
  const header = at + IPV6_HLEN
  mem[header] = skb.mem[skb.data + 6]!
  mem[header + 1] = 0
  putUnalignedBe16(offset | (more ? 1 : 0), mem, header + 2)
  putUnalignedBe32(id, mem, header + 4)
  const from = skb.data + IPV6_HLEN + offset
  mem.set(skb.mem.subarray(from, from + len), header + FRAG_HLEN)
  fragment.networkHeader = at
  fragment.transportHeader = header
  fragment.protocol = ETH_P_IPV6
  fragment.priority = skb.priority
  return fragment
}

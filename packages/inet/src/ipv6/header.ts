import { allocSkb, ETH_P_IPV6, type SkBuff, skbPush, skbReserve } from '@vnet/netdev'
import { csumFold, csumIpv6Nofold, csumPartial, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import type { Ipv6 } from './ipv6.ts'

/** Bytes of the IPv6 header. @kernel struct ipv6hdr include/uapi/linux/ipv6.h */
export const IPV6_HLEN = 40

/** Room for a link header and for a fragment header that comes later. @kernel LL_MAX_HEADER include/linux/netdevice.h */
const HEADROOM = 64

/** An empty packet with room for all headers before `len` bytes; null: no memory. @kernel sock_alloc_send_skb() net/core/sock.c */
export function ip6Alloc(ipv6: Ipv6, len: number): SkBuff | null {
  const skb = allocSkb(ipv6.kernel, HEADROOM + IPV6_HLEN + len)
  if (skb !== null) skbReserve(skb, HEADROOM + IPV6_HLEN)
  return skb
}

/** Puts the IPv6 header in front of the payload. @kernel ip6_xmit() net/ipv6/ip6_output.c */
export function ip6PushHeader(
  skb: SkBuff,
  src: Uint8Array,
  dst: Uint8Array,
  nextHeader: number,
  hopLimit: number,
  trafficClass = 0,
): void {
  const payload = skb.len
  skb.transportHeader = skb.data
  const at = skbPush(skb, IPV6_HLEN)
  const { mem } = skb
  putUnalignedBe32(0x60000000 + (trafficClass << 20), mem, at)
  putUnalignedBe16(payload, mem, at + 4)
  mem[at + 6] = nextHeader
  mem[at + 7] = hopLimit
  mem.set(src, at + 8)
  mem.set(dst, at + 24)
  skb.networkHeader = at
  skb.protocol = ETH_P_IPV6
}

/** Sums an ICMPv6 message that ends with the packet; its header is at `at`. @kernel csum_ipv6_magic() include/net/ip6_checksum.h */
export function icmp6Checksum(skb: SkBuff, at: number, src: Uint8Array, dst: Uint8Array): void {
  const len = skb.tail - at
  const { mem } = skb
  const pseudo = csumPartial(dst, 0, 16, csumPartial(src, 0, 16, len + 58))
  putUnalignedBe16(0, mem, at + 2)
  putUnalignedBe16(csumFold(csumPartial(mem, at, len, pseudo)), mem, at + 2)
}

/** True when the checksum that covers `len` bytes at `at` fits the addresses of the header at `network`. @kernel csum_ipv6_magic() include/net/ip6_checksum.h */
export function checksumFits(
  mem: Uint8Array,
  network: number,
  at: number,
  len: number,
  protocol: number,
): boolean {
  return csumFold(csumPartial(mem, at, len, csumIpv6Nofold(mem, network + 8, len, protocol))) === 0
}

import { type SkBuff, skbPush } from '@vnet/netdev'
import { getUnalignedBe16, inetChecksum, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'

/** Bytes of an IPv4 header without options. @kernel struct iphdr include/uapi/linux/ip.h */
export const IPV4_HLEN = 20
/** Fragmentation is not allowed. @kernel IP_DF include/net/ip.h */
export const IP_DF = 0x4000
/** More fragments follow. @kernel IP_MF include/net/ip.h */
export const IP_MF = 0x2000
/** Where a fragment belongs, in units of eight bytes. @kernel IP_OFFSET include/net/ip.h */
export const IP_OFFSET = 0x1fff

/**
 * Puts a header without options in front of a packet; length and checksum come with `ipSendCheck`.
 *
 * @param flags - IP_DF, or 0
 * @kernel ip_build_and_send_pkt() net/ipv4/ip_output.c
 */
export function ipPushHeader(
  skb: SkBuff,
  src: number,
  dst: number,
  protocol: number,
  ttl: number,
  tos: number,
  id: number,
  flags: number,
): void {
  const at = skbPush(skb, IPV4_HLEN)
  const { mem } = skb
  skb.networkHeader = at
  mem[at] = 0x45
  mem[at + 1] = tos
  putUnalignedBe16(id & 0xffff, mem, at + 4)
  putUnalignedBe16(flags, mem, at + 6)
  mem[at + 8] = ttl
  mem[at + 9] = protocol
  putUnalignedBe32(src, mem, at + 12)
  putUnalignedBe32(dst, mem, at + 16)
}

/** Fills in length and checksum of the header at `data`. @kernel ip_send_check() net/ipv4/ip_output.c */
export function ipSendCheck(skb: SkBuff): void {
  const { mem, data } = skb
  putUnalignedBe16(skb.len, mem, data + 2)
  ipCheck(mem, data)
}

/** Writes the checksum of the header at `off`. @kernel ip_send_check() net/ipv4/ip_output.c */
export function ipCheck(mem: Uint8Array, off: number): void {
  putUnalignedBe16(0, mem, off + 10)
  putUnalignedBe16(inetChecksum(mem, off, ipHdrLen(mem, off)), mem, off + 10)
}

/** Bytes of the header at `off`, with its options. @kernel ip_hdrlen() include/net/ip.h */
export function ipHdrLen(mem: Uint8Array, off: number): number {
  return (mem[off]! & 15) * 4
}

/** Flags and offset of the header at `off`. @kernel struct iphdr include/uapi/linux/ip.h */
export function fragOff(mem: Uint8Array, off: number): number {
  return getUnalignedBe16(mem, off + 6)
}

import { CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY, type SkBuff, skbLinearize } from '@vnet/netdev'
import { csumFold, csumPartial, getUnalignedBe32, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import type { TcpMib } from './mib.ts'

/** Bytes of a TCP header without options. @kernel struct tcphdr include/uapi/linux/tcp.h */
export const TCP_HLEN = 20
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

/**
 * Looks at a segment, which is for a closed port as all are here; data stands at its header. The packet stays the caller's.
 *
 * @param pseudo - the pseudo header's sum over the segment's length
 * @returns true when a reset is to be sent
 * @kernel tcp_v4_rcv() net/ipv4/tcp_ipv4.c
 */
export function tcpRcv(mib: TcpMib, skb: SkBuff, pseudo: number): boolean {
  mib.inSegs++
  if (skb.len < TCP_HLEN || !skbLinearize(skb)) return bad(mib)
  const { mem, data, len } = skb
  const header = (mem[data + 12]! >> 4) * 4
  if (header < TCP_HLEN || header > len) return bad(mib)
  const known = skb.ipSummed === CHECKSUM_UNNECESSARY || skb.ipSummed === CHECKSUM_PARTIAL
  if (!known && csumFold(csumPartial(mem, data, len, pseudo)) !== 0) {
    mib.inCsumErrors++
    return bad(mib)
  }
  // A reset is never answered with a reset.
  return (mem[data + 13]! & RST) === 0
}

function bad(mib: TcpMib): false {
  mib.inErrs++
  return false
}

/**
 * Writes the reset that answers the segment at `data` of `skb` to `at`: 20 bytes, but for the checksum.
 *
 * @kernel tcp_v4_send_reset() net/ipv4/tcp_ipv4.c
 */
export function tcpReset(skb: SkBuff, mem: Uint8Array, at: number): void {
  const { mem: from, data } = skb
  const flags = from[data + 13]!
  mem.fill(0, at, at + TCP_HLEN)
  for (let i = 0; i < 2; i++) {
    mem[at + i] = from[data + 2 + i]!
    mem[at + 2 + i] = from[data + i]!
  }
  mem[at + 12] = (TCP_HLEN / 4) << 4
  if ((flags & ACK) !== 0) {
    putUnalignedBe32(getUnalignedBe32(from, data + 8), mem, at + 4)
    mem[at + 13] = RST
    return
  }
  const payload = skb.len - (from[data + 12]! >> 4) * 4
  const taken = payload + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0)
  putUnalignedBe32((getUnalignedBe32(from, data + 4) + taken) >>> 0, mem, at + 8)
  mem[at + 13] = RST | ACK
}

/** Fills in the checksum of the reset at `at`, and counts it. @kernel tcp_v4_send_reset() net/ipv4/tcp_ipv4.c */
export function tcpResetCheck(mib: TcpMib, mem: Uint8Array, at: number, pseudo: number): void {
  putUnalignedBe16(csumFold(csumPartial(mem, at, TCP_HLEN, pseudo)), mem, at + 16)
  mib.outSegs++
  mib.outRsts++
}

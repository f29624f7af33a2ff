import { type SkBuff, skbLinearize } from '@vnet/netdev'
import { getUnalignedBe32, inetChecksum } from '@vnet/wire'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import type { RxInfo } from '../sock/transport.ts'

const QUERY = 0x11

/** Receives IGMP; data stands at its header. Only questions matter to a host. The packet stays the caller's. @kernel igmp_rcv() net/ipv4/igmp.c */
export function igmpRcv(ipv4: Ipv4, skb: SkBuff, info: RxInfo): void {
  const inDev = ipv4.inDev(info.dev)
  if (inDev === null || skb.len < 8 || !skbLinearize(skb)) return
  const { mem, data, len } = skb
  if (inetChecksum(mem, data, len) !== 0 || mem[data] !== QUERY) return
  // Between the lengths of version 2 and 3 there is nothing.
  if (len > 8 && len < 12) return
  inDev.igmp.heardQuery(getUnalignedBe32(mem, data + 4), responseTime(mem[data + 1]!) * 100)
}

/** In tenths of a second: from 128 on the number is a floating one. @kernel IGMPV3_MRC include/linux/igmp.h */
function responseTime(code: number): number {
  return code < 128 ? code : ((code & 15) | 16) << (((code >> 4) & 7) + 3)
}

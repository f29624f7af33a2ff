import { allocSkb, PACKET_HOST, PACKET_LOOPBACK, type SkBuff, skbPut, skbReserve } from '@vnet/netdev'
import { csumTcpudpNofold, getUnalignedBe32 } from '@vnet/wire'
import type { RxInfo } from '../sock/transport.ts'
import { tcpRcv, tcpReset, tcpResetCheck, TCP_HLEN } from '../tcp/reset.ts'
import { IpProto } from '../types/constants.ts'
import { IP_DF, ipPushHeader } from './header.ts'
import type { Ipv4 } from './ipv4.ts'
import { ipLocalOut } from './output.ts'
import { ipRouteOutput, isRoute } from './route.ts'

const HEADROOM = 64

/** Takes a TCP segment; data stands at its header. Nobody listens: it is answered with a reset. The packet stays the caller's. @kernel tcp_v4_rcv() net/ipv4/tcp_ipv4.c */
export function tcp4Rcv(ipv4: Ipv4, skb: SkBuff, info: RxInfo): void {
  if (skb.pktType !== PACKET_HOST && skb.pktType !== PACKET_LOOPBACK) return
  const src = getUnalignedBe32(info.src, 0)
  const dst = getUnalignedBe32(info.dst, 0)
  const { tcp } = ipv4.inet
  if (!tcpRcv(tcp, skb, csumTcpudpNofold(src, dst, skb.len, IpProto.TCP))) return
  if (!info.broadcast && !info.multicast) sendReset(ipv4, skb, src, dst, info.tos)
}

/** @kernel tcp_v4_send_reset() net/ipv4/tcp_ipv4.c */
function sendReset(ipv4: Ipv4, skb: SkBuff, peer: number, own: number, tos: number): void {
  const rt = ipRouteOutput(ipv4, peer, { src: own, tos: tos & 0x1e })
  if (!isRoute(rt)) return
  const reset = allocSkb(ipv4.kernel, HEADROOM + TCP_HLEN)
  if (reset === null) return
  skbReserve(reset, HEADROOM)
  const at = skbPut(reset, TCP_HLEN)
  tcpReset(skb, reset.mem, at)
  tcpResetCheck(ipv4.inet.tcp, reset.mem, at, csumTcpudpNofold(own, peer, TCP_HLEN, IpProto.TCP))
  const ttl = ipv4.sysctl.ipDefaultTtl
  ipPushHeader(reset, own, peer, IpProto.TCP, ttl, tos, 0, IP_DF)
  ipLocalOut(ipv4, reset, rt, false)
}

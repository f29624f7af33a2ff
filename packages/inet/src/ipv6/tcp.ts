import { type SkBuff, skbPut } from '@vnet/netdev'
import { csumIpv6Nofold, csumPartial, IpProto } from '@vnet/wire'
import type { RxInfo } from '../sock/transport.ts'
import { tcpRcv, tcpReset, tcpResetCheck, TCP_HLEN } from '../tcp/reset.ts'
import { ipv6AddrScope } from './address.ts'
import type { Ipv6 } from './ipv6.ts'
import { ip6LocalOut } from './output.ts'
import { ip6Alloc, ip6PushHeader } from './header.ts'

/** Takes a TCP segment; data stands at its header. Nobody listens: it is answered with a reset. The packet stays the caller's. @kernel tcp_v6_rcv() net/ipv6/tcp_ipv6.c */
export function tcp6Rcv(ipv6: Ipv6, skb: SkBuff, info: RxInfo): void {
  const { tcp } = ipv6.inet
  const pseudo = csumIpv6Nofold(skb.mem, skb.networkHeader + 8, skb.len, IpProto.TCP)
  if (tcpRcv(tcp, skb, pseudo) && !info.multicast) sendReset(ipv6, skb, info)
}

/** @kernel tcp_v6_send_response() net/ipv6/tcp_ipv6.c */
function sendReset(ipv6: Ipv6, skb: SkBuff, info: RxInfo): void {
  const { src: peer, dst: own, dev } = info
  const way = ipv6.dst.lookup(ipv6, peer, 0, ipv6AddrScope(peer) <= 2 ? dev : null)
  if (way === null) return
  const reset = ip6Alloc(ipv6, TCP_HLEN)
  if (reset === null) return
  const at = skbPut(reset, TCP_HLEN)
  tcpReset(skb, reset.mem, at)
  const pseudo = csumPartial(peer, 0, 16, csumPartial(own, 0, 16, TCP_HLEN + IpProto.TCP))
  tcpResetCheck(ipv6.inet.tcp, reset.mem, at, pseudo)
  const { path } = way
  ip6PushHeader(reset, own, peer, IpProto.TCP, path.hopLimit, info.tos & ~3)
  ip6LocalOut(ipv6, reset, path)
}

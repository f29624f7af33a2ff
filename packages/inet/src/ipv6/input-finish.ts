import { consumeSkb, kfreeSkb, type SkBuff, SkbDropReason } from '@vnet/netdev'
import { csumIpv6Nofold, Icmpv6Type, IpProto } from '@vnet/wire'
import { rawDeliver } from '../sock/raw-rcv.ts'
import { keepRxInfo } from '../sock/rx-info.ts'
import type { RxInfo } from '../sock/transport.ts'
import { UDP_NOPORT, udpRcv } from '../sock/udp-rcv.ts'
import { ipv6ParseTlv } from './extension.ts'
import { ip6FragRcv } from './fragment.ts'
import { icmpv6Rcv } from './icmp6.ts'
import { Icmp6Code, icmpv6Send } from './icmp6-send.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ipv6 } from './ipv6.ts'
import { tcp6Rcv } from './tcp.ts'

/** Headers of a packet before we lose patience. @kernel IP6_DEFAULT_MAX_HBH_OPTS_CNT include/net/ipv6.h */
const MAX_HEADERS = 16

/**
 * Steps from header to header to the protocol, and gives it the packet. The packet is gone.
 *
 * @param at - where the next header is, of the kind `protocol`; its number stands at `field`
 * @kernel ip6_protocol_deliver_rcu() net/ipv6/ip6_input.c
 */
export function ip6InputFinish(
  ipv6: Ipv6,
  idev: Inet6Dev,
  skb: SkBuff,
  info: RxInfo,
  protocol: number,
  at: number,
  field: number,
): void {
  const { mem } = skb
  for (let n = 0; n < MAX_HEADERS; n++) {
    switch (protocol) {
      case IpProto.DSTOPTS:
        if (!destinationOptions(ipv6, idev, skb, at)) return
        break
      case IpProto.ROUTING:
        if (!routingHeader(ipv6, idev, skb, info, at)) return
        break
      case IpProto.FRAGMENT:
        ip6FragRcv(ipv6, idev, skb, keepRxInfo(info), at, field)
        return
      case IpProto.NONE:
        consumeSkb(skb)
        return
      default:
        deliver(ipv6, idev, skb, info, protocol, at, field)
        return
    }
    field = at
    const length = (mem[at + 1]! + 1) * 8
    protocol = mem[at]!
    at += length
  }
  discard(ipv6, idev, skb)
}

function discard(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff): void {
  ipv6.inc(idev, 'InHdrErrors')
  kfreeSkb(skb, SkbDropReason.IP_INHDR)
}

/** The whole header is there. */
function isWhole(skb: SkBuff, at: number): boolean {
  return at + 8 <= skb.tail && at + (skb.mem[at + 1]! + 1) * 8 <= skb.tail
}

/** @returns false when the packet is gone @kernel ipv6_destopt_rcv() net/ipv6/exthdrs.c */
function destinationOptions(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, at: number): boolean {
  if (isWhole(skb, at)) {
    const verdict = ipv6ParseTlv(skb.mem, at, (skb.mem[at + 1]! + 1) * 8, false)
    if (verdict.ok) return true
    const network = skb.networkHeader
    if (verdict.report && (verdict.reportMulticast || skb.mem[network + 24] !== 0xff))
      icmpv6Send(ipv6, skb, Icmpv6Type.PARAMPROB, Icmp6Code.UNK_OPTION, verdict.at - network)
  }
  discard(ipv6, idev, skb)
  return false
}

/** A routing header that is done may stay; one that asks us to pass the packet on is refused. @kernel ipv6_rthdr_rcv() net/ipv6/exthdrs.c */
function routingHeader(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo, at: number): boolean {
  if (!isWhole(skb, at)) {
    discard(ipv6, idev, skb)
    return false
  }
  if (info.multicast) {
    ipv6.inc(idev, 'InAddrErrors')
    kfreeSkb(skb, SkbDropReason.IP_INADDRERRORS)
    return false
  }
  if (skb.mem[at + 3] === 0) return true
  icmpv6Send(ipv6, skb, Icmpv6Type.PARAMPROB, Icmp6Code.HDR_FIELD, at + 2 - skb.networkHeader)
  discard(ipv6, idev, skb)
  return false
}

function deliver(
  ipv6: Ipv6,
  idev: Inet6Dev,
  skb: SkBuff,
  info: RxInfo,
  protocol: number,
  at: number,
  field: number,
): void {
  if (at > skb.tail) {
    discard(ipv6, idev, skb)
    return
  }
  skb.len -= at - skb.data
  skb.data = at
  skb.transportHeader = at
  const isIcmp = protocol === IpProto.ICMPV6
  const type = isIcmp && skb.len > 0 ? skb.mem[at]! : -1
  const raw = rawDeliver(ipv6.inet, skb, info, protocol, type)
  if (isIcmp) {
    icmpv6Rcv(ipv6, idev, skb, info)
    ipv6.inc(idev, 'InDelivers')
  } else if (protocol === IpProto.UDP) {
    udp(ipv6, skb, info)
    ipv6.inc(idev, 'InDelivers')
  } else if (protocol === IpProto.TCP) {
    tcp6Rcv(ipv6, skb, info)
    ipv6.inc(idev, 'InDelivers')
    consumeSkb(skb)
  } else if (raw) {
    ipv6.inc(idev, 'InDelivers')
    consumeSkb(skb)
  } else {
    ipv6.inc(idev, 'InUnknownProtos')
    icmpv6Send(ipv6, skb, Icmpv6Type.PARAMPROB, Icmp6Code.UNK_NEXTHDR, field - skb.networkHeader)
    kfreeSkb(skb, SkbDropReason.IP_NOPROTO)
  }
}

/** @kernel udpv6_rcv() net/ipv6/udp.c */
function udp(ipv6: Ipv6, skb: SkBuff, info: RxInfo): void {
  const { mem, networkHeader } = skb
  const pseudo = csumIpv6Nofold(mem, networkHeader + 8, 0, IpProto.UDP)
  if (udpRcv(ipv6.inet, skb, info, pseudo, ipv6.udpMib) !== UDP_NOPORT) {
    consumeSkb(skb)
    return
  }
  icmpv6Send(ipv6, skb, Icmpv6Type.DEST_UNREACH, Icmp6Code.PORT_UNREACH, 0)
  kfreeSkb(skb, SkbDropReason.NO_SOCKET)
}

import {
  consumeSkb,
  kfreeSkb,
  NET_RX_DROP,
  NET_RX_SUCCESS,
  type NetDevice,
  PACKET_OTHERHOST,
  pskbMayPull,
  pskbTrim,
  type SkBuff,
  SkbDropReason,
} from '@vnet/netdev'
import { getUnalignedBe16, getUnalignedBe32, inetChecksum } from '@vnet/wire'
import { IpProto, RtnType } from '../types/constants.ts'
import { ipForward } from './forward.ts'
import { udpRcvSegment } from './gso.ts'
import { fragOff, IP_MF, IP_OFFSET, IPV4_HLEN, ipHdrLen } from './header.ts'
import { icmpSend } from './icmp-send.ts'
import type { Ipv4 } from './ipv4.ts'
import { ipDeliver } from './deliver.ts'
import { checkOptions } from './options.ts'
import { NO_ROUTE, routeInput } from './route-input.ts'

/** Receives IPv4; data stands at the header. Softirq context. The packet is gone. @kernel ip_rcv() net/ipv4/ip_input.c */
export function ipRcv(ipv4: Ipv4, skb: SkBuff, dev: NetDevice<any>): number {
  if (skb.pktType === PACKET_OTHERHOST) return drop(skb, SkbDropReason.OTHERHOST)
  if (skb.gsoSize !== 0 && skb.mem[skb.data + 9] === IpProto.UDP) return merged(ipv4, skb, dev)
  const { ip } = ipv4
  ip.inReceives++
  if (!pskbMayPull(skb, IPV4_HLEN)) return headerError(ipv4, skb)
  skb.networkHeader = skb.data
  const hlen = ipHdrLen(skb.mem, skb.data)
  if (hlen < IPV4_HLEN || skb.mem[skb.data]! >>> 4 !== 4) return headerError(ipv4, skb)
  if (!pskbMayPull(skb, hlen)) return headerError(ipv4, skb)
  skb.networkHeader = skb.data
  if (inetChecksum(skb.mem, skb.data, hlen) !== 0) {
    ip.inCsumErrors++
    return headerError(ipv4, skb, SkbDropReason.IP_CSUM)
  }
  const len = getUnalignedBe16(skb.mem, skb.data + 2)
  if (skb.len < len) {
    ip.inTruncatedPkts++
    return drop(skb, SkbDropReason.PKT_TOO_SMALL)
  }
  if (len < hlen) return headerError(ipv4, skb)
  if (!pskbTrim(skb, len)) {
    ip.inDiscards++
    return drop(skb, SkbDropReason.NOMEM)
  }
  skb.networkHeader = skb.data
  return finish(ipv4, skb, dev, hlen)
}

/** Datagrams that were merged on receive, one by one. */
function merged(ipv4: Ipv4, skb: SkBuff, dev: NetDevice<any>): number {
  if (udpRcvSegment(skb, (segment) => void ipRcv(ipv4, segment, dev))) return NET_RX_SUCCESS
  ipv4.ip.inDiscards++
  return NET_RX_DROP
}

/** @kernel ip_rcv_finish() net/ipv4/ip_input.c */
function finish(ipv4: Ipv4, skb: SkBuff, dev: NetDevice<any>, hlen: number): number {
  const inDev = ipv4.inDev(dev)
  if (inDev === null) return drop(skb, SkbDropReason.NOT_SPECIFIED)
  const options = checkOptions(skb.mem, skb.data, hlen)
  if (options.bad !== 0) {
    icmpSend(ipv4, skb, 12, 0, options.bad * 0x1000000)
    return headerError(ipv4, skb)
  }
  if (options.sourceRoute && !inDev.cnf.acceptSourceRoute) return drop(skb, SkbDropReason.IP_INHDR)
  const src = getUnalignedBe32(skb.mem, skb.data + 12)
  const dst = getUnalignedBe32(skb.mem, skb.data + 16)
  const type = routeInput(ipv4, inDev, skb.pktType, src, dst)
  if (type === RtnType.UNICAST) return ipForward(ipv4, skb, dev)
  if (type < 0) return refuse(ipv4, skb, type)
  if ((fragOff(skb.mem, skb.data) & (IP_MF | IP_OFFSET)) === 0) return deliver(ipv4, skb, type)
  const whole = ipv4.frags.defrag(skb, dev)
  return whole === null ? NET_RX_SUCCESS : deliver(ipv4, whole, type)
}

/** @kernel ip_local_deliver_finish() net/ipv4/ip_input.c */
function deliver(ipv4: Ipv4, skb: SkBuff, type: number): number {
  ipDeliver(ipv4, skb, type)
  consumeSkb(skb)
  return NET_RX_SUCCESS
}

/** @kernel ip_error() net/ipv4/route.c */
function refuse(ipv4: Ipv4, skb: SkBuff, error: number): number {
  if (error === NO_ROUTE && !ipv4.forward) {
    ipv4.ip.inAddrErrors++
    return drop(skb, SkbDropReason.IP_INADDRERRORS)
  }
  if (!ipv4.forward || error === -22) return drop(skb, SkbDropReason.IP_INADDRERRORS)
  if (error === -101) ipv4.ip.inNoRoutes++
  // The kernel answers by what the route says: net unreachable, prohibited, host unreachable.
  const code = error === -101 ? 0 : error === -13 ? 13 : 1
  icmpSend(ipv4, skb, 3, code)
  return drop(skb, SkbDropReason.IP_INADDRERRORS)
}

function headerError(ipv4: Ipv4, skb: SkBuff, reason: number = SkbDropReason.IP_INHDR): number {
  ipv4.ip.inHdrErrors++
  return drop(skb, reason)
}

function drop(skb: SkBuff, reason: number): number {
  kfreeSkb(skb, reason)
  return NET_RX_DROP
}

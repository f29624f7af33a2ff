import { Iff, type NetDevice, type SkBuff } from '@vnet/netdev'
import { csumTcpudpNofold, getUnalignedBe32 } from '@vnet/wire'
import { igmpRcv } from '../addr/igmp-rcv.ts'
import { ipDevFind } from '../fib/addr-type.ts'
import { rawDeliver } from '../sock/raw-rcv.ts'
import type { RxInfo } from '../sock/transport.ts'
import { UDP_NOPORT, udpRcv } from '../sock/udp-rcv.ts'
import { IpProto, RtnType } from '../types/constants.ts'
import { ipHdrLen } from './header.ts'
import { icmpRcv } from './icmp-rcv.ts'
import { icmpSend } from './icmp-send.ts'
import type { Ipv4 } from './ipv4.ts'
import { tcp4Rcv } from './tcp.ts'

/** Gives a whole packet for us to its protocol. It stays the caller's. @kernel ip_protocol_deliver_rcu() net/ipv4/ip_input.c */
export function ipDeliver(ipv4: Ipv4, skb: SkBuff, type: number): void {
  const { mem, data } = skb
  const dev = inputDevice(ipv4, skb.dev!, type, getUnalignedBe32(mem, data + 16))
  const info = ipv4.rxPool.take(dev, mem, data + 12, data + 16)
  info.ttl = mem[data + 8]!
  info.tos = mem[data + 1]!
  info.broadcast = type === RtnType.BROADCAST
  info.multicast = type === RtnType.MULTICAST
  deliver(ipv4, skb, info)
  ipv4.rxPool.give(info)
}

function isKnown(protocol: number): boolean {
  const { ICMP, IGMP, TCP, UDP } = IpProto
  return protocol === ICMP || protocol === UDP || protocol === TCP || protocol === IGMP
}

function deliver(ipv4: Ipv4, skb: SkBuff, info: RxInfo): void {
  const { mem, data } = skb
  const protocol = mem[data + 9]!
  const hlen = ipHdrLen(mem, data)
  const icmpType = protocol === IpProto.ICMP && skb.len > hlen ? mem[data + hlen]! : -1
  const raw = rawDeliver(ipv4.inet, skb, info, protocol, icmpType)
  if (!isKnown(protocol)) {
    if (raw) ipv4.ip.inDelivers++
    else unknown(ipv4, skb)
    return
  }
  ipv4.ip.inDelivers++
  skb.data += hlen
  skb.len -= hlen
  skb.transportHeader = skb.data
  if (protocol === IpProto.ICMP) icmpRcv(ipv4, skb, info)
  else if (protocol === IpProto.UDP) udp(ipv4, skb, info)
  else if (protocol === IpProto.TCP) tcp4Rcv(ipv4, skb, info)
  else igmpRcv(ipv4, skb, info)
}

function unknown(ipv4: Ipv4, skb: SkBuff): void {
  ipv4.ip.inUnknownProtos++
  icmpSend(ipv4, skb, 3, 2)
}

function udp(ipv4: Ipv4, skb: SkBuff, info: RxInfo): void {
  const src = getUnalignedBe32(info.src, 0)
  const dst = getUnalignedBe32(info.dst, 0)
  const pseudo = csumTcpudpNofold(src, dst, 0, IpProto.UDP)
  const result = udpRcv(ipv4.inet, skb, info, pseudo, ipv4.udp)
  if (result === UDP_NOPORT) icmpSend(ipv4, skb, 3, 3)
}

/** The device a packet is for: our own went over the loopback device, and sockets see the address's. @kernel inet_iif() include/net/route.h */
function inputDevice(ipv4: Ipv4, dev: NetDevice<any>, type: number, dst: number): NetDevice<any> {
  if ((dev.flags & Iff.LOOPBACK) === 0 || type !== RtnType.LOCAL) return dev
  return ipDevFind(ipv4, dst) ?? dev
}

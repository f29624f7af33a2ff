import {
  kfreeSkb,
  NET_RX_DROP,
  NET_RX_SUCCESS,
  type NetDevice,
  PACKET_HOST,
  type SkBuff,
  SkbDropReason,
  skbCow,
} from '@vnet/netdev'
import { getUnalignedBe32 } from '@vnet/wire'
import { RtnType } from '../types/constants.ts'
import { ipCheck } from './header.ts'
import { icmpSend } from './icmp-send.ts'
import type { Ipv4 } from './ipv4.ts'
import { exceedsMtu, ipOutput } from './output.ts'
import { ipRouteForward } from './route.ts'

/** Passes a packet on that is for somebody else. The packet is gone. @kernel ip_forward() net/ipv4/ip_forward.c */
export function ipForward(ipv4: Ipv4, skb: SkBuff, _dev: NetDevice<any>): number {
  const { ip } = ipv4
  if (skb.pktType !== PACKET_HOST) return drop(skb)
  if (skb.mem[skb.data + 8]! <= 1) {
    ip.inHdrErrors++
    icmpSend(ipv4, skb, 11, 0)
    return drop(skb)
  }
  const rt = ipRouteForward(ipv4, getUnalignedBe32(skb.mem, skb.data + 16))
  if (rt === null || rt.type !== RtnType.UNICAST) return drop(skb)
  ip.forwDatagrams++
  if (exceedsMtu(skb, rt.mtu)) {
    ip.fragFails++
    icmpSend(ipv4, skb, 3, 4, rt.mtu)
    return drop(skb, SkbDropReason.PKT_TOO_BIG)
  }
  // Taps may hold the same bytes.
  if (!skbCow(skb, rt.dev.hardHeaderLen + 2)) {
    ip.inDiscards++
    return drop(skb, SkbDropReason.NOMEM)
  }
  skb.networkHeader = skb.data
  skb.mem[skb.data + 8]!--
  ipCheck(skb.mem, skb.data)
  ipOutput(ipv4, skb, rt, false)
  return NET_RX_SUCCESS
}

function drop(skb: SkBuff, reason: number = SkbDropReason.NOT_SPECIFIED): number {
  kfreeSkb(skb, reason)
  return NET_RX_DROP
}

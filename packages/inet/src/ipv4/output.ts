import {
  CHECKSUM_UNNECESSARY,
  ETH_P_IP,
  Iff,
  kfreeSkb,
  type NetDevice,
  netifRx,
  NET_XMIT_CN,
  PACKET_LOOPBACK,
  type SkBuff,
  SkbDropReason,
  skbClone,
} from '@vnet/netdev'
import { putUnalignedBe32 } from '@vnet/wire'
import { neighLookupCreate } from '../neigh/lookup.ts'
import { neighOutput } from '../neigh/output.ts'
import { RtnType } from '../types/constants.ts'
import { ipFragment } from './fragment.ts'
import { gsoNetworkLen } from './gso.ts'
import { fragOff, IP_DF, ipSendCheck } from './header.ts'
import type { Ipv4 } from './ipv4.ts'
import { loopBack } from './loop.ts'
import type { Rt4 } from './route.ts'

const ENOBUFS = -105

/**
 * Sends a packet of this machine: the header is complete but for length and checksum. The packet is gone.
 *
 * @param ignoreDf - it may be split although the header forbids it to others
 * @param loop - what goes to a group is also for ourselves, if we are members
 * @returns 0, or a negative errno
 * @kernel ip_local_out() net/ipv4/ip_output.c
 */
export function ipLocalOut(ipv4: Ipv4, skb: SkBuff, rt: Rt4, ignoreDf: boolean, loop = true): number {
  ipv4.ip.outRequests++
  skb.protocol = ETH_P_IP
  skb.dev = rt.dev
  skb.networkHeader = skb.data
  ipSendCheck(skb)
  if (rt.direct) return loopBack(ipv4, skb, rt.dev)
  if (rt.loops && loop) ipMcLoopback(skb, rt)
  // A group's packets with no time to live stay here.
  if (rt.type === RtnType.MULTICAST && skb.mem[skb.data + 8] === 0) {
    kfreeSkb(skb)
    return 0
  }
  return ipOutput(ipv4, skb, rt, ignoreDf)
}

/** Sends a packet whose header is complete, in pieces if it must. The packet is gone. @kernel ip_finish_output() net/ipv4/ip_output.c */
export function ipOutput(ipv4: Ipv4, skb: SkBuff, rt: Rt4, ignoreDf: boolean): number {
  const rc =
    gsoNetworkLen(skb) <= rt.mtu
      ? ipFinishOutput2(ipv4, skb, rt)
      : ipFragment(ipv4, skb, rt, ignoreDf, ipFinishOutput2)
  if (rc >= 0) return rc === 0 || rc === NET_XMIT_CN ? 0 : ENOBUFS
  return rc
}

/** True when a packet is too long for the way and may not be split. @kernel ip_exceeds_mtu() net/ipv4/ip_forward.c */
export function exceedsMtu(skb: SkBuff, mtu: number): boolean {
  return gsoNetworkLen(skb) > mtu && (fragOff(skb.mem, skb.data) & IP_DF) !== 0
}

/** Hands a packet to the neighbour it goes to. @kernel ip_finish_output2() net/ipv4/ip_output.c */
export function ipFinishOutput2(ipv4: Ipv4, skb: SkBuff, rt: Rt4): number {
  const { dev } = rt
  skb.protocol = ETH_P_IP
  skb.dev = dev
  let { neigh } = rt
  if (neigh === null || neigh.dead) {
    neigh = neighLookupCreate(ipv4.arp, neighKey(ipv4, rt, dev), dev)
    rt.neigh = neigh
  }
  if (neigh === null) {
    kfreeSkb(skb, SkbDropReason.NEIGH_FAILED)
    return ENOBUFS
  }
  return neighOutput(neigh, skb)
}

function neighKey(ipv4: Ipv4, rt: Rt4, dev: NetDevice<any>): Uint8Array {
  const all = (dev.flags & (Iff.LOOPBACK | Iff.POINTOPOINT)) !== 0
  putUnalignedBe32(all ? 0 : rt.nextHop, ipv4.key, 0)
  return ipv4.key
}

/** A copy for ourselves of what goes to all. @kernel ip_mc_finish_output() net/ipv4/ip_output.c */
function ipMcLoopback(skb: SkBuff, rt: Rt4): void {
  const copy = skbClone(skb)
  if (copy === null) return
  copy.dev = rt.dev
  copy.macHeader = copy.data
  copy.pktType = PACKET_LOOPBACK
  copy.ipSummed = CHECKSUM_UNNECESSARY
  netifRx(copy)
}

import { scheduleWork } from '@vnet/kernel'
import {
  CHECKSUM_UNNECESSARY,
  ETH_P_IPV6,
  Iff,
  kfreeSkb,
  NET_XMIT_DROP,
  type NetDevice,
  netifRx,
  PACKET_LOOPBACK,
  type SkBuff,
  SkbDropReason,
  skbCopy,
  skbDequeue,
  skbQueueTail,
} from '@vnet/netdev'
import { neighLookup, neighCreate } from '../neigh/lookup.ts'
import { neighOutput } from '../neigh/output.ts'
import { ip6Fragment } from './fragment-send.ts'
import { IPV6_HLEN } from './header.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ipv6 } from './ipv6.ts'
import { mcLookup } from './mcast-lookup.ts'

const ENOBUFS = -105
const EINVAL = -22

/** How a packet leaves. */
export interface Ip6Path {
  readonly dev: NetDevice<any>
  readonly nextHop: Uint8Array
  /** More bytes than this are cut in fragments. */
  readonly mtu: number
  /** A packet to a group we are in comes back to us. */
  readonly loop?: boolean
  /** It is for ourselves, and there is no loopback device to carry it. */
  readonly own?: boolean
}

/**
 * Sends a packet that has its IPv6 header, and counts it. The packet is gone.
 *
 * @returns 0, or a negative errno when it was dropped here
 * @kernel ip6_local_out() net/ipv6/output_core.c
 */
export function ip6LocalOut(ipv6: Ipv6, skb: SkBuff, path: Ip6Path): number {
  const idev = ipv6.devs.get(path.dev) ?? null
  ipv6.inc(idev, 'OutRequests')
  ipv6.inc(idev, 'OutOctets', skb.len)
  if (idev === null || idev.cnf.disableIpv6 !== 0) {
    ipv6.inc(idev, 'OutDiscards')
    kfreeSkb(skb, SkbDropReason.DEV_READY)
    return 0
  }
  if (path.own === true) {
    receiveOwn(ipv6, skb, path.dev)
    return 0
  }
  if (skb.len <= path.mtu) return ip6FinishOutput(ipv6, idev, skb, path)
  return ip6Fragment(ipv6, idev, skb, path, ip6FinishOutput)
}

/** The packet fits: to ourselves too if it is a group's, then to the neighbour. @kernel ip6_finish_output2() net/ipv6/ip6_output.c */
export function ip6FinishOutput(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, path: Ip6Path): number {
  const { dev } = path
  const at = skb.data
  skb.dev = dev
  if (skb.mem[at + 24] === 0xff) {
    const isLoopback = (dev.flags & Iff.LOOPBACK) !== 0
    if (path.loop === true && !isLoopback && mcLookup(idev, skb.mem, at + 24) !== null)
      loopBack(ipv6, skb, dev)
    ipv6.inc(idev, 'OutMcastPkts')
    ipv6.inc(idev, 'OutMcastOctets', skb.len)
    if (!isLoopback && (skb.mem[at + 25]! & 15) <= 1) {
      kfreeSkb(skb, SkbDropReason.NOT_SPECIFIED)
      return 0
    }
  }
  return toNeighbour(ipv6, idev, skb, path)
}

function toNeighbour(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, path: Ip6Path): number {
  const { dev, nextHop } = path
  const neigh = neighLookup(ipv6.nd, nextHop, dev) ?? neighCreate(ipv6.nd, nextHop, dev)
  if (neigh !== null) {
    const rc = neighOutput(neigh, skb)
    return rc === NET_XMIT_DROP ? ENOBUFS : Math.min(rc, 0)
  }
  ipv6.inc(idev, 'OutNoRoutes')
  kfreeSkb(skb, SkbDropReason.IP_OUTNOROUTES)
  return EINVAL
}

/** A copy comes in on the same device. @kernel ip6_dev_loopback_xmit() net/ipv6/ip6_output.c */
function loopBack(ipv6: Ipv6, skb: SkBuff, dev: NetDevice<any>): void {
  const copy = skbCopy(skb)
  if (copy !== null) receiveOwn(ipv6, copy, dev)
}

/** A packet of ours comes in without having been on the link. @kernel dev_loopback_xmit() net/core/dev.c */
function receiveOwn(ipv6: Ipv6, skb: SkBuff, dev: NetDevice<any>): void {
  skb.dev = dev
  skb.pktType = PACKET_LOOPBACK
  skb.macHeader = skb.data
  skb.networkHeader = skb.data
  skb.transportHeader = skb.data + IPV6_HLEN
  skb.protocol = ETH_P_IPV6
  skb.ipSummed = CHECKSUM_UNNECESSARY
  // Inside a NAPI poll the backlog is the wrong place.
  if (ipv6.kernel.ctx === 'process') netifRx(skb)
  else {
    skbQueueTail(ipv6.loop, skb)
    scheduleWork(ipv6.loopWork)
  }
}

/** Takes in what was sent to ourselves from a softirq. @kernel none */
export function ipv6LoopWork(ipv6: Ipv6): void {
  for (let skb = skbDequeue(ipv6.loop); skb !== null; skb = skbDequeue(ipv6.loop)) netifRx(skb)
}

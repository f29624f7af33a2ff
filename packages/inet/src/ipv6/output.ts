import { scheduleWork } from '@vnet/kernel'
import {
  allocSkb,
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
  skbPush,
  skbQueueTail,
  skbReserve,
} from '@vnet/netdev'
import { csumFold, csumIpv6Nofold, csumPartial, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import { neighLookup, neighCreate } from '../neigh/lookup.ts'
import { neighOutput } from '../neigh/output.ts'
import { ip6Fragment } from './fragment-send.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ipv6 } from './ipv6.ts'
import { mcLookup } from './mcast-group.ts'

/** Bytes of the IPv6 header. @kernel struct ipv6hdr include/uapi/linux/ipv6.h */
export const IPV6_HLEN = 40
/** Room for a link header and for a fragment header that comes later. @kernel LL_MAX_HEADER include/linux/netdevice.h */
const HEADROOM = 64
const ENOBUFS = -105
const EINVAL = -22

/** What an IPv6 header says beside the length. */
export interface Ip6Fields {
  readonly src: Uint8Array
  readonly dst: Uint8Array
  readonly nextHeader: number
  readonly hopLimit: number
  readonly trafficClass?: number
  readonly flowLabel?: number
}

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

/** An empty packet with room for all headers before `len` bytes; null: no memory. @kernel sock_alloc_send_skb() net/core/sock.c */
export function ip6Alloc(ipv6: Ipv6, len: number): SkBuff | null {
  const skb = allocSkb(ipv6.kernel, HEADROOM + IPV6_HLEN + len)
  if (skb !== null) skbReserve(skb, HEADROOM + IPV6_HLEN)
  return skb
}

/** Puts the IPv6 header in front of the payload. @kernel ip6_xmit() net/ipv6/ip6_output.c */
export function ip6PushHeader(skb: SkBuff, fields: Ip6Fields): void {
  const payload = skb.len
  skb.transportHeader = skb.data
  const at = skbPush(skb, IPV6_HLEN)
  const { mem } = skb
  const first = 0x60000000 + ((fields.trafficClass ?? 0) << 20) + (fields.flowLabel ?? 0)
  putUnalignedBe32(first, mem, at)
  putUnalignedBe16(payload, mem, at + 4)
  mem[at + 6] = fields.nextHeader
  mem[at + 7] = fields.hopLimit
  mem.set(fields.src, at + 8)
  mem.set(fields.dst, at + 24)
  skb.networkHeader = at
  skb.protocol = ETH_P_IPV6
}

/** Sums an ICMPv6 message that ends with the packet; its header is at `at`. @kernel csum_ipv6_magic() include/net/ip6_checksum.h */
export function icmp6Checksum(skb: SkBuff, at: number, src: Uint8Array, dst: Uint8Array): void {
  const len = skb.tail - at
  const { mem } = skb
  const pseudo = csumPartial(dst, 0, 16, csumPartial(src, 0, 16, len + 58))
  putUnalignedBe16(0, mem, at + 2)
  putUnalignedBe16(csumFold(csumPartial(mem, at, len, pseudo)), mem, at + 2)
}

/** True when the checksum that covers `len` bytes at `at` fits the addresses of the header at `network`. @kernel csum_ipv6_magic() include/net/ip6_checksum.h */
export function checksumFits(
  mem: Uint8Array,
  network: number,
  at: number,
  len: number,
  protocol: number,
): boolean {
  return csumFold(csumPartial(mem, at, len, csumIpv6Nofold(mem, network + 8, len, protocol))) === 0
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
  return ip6Fragment(ipv6, idev, skb, path)
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

import { msecsToJiffies } from '@vnet/kernel'
import {
  consumeSkb,
  Iff,
  kfreeSkb,
  NET_RX_DROP,
  NET_RX_SUCCESS,
  type NetDevice,
  PACKET_HOST,
  PACKET_LOOPBACK,
  PACKET_OTHERHOST,
  pskbMayPull,
  type SkBuff,
} from '@vnet/netdev'
import {
  ARP_LEN,
  ARPOP_REPLY,
  ARPOP_REQUEST,
  getUnalignedBe16,
  getUnalignedBe32,
  ipv4IsLoopback,
  ipv4IsMulticast,
} from '@vnet/wire'
import { addrTypeDev } from '../fib/addr-type.ts'
import type { InDevice } from '../addr/in-device.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { routeInput } from '../ipv4/route-input.ts'
import { neighLookup } from '../neigh/lookup.ts'
import { neighEventNs, neighUpdate } from '../neigh/update.ts'
import { NeighUpdateFlag, Nud, RtnType } from '../types/constants.ts'
import { arpSend } from './send.ts'
import { arpIgnores } from './ignore.ts'

/** Receives ARP. Softirq context. @kernel arp_rcv() net/ipv4/arp.c */
export function arpRcv(ipv4: Ipv4, skb: SkBuff, dev: NetDevice<any>): number {
  if ((dev.flags & Iff.NOARP) !== 0 || isForeign(skb)) {
    consumeSkb(skb)
    return NET_RX_SUCCESS
  }
  const inDev = ipv4.inDev(dev)
  if (!pskbMayPull(skb, ARP_LEN) || inDev === null || !isForEthernet(skb, dev)) {
    kfreeSkb(skb)
    return NET_RX_DROP
  }
  process(ipv4, inDev, skb)
  consumeSkb(skb)
  return NET_RX_SUCCESS
}

function isForeign(skb: SkBuff): boolean {
  return skb.pktType === PACKET_OTHERHOST || skb.pktType === PACKET_LOOPBACK
}

function isForEthernet(skb: SkBuff, dev: NetDevice<any>): boolean {
  const { mem, data } = skb
  const hardware = getUnalignedBe16(mem, data)
  if (hardware !== 1 && hardware !== 6) return false
  return (
    dev.addrLen === 6 &&
    getUnalignedBe16(mem, data + 2) === 0x0800 &&
    mem[data + 4] === 6 &&
    mem[data + 5] === 4
  )
}

/** @kernel arp_process() net/ipv4/arp.c */
function process(ipv4: Ipv4, inDev: InDevice, skb: SkBuff): void {
  const { mem, data } = skb
  const op = getUnalignedBe16(mem, data + 6)
  const sip = getUnalignedBe32(mem, data + 14)
  const tip = getUnalignedBe32(mem, data + 24)
  if (op !== ARPOP_REQUEST && op !== ARPOP_REPLY) return
  if (ipv4IsMulticast(tip) || ipv4IsLoopback(tip)) return
  if (sip === 0) {
    detect(ipv4, inDev, skb, op, tip)
    return
  }
  if (op === ARPOP_REQUEST && routeInput(ipv4, inDev, PACKET_HOST, sip, tip) === RtnType.LOCAL) {
    answer(ipv4, inDev, skb, sip, tip)
    return
  }
  learn(ipv4, inDev, skb, op, sip, tip)
}

/** Somebody asks whether an address is free (RFC 5227). */
function detect(ipv4: Ipv4, inDev: InDevice, skb: SkBuff, op: number, tip: number): void {
  if (op !== ARPOP_REQUEST || addrTypeDev(ipv4, null, tip) !== RtnType.LOCAL) return
  if (arpIgnores(ipv4, inDev, 0, tip)) return
  reply(inDev.dev, skb, 0, tip)
}

function answer(ipv4: Ipv4, inDev: InDevice, skb: SkBuff, sip: number, tip: number): void {
  const { dev } = inDev
  if (arpIgnores(ipv4, inDev, sip, tip)) return
  const { mem, data } = skb
  if (neighEventNs(ipv4.arp, mem.slice(data + 8, data + 14), mem, dev, data + 14) === null) return
  reply(dev, skb, sip, tip)
}

function reply(dev: NetDevice<any>, skb: SkBuff, sip: number, tip: number): void {
  const sha = skb.mem.slice(skb.data + 8, skb.data + 14)
  arpSend({ op: ARPOP_REPLY, dev, senderIp: tip, targetIp: sip, dstHw: sha, targetHw: sha })
}

/** News of somebody: only of those we have dealings with, unless arp_accept. */
function learn(ipv4: Ipv4, inDev: InDevice, skb: SkBuff, op: number, sip: number, tip: number): void {
  const { mem, data } = skb
  const { dev } = inDev
  const sha = mem.slice(data + 8, data + 14)
  const gratuitous = isGratuitous(ipv4, inDev, skb, op, sip, tip)
  let neigh = neighLookup(ipv4.arp, mem, dev, data + 14)
  if (neigh === null && inDev.cnf.arpAccept && (gratuitous || isNewReply(ipv4, inDev, op, sip))) {
    neigh = neighEventNs(ipv4.arp, sha, mem, dev, data + 14)
  }
  if (neigh === null) return
  const lock = msecsToJiffies(ipv4.kernel, neigh.parms.locktime)
  const override = ipv4.kernel.clock.jiffies > neigh.updated + lock || gratuitous
  const state = op === ARPOP_REPLY && skb.pktType === PACKET_HOST ? Nud.REACHABLE : Nud.STALE
  neighUpdate(neigh, sha, state, override ? NeighUpdateFlag.OVERRIDE : 0)
}

function isNewReply(ipv4: Ipv4, inDev: InDevice, op: number, sip: number): boolean {
  return op === ARPOP_REPLY && addrTypeDev(ipv4, inDev.dev, sip) === RtnType.UNICAST
}

/** @kernel arp_is_garp() net/ipv4/arp.c */
function isGratuitous(
  ipv4: Ipv4,
  inDev: InDevice,
  skb: SkBuff,
  op: number,
  sip: number,
  tip: number,
): boolean {
  if (tip !== sip) return false
  const { mem, data } = skb
  if (op === ARPOP_REPLY) {
    for (let i = 0; i < 6; i++) if (mem[data + 8 + i] !== mem[data + 18 + i]) return false
  }
  return addrTypeDev(ipv4, inDev.dev, sip) === RtnType.UNICAST
}

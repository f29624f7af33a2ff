import type { NetDevice } from './netdevice.ts'
import { SkbDropReason } from './drop-reason.ts'
import { ETH_P_IP, ETH_P_IPV6 } from './eth-addr.ts'
import { PktFeature } from './features.ts'
import { IPPROTO_TCP, IPPROTO_UDP } from './flow.ts'
import { groCompleteAt } from './gro-complete.ts'
import { GRO_NORMAL, GroNode, groRemove } from './gro-node.ts'
import { groTcp } from './gro-tcp.ts'
import { groUdp } from './gro-udp.ts'
import { netifReceiveSkb } from './receive.ts'
import type { RxState } from './rx-state.ts'
import { kfreeSkb } from './skb-free.ts'
import type { SkBuff } from './skbuff.ts'

/** Makes the offload state of one NAPI instance of a device; set it as the instance's flush hook. @kernel gro_init() include/net/gro.h */
export function groInit(dev: NetDevice<any>): GroNode {
  return new GroNode(dev)
}

/**
 * Hands a received packet to the stack, perhaps merged with others of its flow. Softirq context, from a NAPI poll, after `ethTypeTrans`.
 *
 * The packet is gone afterwards (RX-03). A merged packet has `gsoSize` set, asks for a checksum like one that is sent
 * (CHECKSUM_PARTIAL means: it was good), and carries the other payloads on its fragment list.
 *
 * @returns GRO_MERGED, GRO_HELD or GRO_NORMAL
 * @kernel napi_gro_receive() include/linux/netdevice.h
 * @rule RX-03 RX-04
 */
export function groReceiveSkb(gro: GroNode, skb: SkBuff): number {
  const rx = skb.cache.rx
  if (rx !== null && rx.tpGro.enabled) traceGro(rx, skb)
  const { protocol } = skb
  // Asked here, so that what is not IP costs no call.
  const result = protocol === ETH_P_IP || protocol === ETH_P_IPV6 ? tryMerge(gro, skb, protocol) : GRO_NORMAL
  if (result === GRO_NORMAL) netifReceiveSkb(skb)
  return result
}

/** Apart: what is rare must not use up the bytecode V8 inlines. */
function traceGro(rx: RxState, skb: SkBuff): void {
  rx.tpGro.emit(skb.dev?.name ?? '', skb.protocol, skb.len, skb.id)
}

/** Passes up what is held; with `old` only what was held before this jiffy. @kernel gro_flush() include/net/gro.h */
export function groFlush(gro: GroNode, old: boolean): void {
  if (gro.count === 0) return
  const { clock } = gro.kernel
  const now = old ? Math.floor(clock.lastSeen / clock.tickNs) : -1
  for (let b = 0; b < gro.buckets.length; b++) {
    const bucket = gro.buckets[b]!
    // Oldest first; what comes up meanwhile may be held anew, and is not flushed for that.
    for (let n = bucket.count; n > 0 && bucket.count > 0; n--) {
      if (bucket.flows[0]!.age === now) break
      groCompleteAt(gro, bucket, 0)
    }
  }
}

/** Drops what is held: the instance goes away. @kernel flush_gro_hash() net/core/dev.c */
export function groFree(gro: GroNode): void {
  for (const bucket of gro.buckets) {
    while (bucket.count > 0) {
      const flow = groRemove(gro, bucket, 0)
      const skb = flow.skb!
      flow.skb = null
      flow.last = null
      kfreeSkb(skb, SkbDropReason.DEV_READY)
    }
  }
}

function tryMerge(gro: GroNode, skb: SkBuff, protocol: number): number {
  const { dev, data } = skb
  if (dev === null || (dev.pktFeatures & PktFeature.GRO) === 0) return GRO_NORMAL
  // Not ours to change, merged by the card already, or without the alignment that lets headers be compared by words.
  if (skb.users !== 1 || skb.cloned || skb.gsoSize !== 0 || (data & 3) !== 0) return GRO_NORMAL
  if (skb.shinfo.fragList !== null || skb.macHeader < 0) return GRO_NORMAL
  return protocol === ETH_P_IP ? tryMergeV4(gro, skb, data) : tryMergeV6(gro, skb, data)
}

/** @kernel inet_gro_receive() net/ipv4/af_inet.c */
function tryMergeV4(gro: GroNode, skb: SkBuff, nh: number): number {
  const { mem } = skb
  // Version 4 without options, and no fragment.
  if (skb.tail - nh < 28 || mem[nh] !== 0x45) return GRO_NORMAL
  if (((mem[nh + 6]! & 0x3f) | mem[nh + 7]!) !== 0) return GRO_NORMAL
  const proto = mem[nh + 9]!
  if (proto === IPPROTO_TCP ? false : proto !== IPPROTO_UDP || !skb.dev!.groUdp) return GRO_NORMAL
  const sized = ((mem[nh + 2]! << 8) | mem[nh + 3]!) === skb.len
  if (proto === IPPROTO_TCP) return groTcp(gro, skb, nh, nh + 20, false, sized)
  return groUdp(gro, skb, nh, nh + 20, false, sized)
}

/** @kernel ipv6_gro_receive() net/ipv6/ip6_offload.c */
function tryMergeV6(gro: GroNode, skb: SkBuff, nh: number): number {
  const { mem } = skb
  if (skb.tail - nh < 48 || mem[nh]! >> 4 !== 6) return GRO_NORMAL
  const proto = mem[nh + 6]!
  const sized = ((mem[nh + 4]! << 8) | mem[nh + 5]!) === skb.len - 40
  if (proto === IPPROTO_TCP) return groTcp(gro, skb, nh, nh + 40, true, sized)
  if (proto === IPPROTO_UDP && skb.dev!.groUdp) return groUdp(gro, skb, nh, nh + 40, true, sized)
  return GRO_NORMAL
}

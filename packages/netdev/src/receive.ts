import type { NetDevice } from './netdevice.ts'
import { NET_RX_DROP, NET_RX_SUCCESS } from './constants.ts'
import { SkbDropReason } from './drop-reason.ts'
import { ETH_P_8021AD, ETH_P_8021Q } from './eth-addr.ts'
import { PACKET_OTHERHOST, type SkBuff } from './skbuff.ts'
import { type PacketType, deliverTaps } from './packet-type.ts'
import { PTYPE_HASH_SIZE, type RxState, makeRxState } from './rx-state.ts'
import { RX_HANDLER_CONSUMED } from './rx-handler.ts'
import { skbName } from './skb-cache.ts'
import { skbCheckOffsets } from './skb-check.ts'
import { skbClone } from './skb-clone.ts'
import { consumeSkb, kfreeSkb } from './skb-free.ts'
import { skbVlanUntag } from './vlan-untag.ts'

/**
 * Hands a received packet to the stack: taps, then the receivers of its protocol. Softirq context, from a NAPI poll.
 *
 * The packet is gone afterwards: do not touch it (RX-03). One that nobody takes counts in the device's `rxDropped`,
 * as one that is broken does; the drop reason tells them apart.
 *
 * @returns NET_RX_SUCCESS or NET_RX_DROP; drivers need not look
 * @kernel netif_receive_skb() net/core/dev.c
 * @rule RX-01 RX-03 RX-04 STAT-15
 */
export function netifReceiveSkb(skb: SkBuff): number {
  const { cache } = skb
  const rx = cache.rx === null ? makeRxState(cache) : cache.rx
  const { dev } = skb
  if (cache.checks && !mayReceive(skb)) return NET_RX_DROP
  rx.received++
  if (dev === null) return refuse(rx, skb)
  if (rx.tpReceive.enabled) traceReceive(rx, skb, dev)
  skb.networkHeader = skb.data
  if (skb.transportHeader < 0) skb.transportHeader = skb.data
  let { protocol } = skb
  if (protocol === ETH_P_8021Q || protocol === ETH_P_8021AD) {
    if (!skbVlanUntag(skb)) return drop(rx, skb, dev, SkbDropReason.PKT_TOO_SMALL)
    protocol = skb.protocol
  }
  const listeners = rx.taps.length === 0 ? 0 : deliverTaps(rx, skb, dev)
  if (dev.rxHandler !== null && dev.rxHandler(skb, dev) === RX_HANDLER_CONSUMED) return handled(rx)
  if (skb.vlanPresent) noVlanDevice(skb)
  const list = rx.types[protocol & (PTYPE_HASH_SIZE - 1)]!
  let last: PacketType | null = null
  for (let i = 0; i < list.length; i++) {
    const pt = list[i]!
    if (pt.type !== protocol || (pt.dev != null && pt.dev !== dev)) continue
    if (last !== null) deliverClone(last, skb, dev)
    last = pt
  }
  if (last === null) return listeners > 0 ? onlyTaps(rx, skb) : noHandler(rx, skb, dev)
  rx.delivered++
  return last.func(skb, dev)
}

function handled(rx: RxState): number {
  rx.delivered++
  return NET_RX_SUCCESS
}

/** Apart: what is rare must not use up the bytecode V8 inlines. */
function traceReceive(rx: RxState, skb: SkBuff, dev: NetDevice<any>): void {
  rx.tpReceive.emit(dev.name, skb.protocol, skb.len, skb.id)
}

/** Hands over a list of packets linked by `next`, in order. @kernel netif_receive_skb_list() net/core/dev.c @rule RX-03 */
export function netifReceiveSkbList(first: SkBuff | null): void {
  for (let skb = first; skb !== null;) {
    const next: SkBuff | null = skb.next
    skb.next = null
    netifReceiveSkb(skb)
    skb = next
  }
}

/** No VLAN device took it: unless the tag only carries a priority, it is for somebody else. @kernel __netif_receive_skb_core() net/core/dev.c */
function noVlanDevice(skb: SkBuff): void {
  if ((skb.vlanTci & 0xfff) !== 0) skb.pktType = PACKET_OTHERHOST
  skb.vlanPresent = false
  skb.vlanTci = 0
  skb.vlanProto = 0
}

function deliverClone(pt: PacketType, skb: SkBuff, dev: NetDevice<any>): void {
  const clone = skbClone(skb)
  if (clone !== null) pt.func(clone, dev)
}

/** Only taps wanted it: that is no drop. */
function onlyTaps(rx: RxState, skb: SkBuff): number {
  rx.delivered++
  consumeSkb(skb)
  return NET_RX_SUCCESS
}

function noHandler(rx: RxState, skb: SkBuff, dev: NetDevice<any>): number {
  // Protocol 0 is what `ethTypeTrans` leaves of a frame without a whole header.
  if (skb.protocol === 0) return drop(rx, skb, dev, SkbDropReason.PKT_TOO_SMALL)
  rx.nohandler++
  dev.coreStats.rxDropped++
  kfreeSkb(skb, SkbDropReason.UNHANDLED_PROTO)
  return NET_RX_DROP
}

function drop(rx: RxState, skb: SkBuff, dev: NetDevice<any>, reason: number): number {
  rx.dropped++
  dev.coreStats.rxDropped++
  kfreeSkb(skb, reason)
  return NET_RX_DROP
}

function mayReceive(skb: SkBuff): boolean {
  const { kernel } = skb.cache
  if (skb.users <= 0) {
    kernel.warnOn('SKB-06', `netifReceiveSkb of ${skbName(skb)} after it was freed`)
    return false
  }
  skbCheckOffsets(skb, 'the driver')
  if (kernel.ctx === 'hardirq') {
    kernel.warnOn(
      'CTX-06',
      `netifReceiveSkb of ${skbName(skb)} in an interrupt handler: use netifRx, or better NAPI`,
    )
  }
  if (kernel.lockdep.heldCount > 0) {
    kernel.warnOn(
      'CTX-08',
      `netifReceiveSkb of ${skbName(skb)} with lock ${kernel.lockdep.heldNames().join(', ')} held`,
    )
  }
  if (skb.dev !== null && skb.macHeader < 0) {
    kernel.warnOn(
      'RX-01',
      `${skbName(skb)} goes up without ethTypeTrans: it has no protocol and no link header`,
    )
  }
  return true
}

function refuse(rx: RxState, skb: SkBuff): number {
  skb.cache.kernel.warnOn('RX-01', `${skbName(skb)} goes up without a device: call ethTypeTrans first`)
  rx.dropped++
  kfreeSkb(skb, SkbDropReason.DEV_READY)
  return NET_RX_DROP
}

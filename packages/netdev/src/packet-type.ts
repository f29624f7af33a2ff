import type { Kernel } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import { ETH_P_ALL } from './eth-addr.ts'
import { PACKET_OUTGOING, type SkBuff } from './skbuff.ts'
import { PTYPE_HASH_SIZE, type RxState, rxStateOf } from './rx-state.ts'
import { skbClone } from './skb-clone.ts'

/**
 * A receiver of packets: one protocol, or everything.
 *
 * `func` owns the packet it is given and frees it. `data` stands at the network header, the link header is at
 * `skb.macHeader`. Softirq context. A tap (type ETH_P_ALL) gets a clone, also of what is sent, marked PACKET_OUTGOING.
 *
 * @kernel struct packet_type include/linux/netdevice.h
 */
export interface PacketType {
  /** EtherType in host order, or ETH_P_ALL. */
  readonly type: number
  /** Only packets of this device; all when absent. */
  readonly dev?: NetDevice<any> | null
  func(skb: SkBuff, dev: NetDevice<any>): number
}

/** Starts handing packets to a receiver. @kernel dev_add_pack() net/core/dev.c */
export function devAddPack(kernel: Kernel, pt: PacketType): void {
  const rx = rxStateOf(kernel)
  if (pt.type === ETH_P_ALL) rx.taps = [...rx.taps, pt]
  else {
    const slot = pt.type & (PTYPE_HASH_SIZE - 1)
    rx.types[slot] = [...rx.types[slot]!, pt]
  }
}

/** Stops it; nothing is handed over any more when this returns. @returns false when it was not there @kernel dev_remove_pack() net/core/dev.c */
export function devRemovePack(kernel: Kernel, pt: PacketType): boolean {
  const rx = rxStateOf(kernel)
  const slot = pt.type & (PTYPE_HASH_SIZE - 1)
  const list = pt.type === ETH_P_ALL ? rx.taps : rx.types[slot]!
  const rest = list.filter((other) => other !== pt)
  if (pt.type === ETH_P_ALL) rx.taps = rest
  else rx.types[slot] = rest
  return rest.length !== list.length
}

/** Gives every tap of the device a clone; returns how many there were. @kernel deliver_skb() net/core/dev.c */
export function deliverTaps(rx: RxState, skb: SkBuff, dev: NetDevice<any>): number {
  const { taps } = rx
  let listeners = 0
  for (let i = 0; i < taps.length; i++) {
    const pt = taps[i]!
    if (pt.dev != null && pt.dev !== dev) continue
    listeners++
    const clone = skbClone(skb)
    if (clone !== null) pt.func(clone, dev)
  }
  return listeners
}

/** True when somebody listens to everything: then `devQueueXmitNit` has work. @kernel dev_nit_active() net/core/dev.c */
export function devNitActive(dev: NetDevice<any>): boolean {
  return dev.net.rx.taps.length !== 0
}

/**
 * Shows a packet that is about to be sent to the taps. Its `data` stands at the link header.
 *
 * @kernel dev_queue_xmit_nit() net/core/dev.c
 */
export function devQueueXmitNit(skb: SkBuff, dev: NetDevice<any>): void {
  const { taps } = dev.net.rx
  for (let i = 0; i < taps.length; i++) {
    const pt = taps[i]!
    if (pt.dev != null && pt.dev !== dev) continue
    const clone = skbClone(skb)
    if (clone === null) continue
    clone.macHeader = clone.data
    if (clone.networkHeader < clone.data || clone.networkHeader > clone.tail) {
      clone.networkHeader = Math.min(clone.data + dev.hardHeaderLen, clone.tail)
    }
    clone.pktType = PACKET_OUTGOING
    clone.dev = dev
    pt.func(clone, dev)
  }
}

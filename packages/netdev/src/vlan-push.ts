import { ETH_P_8021Q } from './eth-addr.ts'
import { skbCow } from './skb-expand.ts'
import { kfreeSkb } from './skb-free.ts'
import { skbPush } from './skb-ops.ts'
import { SkbDropReason } from './drop-reason.ts'
import type { SkBuff } from './skbuff.ts'

const VLAN_HLEN = 4
const MACS = 12

/**
 * Writes the packet's VLAN tag into the packet: for cards that do not.
 *
 * @returns the packet, or null: it was dropped for want of memory
 * @kernel __vlan_hwaccel_push_inside() include/linux/if_vlan.h
 * @rule FEAT-06
 */
export function vlanHwaccelPushInside(skb: SkBuff): SkBuff | null {
  if (!skbCow(skb, VLAN_HLEN)) {
    kfreeSkb(skb, SkbDropReason.NOMEM)
    return null
  }
  skbPush(skb, VLAN_HLEN)
  const { mem, data } = skb
  mem.copyWithin(data, data + VLAN_HLEN, data + VLAN_HLEN + MACS)
  const proto = skb.vlanProto === 0 ? ETH_P_8021Q : skb.vlanProto
  mem[data + MACS] = proto >> 8
  mem[data + MACS + 1] = proto & 0xff
  mem[data + MACS + 2] = (skb.vlanTci >> 8) & 0xff
  mem[data + MACS + 3] = skb.vlanTci & 0xff
  skb.protocol = proto
  skb.macHeader = data
  skb.vlanPresent = false
  return skb
}

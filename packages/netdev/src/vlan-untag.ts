import { copyBytes } from '@vnet/kernel'
import { ETH_P_802_3_MIN, VLAN_HLEN } from './eth-addr.ts'
import { protocolOf8023 } from './eth.ts'
import type { SkBuff } from './skbuff.ts'
import { pskbMayPull, skbUnclone } from './skb-expand.ts'

/**
 * Takes the VLAN tag out of a received frame and keeps it in `vlanTci`. A packet with a tag there already stays as it is.
 *
 * @returns false when the frame is too short or there is no memory: the caller drops it
 * @kernel skb_vlan_untag() net/core/skbuff.c
 */
export function skbVlanUntag(skb: SkBuff): boolean {
  if (skb.vlanPresent) return true
  // The tag, and two bytes to tell 802.2 from raw 802.3.
  if (!pskbMayPull(skb, VLAN_HLEN + 2) || !skbUnclone(skb)) return false
  const { mem, data } = skb
  skb.vlanProto = skb.protocol
  skb.vlanTci = (mem[data]! << 8) | mem[data + 1]!
  skb.vlanPresent = true
  const type = (mem[data + 2]! << 8) | mem[data + 3]!
  skb.data = data + VLAN_HLEN
  skb.len -= VLAN_HLEN
  skb.protocol = type >= ETH_P_802_3_MIN ? type : protocolOf8023(skb)
  // The addresses move up against the inner type, so that the link header reads as if there had been no tag.
  if (skb.macHeader >= 0) {
    copyBytes(mem, skb.macHeader + VLAN_HLEN, mem, skb.macHeader, data - 2 - skb.macHeader)
    skb.macHeader += VLAN_HLEN
  }
  skb.networkHeader = skb.data
  skb.transportHeader = skb.data
  return true
}

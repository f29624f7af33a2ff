import { PktFeature, NETIF_F_GSO_SHIFT } from './features.ts'
import { skbChecksumHelp } from './checksum.ts'
import { ETH_P_8021AD, ETH_P_IP, ETH_P_IPV6 } from './eth-addr.ts'
import { skbGsoSegment } from './gso.ts'
import type { NetDevice } from './netdevice.ts'
import { SkbDropReason } from './drop-reason.ts'
import { skbLinearize } from './skb-expand.ts'
import { consumeSkb, kfreeSkb } from './skb-free.ts'
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY, type SkBuff } from './skbuff.ts'
import { vlanHwaccelPushInside } from './vlan-push.ts'

const VLAN_FEATURES = PktFeature.HW_VLAN_CTAG_TX | PktFeature.HW_VLAN_STAG_TX

/**
 * What the device can do for this one packet: its features, less what the packet's size, type, tag or the driver forbid.
 *
 * @returns packet features, see `PktFeature`
 * @kernel netif_skb_features() net/core/dev.c
 * @rule FEAT-07
 */
export function netifSkbFeatures(skb: SkBuff, dev: NetDevice<any>): number {
  let features = dev.pktFeatures
  if (skb.gsoSize !== 0 && (skb.gsoSegs > dev.gsoMaxSegs || skb.len > dev.gsoMaxSize))
    features &= ~PktFeature.GSO_MASK
  if (skb.vlanPresent) features &= Number(dev.vlanFeatures & 0x7fffffffn) | VLAN_FEATURES
  const { ops } = dev
  if (ops.ndoFeaturesCheck !== undefined) features &= ops.ndoFeaturesCheck(skb, dev, features)
  // Without a checksum the card can make, it cannot cut segments either.
  if (skb.ipSummed !== CHECKSUM_NONE && !canChecksumProtocol(features, skb.protocol)) {
    features &= ~(PktFeature.CSUM_MASK | PktFeature.GSO_MASK)
  }
  return features
}

/** True when one of the checksum features covers a protocol. @kernel can_checksum_protocol() include/linux/netdevice.h */
function canChecksumProtocol(features: number, protocol: number): boolean {
  if ((features & PktFeature.HW_CSUM) !== 0) return true
  if (protocol === ETH_P_IP) return (features & PktFeature.IP_CSUM) !== 0
  if (protocol === ETH_P_IPV6) return (features & PktFeature.IPV6_CSUM) !== 0
  return false
}

/** True when the core must cut the packet before the driver sees it. @kernel netif_needs_gso() include/linux/netdevice.h */
export function netifNeedsGso(skb: SkBuff, features: number): boolean {
  if (skb.gsoSize === 0) return false
  const needed = skb.gsoType << NETIF_F_GSO_SHIFT
  if ((needed & features) !== needed) return true
  if (skb.shinfo.fragList !== null && (features & PktFeature.FRAGLIST) === 0) return true
  return skb.ipSummed !== CHECKSUM_PARTIAL && skb.ipSummed !== CHECKSUM_UNNECESSARY
}

/**
 * Makes a packet one the device can send: tags, segments, makes linear, sums what the card will not.
 *
 * @returns the packet, a list when it was cut, or null: dropped and counted
 * @kernel validate_xmit_skb() net/core/dev.c
 * @rule CSUM-02 FEAT-06
 */
export function validateXmitSkb(skb: SkBuff, dev: NetDevice<any>): SkBuff | null {
  return isPlain(skb) ? skb : validateSlow(skb, dev)
}

/** The common packet asks nothing of the device. @kernel none */
export function isPlain(skb: SkBuff): boolean {
  // 3: CHECKSUM_PARTIAL
  return (skb.dataLen | skb.gsoSize) === 0 && skb.ipSummed !== 3 && !skb.vlanPresent
}

function validateSlow(skb: SkBuff, dev: NetDevice<any>): SkBuff | null {
  const features = netifSkbFeatures(skb, dev)
  let tagged: SkBuff | null = skb
  if (skb.vlanPresent && (features & vlanFeature(skb)) === 0) tagged = vlanHwaccelPushInside(skb)
  if (tagged === null) return lost(null, dev, SkbDropReason.NOMEM)
  return netifNeedsGso(tagged, features) ? segment(tagged, dev, features) : prepare(tagged, dev, features)
}

function vlanFeature(skb: SkBuff): number {
  return skb.vlanProto === ETH_P_8021AD ? PktFeature.HW_VLAN_STAG_TX : PktFeature.HW_VLAN_CTAG_TX
}

function segment(skb: SkBuff, dev: NetDevice<any>, features: number): SkBuff | null {
  const segments = skbGsoSegment(skb, features)
  if (segments === null) return lost(skb, dev, SkbDropReason.SKB_GSO_SEG)
  if (segments !== skb) consumeSkb(skb)
  return segments
}

function prepare(skb: SkBuff, dev: NetDevice<any>, features: number): SkBuff | null {
  if (needsLinearize(skb, features) && !skbLinearize(skb)) return lost(skb, dev, SkbDropReason.NOMEM)
  if (
    skb.ipSummed === CHECKSUM_PARTIAL &&
    (features & PktFeature.CSUM_MASK) === 0 &&
    skbChecksumHelp(skb) !== 0
  ) {
    return lost(skb, dev, SkbDropReason.SKB_CSUM)
  }
  return skb
}

function needsLinearize(skb: SkBuff, features: number): boolean {
  if (skb.dataLen === 0) return false
  if (skb.shinfo.fragList !== null && (features & PktFeature.FRAGLIST) === 0) return true
  return skb.shinfo.nrFrags !== 0 && (features & PktFeature.SG) === 0
}

function lost(skb: SkBuff | null, dev: NetDevice<any>, reason: number): null {
  dev.coreStats.txDropped++
  if (skb !== null) kfreeSkb(skb, reason)
  return null
}

/** The same for a list; what is dropped falls out of it. @kernel validate_xmit_skb_list() net/core/dev.c */
export function validateXmitSkbList(list: SkBuff, dev: NetDevice<any>): SkBuff | null {
  let plain: SkBuff | null = list
  while (plain !== null && isPlain(plain)) plain = plain.next
  return plain === null ? list : validateEach(list, dev)
}

function validateEach(list: SkBuff, dev: NetDevice<any>): SkBuff | null {
  let head: SkBuff | null = null
  let tail: SkBuff | null = null
  let skb: SkBuff | null = list
  while (skb !== null) {
    const next: SkBuff | null = skb.next
    skb.next = null
    const ready = validateXmitSkb(skb, dev)
    if (ready !== null) {
      if (tail === null) head = ready
      else tail.next = ready
      tail = ready
      while (tail.next !== null) tail = tail.next
    }
    skb = next
  }
  return head
}

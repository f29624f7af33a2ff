import { ARP_LEN, ARPOP_REPLY, ARPOP_REQUEST, buildArp } from '../arp.ts'
import { buildEth, ETH_HLEN } from '../eth.ts'
import { ETH_P_ARP } from '../ethertype.ts'
import type { Ipv4Address } from '../ipv4-address.ts'
import { MAC_BROADCAST, MAC_ZERO, type MacAddress } from '../mac.ts'

/** A question: who has this address? */
export interface ArpRequestFields {
  readonly senderMac: MacAddress
  readonly senderIp: Ipv4Address
  readonly targetIp: Ipv4Address
  /** Where the frame goes: broadcast unless given. */
  readonly dst?: MacAddress
}

/**
 * Builds a frame that asks who has an address.
 *
 * 42 bytes, as a stack sends it: a card pads to 60 (`padFrame`).
 *
 * @throws RangeError when an address is wrong.
 * @kernel arp_create() net/ipv4/arp.c
 */
export function arpRequest(fields: ArpRequestFields): Uint8Array {
  const frame = new Uint8Array(ETH_HLEN + ARP_LEN)
  buildEth(frame, 0, { dst: fields.dst ?? MAC_BROADCAST, src: fields.senderMac, proto: ETH_P_ARP })
  buildArp(frame, ETH_HLEN, {
    operation: ARPOP_REQUEST,
    senderMac: fields.senderMac,
    senderIp: fields.senderIp,
    targetMac: MAC_ZERO,
    targetIp: fields.targetIp,
  })
  return frame
}

/** An answer: I have it. */
export interface ArpReplyFields {
  readonly senderMac: MacAddress
  readonly senderIp: Ipv4Address
  readonly targetMac: MacAddress
  readonly targetIp: Ipv4Address
}

/**
 * Builds a frame that tells `targetMac` who has `senderIp`.
 *
 * 42 bytes, as a stack sends it: a card pads to 60 (`padFrame`).
 *
 * @throws RangeError when an address is wrong.
 * @kernel arp_create() net/ipv4/arp.c
 */
export function arpReply(fields: ArpReplyFields): Uint8Array {
  const frame = new Uint8Array(ETH_HLEN + ARP_LEN)
  buildEth(frame, 0, { dst: fields.targetMac, src: fields.senderMac, proto: ETH_P_ARP })
  buildArp(frame, ETH_HLEN, { operation: ARPOP_REPLY, ...fields })
  return frame
}

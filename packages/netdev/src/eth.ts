import { LITTLE_ENDIAN } from './byte-order.ts'
import type { NetDevice } from './netdevice.ts'
import { ETH_HLEN, ETH_P_802_2, ETH_P_802_3, etherAddrEqual } from './eth-addr.ts'
import { PACKET_BROADCAST, PACKET_HOST, PACKET_MULTICAST, PACKET_OTHERHOST, type SkBuff } from './skbuff.ts'
import { skbMayChange } from './skb-check.ts'

/**
 * Reads the Ethernet header of a received frame: sets `dev`, `protocol`, `pktType` and `macHeader`, and pulls 14 bytes.
 *
 * The driver calls it once for each frame, after counting its bytes (STAT-01), before passing it up.
 *
 * @returns the protocol in host order, also stored in the packet; 0 for a frame of less than 14 bytes, from which
 * nothing is pulled: a driver counts it as a length error, and the stack drops it
 * @kernel eth_type_trans() net/ethernet/eth.c
 * @rule RX-01 RX-02 RX-08
 */
export function ethTypeTrans(skb: SkBuff, dev: NetDevice<any>): number {
  if (skb.cache.checks) skbMayChange(skb, 'ethTypeTrans')
  const mac = skb.data
  const { mem } = skb
  skb.dev = dev
  skb.macHeader = mac
  if (skb.tail - mac < 14) {
    skb.protocol = 0
    return 0
  }
  skb.data = mac + 14
  skb.len -= 14
  skb.pktType = packetType(mem, skb.shinfo.i32, mac, dev)
  const type = (mem[mac + 12]! << 8) | mem[mac + 13]!
  // From 0x0600 on it is a type, below it a length.
  const protocol = type >= 0x0600 ? type : protocolOf8023(skb)
  skb.protocol = protocol
  return protocol
}

/** What kind of address a frame was sent to, seen from a device. Runs for each packet: most are for the device itself. */
function packetType(mem: Uint8Array, words: Int32Array, mac: number, dev: NetDevice<any>): number {
  const own = dev.devAddr
  // With the IP header aligned, as it should be (RX-10), four bytes of the address are one word.
  if (
    LITTLE_ENDIAN &&
    (mac & 3) === 2 &&
    words[(mac + 2) >> 2] === (own[2]! | (own[3]! << 8) | (own[4]! << 16) | (own[5]! << 24)) &&
    mem[mac + 1] === own[1] &&
    mem[mac] === own[0]
  )
    return 0 // PACKET_HOST
  return packetTypeOther(mem, mac, dev)
}

/** Apart: what is less common must not use up the bytecode V8 inlines. */
function packetTypeOther(mem: Uint8Array, mac: number, dev: NetDevice<any>): number {
  if (etherAddrEqual(mem, mac, dev.devAddr, 0)) return PACKET_HOST
  if ((mem[mac]! & 1) === 0) return PACKET_OTHERHOST
  return etherAddrEqual(mem, mac, dev.broadcast, 0) ? PACKET_BROADCAST : PACKET_MULTICAST
}

/** The type field held a length: Novell's raw frames start with ffff, all others are 802.2. `data` is after the header. @kernel eth_type_trans() net/ethernet/eth.c */
export function protocolOf8023(skb: SkBuff): number {
  const { mem, data } = skb
  if (skb.tail - data >= 2 && mem[data] === 0xff && mem[data + 1] === 0xff) return ETH_P_802_3
  return ETH_P_802_2
}

/**
 * Puts an Ethernet header in front of a packet. Needs 14 bytes of headroom.
 *
 * @param type - the protocol, or for ETH_P_802_3 and ETH_P_802_2 the length is written instead
 * @param dst - null leaves the destination zero, for whoever resolves it later
 * @param src - null takes the device's own address
 * @returns 14, or -14 when the destination is still missing
 * @kernel eth_header() net/ethernet/eth.c
 */
export function ethHeader(
  skb: SkBuff,
  dev: NetDevice<any>,
  type: number,
  dst: Uint8Array | null,
  src: Uint8Array | null = null,
): number {
  const len = skb.len
  const before = skb.data
  const at = before - ETH_HLEN
  if (at < skb.head) {
    // Reports with both numbers.
    skb.cache.kernel.warnOn(
      'SKB-02',
      `ethHeader of ${dev.name} needs ${ETH_HLEN} bytes of headroom, has ${before - skb.head}`,
    )
    return -ETH_HLEN
  }
  skb.data = at
  skb.len = len + ETH_HLEN
  const { mem } = skb
  const from = src ?? dev.devAddr
  for (let i = 0; i < 6; i++) {
    mem[at + i] = dst === null ? 0 : dst[i]!
    mem[at + 6 + i] = from[i]!
  }
  const field = type === ETH_P_802_3 || type === ETH_P_802_2 ? len : type
  mem[at + 12] = field >> 8
  mem[at + 13] = field
  return dst === null ? -ETH_HLEN : ETH_HLEN
}

/**
 * Where the Ethernet header of a received packet starts in `skb.mem`: destination at +0, source at +6, type at +12.
 *
 * @kernel eth_hdr() include/linux/if_ether.h
 */
export function ethHdr(skb: SkBuff): number {
  return skb.macHeader
}

import { clampEnd, getUnalignedBe16, needRange, needRoom, putUnalignedBe16 } from './bytes.ts'
import { ETH_P_IP } from './ethertype.ts'
import { formatIpv4AddressAt, type Ipv4Address, putIpv4 } from './ipv4-address.ts'
import { ETH_ALEN, formatMac, type MacAddress, putMac } from './mac.ts'

/**
 * Bytes in an ARP message between Ethernet and IPv4 addresses.
 *
 * @kernel arp_hdr_len() include/linux/if_arp.h
 */
export const ARP_LEN = 28

/**
 * Who has this address?
 *
 * @kernel ARPOP_REQUEST include/uapi/linux/if_arp.h
 */
export const ARPOP_REQUEST = 1

/**
 * I have it.
 *
 * @kernel ARPOP_REPLY include/uapi/linux/if_arp.h
 */
export const ARPOP_REPLY = 2

/**
 * Hardware type: Ethernet.
 *
 * @kernel ARPHRD_ETHER include/uapi/linux/if_arp.h
 */
export const ARPHRD_ETHER = 1

/** An ARP message between Ethernet and IPv4 addresses, read. */
export interface ArpMessage {
  readonly operation: number
  readonly senderMac: string
  readonly senderIp: string
  readonly targetMac: string
  readonly targetIp: string
}

/**
 * Reads an ARP message; null when it is cut short or not about Ethernet and IPv4.
 *
 * @kernel arp_process() net/ipv4/arp.c
 */
export function parseArp(bytes: Uint8Array, off = 0, len = bytes.length - off): ArpMessage | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < ARP_LEN) return null
  if (getUnalignedBe16(bytes, off) !== ARPHRD_ETHER || getUnalignedBe16(bytes, off + 2) !== ETH_P_IP)
    return null
  if (bytes[off + 4] !== ETH_ALEN || bytes[off + 5] !== 4) return null
  return {
    operation: getUnalignedBe16(bytes, off + 6),
    senderMac: formatMac(bytes, off + 8),
    senderIp: formatIpv4AddressAt(bytes, off + 14),
    targetMac: formatMac(bytes, off + 18),
    targetIp: formatIpv4AddressAt(bytes, off + 24),
  }
}

/** What an ARP message says. */
export interface ArpFields {
  readonly operation: number
  readonly senderMac: MacAddress
  readonly senderIp: Ipv4Address
  readonly targetMac: MacAddress
  readonly targetIp: Ipv4Address
}

/**
 * Writes an ARP message at `off`.
 *
 * @returns 28, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel arp_create() net/ipv4/arp.c
 */
export function buildArp(out: Uint8Array, off: number, fields: ArpFields): number {
  needRoom(out, off, ARP_LEN, 'an ARP message')
  putUnalignedBe16(ARPHRD_ETHER, out, off)
  putUnalignedBe16(ETH_P_IP, out, off + 2)
  out[off + 4] = ETH_ALEN
  out[off + 5] = 4
  putUnalignedBe16(needRange(fields.operation, 0xffff, 'an ARP operation'), out, off + 6)
  putMac(fields.senderMac, out, off + 8)
  putIpv4(fields.senderIp, out, off + 14)
  putMac(fields.targetMac, out, off + 18)
  putIpv4(fields.targetIp, out, off + 24)
  return ARP_LEN
}

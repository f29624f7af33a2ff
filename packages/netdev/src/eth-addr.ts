import { Errno, type Kernel } from '@vnet/kernel'

/** Bytes of an Ethernet address. @kernel ETH_ALEN include/uapi/linux/if_ether.h */
export const ETH_ALEN = 6
/** Bytes of an Ethernet header. @kernel ETH_HLEN include/uapi/linux/if_ether.h */
export const ETH_HLEN = 14
/** Shortest frame without checksum. @kernel ETH_ZLEN include/uapi/linux/if_ether.h @rule TXQ-17 */
export const ETH_ZLEN = 60
/** Most payload of a standard frame. @kernel ETH_DATA_LEN include/uapi/linux/if_ether.h */
export const ETH_DATA_LEN = 1500
/** Longest standard frame without checksum. @kernel ETH_FRAME_LEN include/uapi/linux/if_ether.h */
export const ETH_FRAME_LEN = 1514
/** Bytes of the frame check sequence. @kernel ETH_FCS_LEN include/uapi/linux/if_ether.h */
export const ETH_FCS_LEN = 4
/** Bytes of a VLAN tag. @kernel VLAN_HLEN include/linux/if_vlan.h */
export const VLAN_HLEN = 4
/** Smallest value of a type field that is a type and not a length. @kernel ETH_P_802_3_MIN include/uapi/linux/if_ether.h @rule RX-02 */
export const ETH_P_802_3_MIN = 0x0600
/** Raw 802.3 frame (Novell). @kernel ETH_P_802_3 include/uapi/linux/if_ether.h */
export const ETH_P_802_3 = 0x0001
/** Every protocol: for taps. @kernel ETH_P_ALL include/uapi/linux/if_ether.h */
export const ETH_P_ALL = 0x0003
/** 802.2 frame. @kernel ETH_P_802_2 include/uapi/linux/if_ether.h */
export const ETH_P_802_2 = 0x0004
/** IPv4. @kernel ETH_P_IP include/uapi/linux/if_ether.h */
export const ETH_P_IP = 0x0800
/** ARP. @kernel ETH_P_ARP include/uapi/linux/if_ether.h */
export const ETH_P_ARP = 0x0806
/** A VLAN tag. @kernel ETH_P_8021Q include/uapi/linux/if_ether.h */
export const ETH_P_8021Q = 0x8100
/** IPv6. @kernel ETH_P_IPV6 include/uapi/linux/if_ether.h */
export const ETH_P_IPV6 = 0x86dd
/** An outer (service) VLAN tag. @kernel ETH_P_8021AD include/uapi/linux/if_ether.h */
export const ETH_P_8021AD = 0x88a8

/** True for a group address, broadcast among them. @kernel is_multicast_ether_addr() include/linux/etherdevice.h */
export function isMulticastEtherAddr(addr: Uint8Array, offset = 0): boolean {
  return (addr[offset]! & 1) !== 0
}

/** True for an address somebody made up. @kernel is_local_ether_addr() include/linux/etherdevice.h */
export function isLocalEtherAddr(addr: Uint8Array, offset = 0): boolean {
  return (addr[offset]! & 2) !== 0
}

/** True for 00:00:00:00:00:00. @kernel is_zero_ether_addr() include/linux/etherdevice.h */
export function isZeroEtherAddr(addr: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < ETH_ALEN; i++) if (addr[offset + i] !== 0) return false
  return true
}

/** True for ff:ff:ff:ff:ff:ff. @kernel is_broadcast_ether_addr() include/linux/etherdevice.h */
export function isBroadcastEtherAddr(addr: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < ETH_ALEN; i++) if (addr[offset + i] !== 0xff) return false
  return true
}

/** True for six bytes that may be a device's address: not zero, not a group. @kernel is_valid_ether_addr() include/linux/etherdevice.h @rule ADDR-01 */
export function isValidEtherAddr(addr: Uint8Array, offset = 0): boolean {
  return (
    addr.length - offset >= ETH_ALEN && !isMulticastEtherAddr(addr, offset) && !isZeroEtherAddr(addr, offset)
  )
}

/** True when two addresses are the same. @kernel ether_addr_equal() include/linux/etherdevice.h */
export function etherAddrEqual(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  return (
    a[aOffset] === b[bOffset] &&
    a[aOffset + 1] === b[bOffset + 1] &&
    a[aOffset + 2] === b[bOffset + 2] &&
    a[aOffset + 3] === b[bOffset + 3] &&
    a[aOffset + 4] === b[bOffset + 4] &&
    a[aOffset + 5] === b[bOffset + 5]
  )
}

/** A made-up unicast address, marked as such. The same seed gives the same one. @kernel eth_random_addr() include/linux/etherdevice.h @rule ADDR-04 */
export function ethRandomAddr(kernel: Kernel): Uint8Array {
  const addr = new Uint8Array(ETH_ALEN)
  for (let i = 0; i < ETH_ALEN; i++) addr[i] = kernel.rng.below(256)
  addr[0] = (addr[0]! & 0xfe) | 0x02
  return addr
}

/** An address as text, e.g. '02:00:00:00:00:01'. @kernel %pM lib/vsprintf.c */
export function formatMac(addr: Uint8Array, offset = 0): string {
  let text = ''
  for (let i = 0; i < ETH_ALEN; i++) {
    if (i > 0) text += ':'
    text += (addr[offset + i] ?? 0).toString(16).padStart(2, '0')
  }
  return text
}

/** Reads an address; parts may have one digit or two. Throws Errno EINVAL. @kernel mac_pton() lib/net_utils.c */
export function parseMac(text: string): Uint8Array {
  const parts = text.split(/[:-]/)
  if (parts.length !== ETH_ALEN || !parts.every((part) => /^[0-9a-fA-F]{1,2}$/.test(part))) {
    throw new Errno('EINVAL', `"${text}" is invalid lladdr.`)
  }
  return Uint8Array.from(parts, (part) => parseInt(part, 16))
}

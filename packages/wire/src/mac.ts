import { needRoom } from './bytes.ts'

/**
 * Bytes in an Ethernet address.
 *
 * @kernel ETH_ALEN include/uapi/linux/if_ether.h
 */
export const ETH_ALEN = 6

/**
 * The broadcast address as text.
 *
 * @kernel none
 */
export const MAC_BROADCAST = 'ff:ff:ff:ff:ff:ff'

/**
 * The address of all zeros as text: nobody's address.
 *
 * @kernel none
 */
export const MAC_ZERO = '00:00:00:00:00:00'

/** An Ethernet address: text (`'02:00:00:00:00:01'`) or its six bytes. */
export type MacAddress = string | Uint8Array

/** Two hexadecimal digits for every byte value. */
export const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/**
 * Prints six bytes as `02:00:00:00:00:01`; missing bytes print as 00.
 *
 * @kernel %pM Documentation/core-api/printk-formats.rst
 */
export function formatMac(bytes: Uint8Array, off = 0): string {
  let text = HEX[bytes[off] ?? 0]!
  for (let i = 1; i < ETH_ALEN; i++) text += ':' + HEX[bytes[off + i] ?? 0]!
  return text
}

/**
 * Reads `02:00:00:00:00:01` (also with `-`, and one-digit groups); null when it is not an address.
 *
 * @kernel mac_pton() lib/net_utils.c
 */
export function parseMac(text: string): Uint8Array | null {
  const groups = text.split(text.includes('-') ? '-' : ':')
  if (groups.length !== ETH_ALEN) return null
  const mac = new Uint8Array(ETH_ALEN)
  for (let i = 0; i < ETH_ALEN; i++) {
    if (!/^[0-9a-fA-F]{1,2}$/.test(groups[i]!)) return null
    mac[i] = parseInt(groups[i]!, 16)
  }
  return mac
}

/**
 * Writes an address in either form at `off`.
 *
 * @throws RangeError when it is not an Ethernet address, or does not fit.
 * @kernel ether_addr_copy() include/linux/etherdevice.h
 */
export function putMac(mac: MacAddress, out: Uint8Array, off: number): void {
  needRoom(out, off, ETH_ALEN, 'an Ethernet address')
  const bytes = typeof mac === 'string' ? parseMac(mac) : mac
  if (bytes === null || bytes.length !== ETH_ALEN) {
    throw new RangeError(`${String(mac)} is not an Ethernet address: write it like 02:00:00:00:00:01`)
  }
  for (let i = 0; i < ETH_ALEN; i++) out[off + i] = bytes[i]!
}

/**
 * True when the six bytes at `off` are a group address (broadcast included).
 *
 * @kernel is_multicast_ether_addr() include/linux/etherdevice.h
 */
export function isMulticastEtherAddr(bytes: Uint8Array, off = 0): boolean {
  return (bytes[off]! & 1) === 1
}

/**
 * True when the six bytes at `off` are all ones.
 *
 * @kernel is_broadcast_ether_addr() include/linux/etherdevice.h
 */
export function isBroadcastEtherAddr(bytes: Uint8Array, off = 0): boolean {
  return (
    (bytes[off]! &
      bytes[off + 1]! &
      bytes[off + 2]! &
      bytes[off + 3]! &
      bytes[off + 4]! &
      bytes[off + 5]!) ===
    0xff
  )
}

/**
 * True when the six bytes at `off` are all zero.
 *
 * @kernel is_zero_ether_addr() include/linux/etherdevice.h
 */
export function isZeroEtherAddr(bytes: Uint8Array, off = 0): boolean {
  return (
    (bytes[off]! |
      bytes[off + 1]! |
      bytes[off + 2]! |
      bytes[off + 3]! |
      bytes[off + 4]! |
      bytes[off + 5]!) ===
    0
  )
}

/**
 * True when the address was given by an administrator, not by the maker.
 *
 * @kernel is_local_ether_addr() include/linux/etherdevice.h
 */
export function isLocalEtherAddr(bytes: Uint8Array, off = 0): boolean {
  return (bytes[off]! & 2) === 2
}

/**
 * True when a card may have this address: neither a group nor all zeros.
 *
 * @kernel is_valid_ether_addr() include/linux/etherdevice.h
 */
export function isValidEtherAddr(bytes: Uint8Array, off = 0): boolean {
  return !isMulticastEtherAddr(bytes, off) && !isZeroEtherAddr(bytes, off)
}

/**
 * True when two addresses in buffers are the same.
 *
 * @kernel ether_addr_equal() include/linux/etherdevice.h
 */
export function etherAddrEqual(a: Uint8Array, aOff: number, b: Uint8Array, bOff: number): boolean {
  return (
    a[aOff] === b[bOff] &&
    a[aOff + 1] === b[bOff + 1] &&
    a[aOff + 2] === b[bOff + 2] &&
    a[aOff + 3] === b[bOff + 3] &&
    a[aOff + 4] === b[bOff + 4] &&
    a[aOff + 5] === b[bOff + 5]
  )
}

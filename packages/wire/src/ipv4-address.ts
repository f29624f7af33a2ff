import { getUnalignedBe32, needRange, needRoom, putUnalignedBe32 } from './bytes.ts'

/** An IPv4 address: text (`'10.0.0.1'`), its number in host order (0x0a000001), or its four bytes. */
export type Ipv4Address = string | number | Uint8Array

/**
 * Prints an address given as a number: 0x0a000001 is `10.0.0.1`.
 *
 * @kernel %pI4 Documentation/core-api/printk-formats.rst
 */
export function formatIpv4Address(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/**
 * Prints the four bytes at `off`.
 *
 * @kernel %pI4 Documentation/core-api/printk-formats.rst
 */
export function formatIpv4AddressAt(bytes: Uint8Array, off: number): string {
  return formatIpv4Address(getUnalignedBe32(bytes, off))
}

/**
 * Reads `10.0.0.1`; null when it is not four decimal numbers up to 255.
 *
 * Leading zeros are refused: programs disagree whether 010 is ten or eight.
 *
 * @kernel in4_pton() net/core/utils.c
 */
export function parseIpv4Address(text: string): number | null {
  const groups = text.split('.')
  if (groups.length !== 4) return null
  let address = 0
  for (const group of groups) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(group) || Number(group) > 255) return null
    address = address * 256 + Number(group)
  }
  return address
}

/**
 * Gives the number of an address in any of its three forms.
 *
 * @throws RangeError when it is not an IPv4 address.
 * @kernel in_aton() net/core/utils.c
 */
export function ipv4Number(address: Ipv4Address): number {
  if (typeof address === 'number') return needRange(address, 0xffffffff, 'an IPv4 address')
  if (typeof address !== 'string') {
    if (address.length === 4) return getUnalignedBe32(address, 0)
    throw new RangeError(`an IPv4 address has 4 bytes, not ${address.length}`)
  }
  const number = parseIpv4Address(address)
  if (number === null) throw new RangeError(`${address} is not an IPv4 address: write it like 10.0.0.1`)
  return number
}

/**
 * Writes an address at `off`.
 *
 * @throws RangeError when it is not an IPv4 address, or does not fit.
 * @kernel none
 */
export function putIpv4(address: Ipv4Address, out: Uint8Array, off: number): void {
  needRoom(out, off, 4, 'an IPv4 address')
  putUnalignedBe32(ipv4Number(address), out, off)
}

/**
 * True for 224.0.0.0/4.
 *
 * @kernel ipv4_is_multicast() include/linux/in.h
 */
export function ipv4IsMulticast(address: number): boolean {
  return address >>> 28 === 0xe
}

/**
 * True for 255.255.255.255, the broadcast of the local network.
 *
 * @kernel ipv4_is_lbcast() include/linux/in.h
 */
export function ipv4IsLbcast(address: number): boolean {
  return address >>> 0 === 0xffffffff
}

/**
 * True for 127.0.0.0/8.
 *
 * @kernel ipv4_is_loopback() include/linux/in.h
 */
export function ipv4IsLoopback(address: number): boolean {
  return address >>> 24 === 127
}

/**
 * True for 0.0.0.0/8, which can only be a source while a machine has no address.
 *
 * @kernel ipv4_is_zeronet() include/linux/in.h
 */
export function ipv4IsZeronet(address: number): boolean {
  return address >>> 24 === 0
}

/**
 * Gives the netmask of a prefix length: 24 is 0xffffff00.
 *
 * @throws RangeError outside 0 to 32.
 * @kernel inet_make_mask() include/linux/inetdevice.h
 */
export function inetMakeMask(prefixLength: number): number {
  needRange(prefixLength, 32, 'an IPv4 prefix length')
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0
}

/**
 * Gives the Ethernet group that carries an IPv4 multicast group.
 *
 * @kernel ip_eth_mc_map() include/net/ip.h
 */
export function ipEthMcMap(address: number): Uint8Array {
  return Uint8Array.of(0x01, 0x00, 0x5e, (address >>> 16) & 0x7f, (address >>> 8) & 255, address & 255)
}

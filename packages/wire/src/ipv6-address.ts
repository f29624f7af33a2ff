import { getUnalignedBe16, needRoom, putUnalignedBe16, putUnalignedBe32 } from './bytes.ts'
import { formatIpv4AddressAt, parseIpv4Address } from './ipv4-address.ts'

/** An IPv6 address: text (`'fe80::1'`) or its sixteen bytes. */
export type Ipv6Address = string | Uint8Array

/**
 * Prints the sixteen bytes at `off` in the canonical form of RFC 5952; `::ffff:10.0.0.1` for a mapped IPv4 address.
 *
 * @kernel %pI6c Documentation/core-api/printk-formats.rst
 */
export function formatIpv6Address(bytes: Uint8Array, off = 0): string {
  let runStart = -1
  let runLength = 1 // a single zero group is never shortened
  for (let i = 0; i < 8;) {
    let end = i
    while (end < 8 && getUnalignedBe16(bytes, off + end * 2) === 0) end++
    if (end - i > runLength) {
      runStart = i
      runLength = end - i
    }
    i = end + 1
  }
  const mapped = runStart === 0 && runLength === 5 && getUnalignedBe16(bytes, off + 10) === 0xffff
  if (mapped) return '::ffff:' + formatIpv4AddressAt(bytes, off + 12)
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === runStart) {
      text += '::'
      i += runLength - 1
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':'
      text += getUnalignedBe16(bytes, off + i * 2).toString(16)
    }
  }
  return text
}

/** Reads the groups on one side of `::`; the last may be a dotted IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4Address(part)
      if (v4 === null) return null
      groups.push(v4 >>> 16, v4 & 0xffff)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null
      groups.push(parseInt(part, 16))
    }
  }
  return groups
}

/**
 * Reads every text form of RFC 4291 (`fe80::1`, `::ffff:10.0.0.1`); null when it is none. A zone (`%eth0`) is refused.
 *
 * @kernel in6_pton() net/core/utils.c
 */
export function parseIpv6Address(text: string): Uint8Array | null {
  const sides = text.split('::')
  if (sides.length > 2) return null
  const head = parseGroups(sides[0]!, sides.length === 1)
  const tail = sides.length === 2 ? parseGroups(sides[1]!, true) : []
  if (head === null || tail === null) return null
  const given = head.length + tail.length
  if (sides.length === 1 ? given !== 8 : given > 7) return null
  const address = new Uint8Array(16)
  head.forEach((group, i) => putUnalignedBe16(group, address, i * 2))
  tail.forEach((group, i) => putUnalignedBe16(group, address, 16 - (tail.length - i) * 2))
  return address
}

/**
 * Gives the sixteen bytes of an address in either form.
 *
 * @throws RangeError when it is not an IPv6 address.
 * @kernel none
 */
export function ipv6Bytes(address: Ipv6Address): Uint8Array {
  const bytes = typeof address === 'string' ? parseIpv6Address(address) : address
  if (bytes !== null && bytes.length === 16) return bytes
  throw new RangeError(`${String(address)} is not an IPv6 address: write it like fe80::1`)
}

/**
 * Writes an address at `off`.
 *
 * @throws RangeError when it is not an IPv6 address, or does not fit.
 * @kernel none
 */
export function putIpv6(address: Ipv6Address, out: Uint8Array, off: number): void {
  needRoom(out, off, 16, 'an IPv6 address')
  const bytes = ipv6Bytes(address)
  for (let i = 0; i < 16; i++) out[off + i] = bytes[i]!
}

/**
 * True for ff00::/8.
 *
 * @kernel ipv6_addr_is_multicast() include/net/ipv6.h
 */
export function ipv6AddrIsMulticast(bytes: Uint8Array, off = 0): boolean {
  return bytes[off] === 0xff
}

/**
 * True for fe80::/10.
 *
 * @kernel ipv6_addr_type() include/net/ipv6.h
 */
export function ipv6AddrIsLinkLocal(bytes: Uint8Array, off = 0): boolean {
  return bytes[off] === 0xfe && (bytes[off + 1]! & 0xc0) === 0x80
}

/**
 * True for `::`, the source of a machine that has no address yet.
 *
 * @kernel ipv6_addr_any() include/net/ipv6.h
 */
export function ipv6AddrAny(bytes: Uint8Array, off = 0): boolean {
  for (let i = 0; i < 16; i++) if (bytes[off + i] !== 0) return false
  return true
}

/**
 * Gives the solicited-node group of an address, where neighbour solicitations for it are sent.
 *
 * @kernel addrconf_addr_solict_mult() include/net/addrconf.h
 */
export function addrconfAddrSolictMult(address: Uint8Array): Uint8Array {
  const group = new Uint8Array(16)
  putUnalignedBe32(0xff020000, group, 0)
  group[11] = 1
  group[12] = 0xff
  group.set(address.subarray(13, 16), 13)
  return group
}

/**
 * Gives the Ethernet group that carries an IPv6 multicast group: 33:33 and its last four bytes.
 *
 * @kernel ipv6_eth_mc_map() include/net/if_inet6.h
 */
export function ipv6EthMcMap(address: Uint8Array): Uint8Array {
  return Uint8Array.of(0x33, 0x33, address[12]!, address[13]!, address[14]!, address[15]!)
}

/**
 * Gives the link-local address a card makes from its own Ethernet address (modified EUI-64).
 *
 * @kernel addrconf_addr_eui48() include/net/addrconf.h
 */
export function linkLocalFromMac(mac: Uint8Array): Uint8Array {
  const address = new Uint8Array(16)
  address.set([0xfe, 0x80])
  address.set([mac[0]! ^ 2, mac[1]!, mac[2]!, 0xff, 0xfe, mac[3]!, mac[4]!, mac[5]!], 8)
  return address
}

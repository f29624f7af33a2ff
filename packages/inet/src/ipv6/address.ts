import { RtScope } from '../types/constants.ts'

/** Addresses everybody knows, and what an address says about itself. */

/** `::`: no address. @kernel in6addr_any net/ipv6/addrconf_core.c */
export const IN6ADDR_ANY: Uint8Array = new Uint8Array(16)
/** `::1`. @kernel in6addr_loopback net/ipv6/addrconf_core.c */
export const IN6ADDR_LOOPBACK: Uint8Array = wellKnown(0, 0, 1)
/** `ff01::1`, everybody on this node. @kernel in6addr_interfacelocal_allnodes net/ipv6/addrconf_core.c */
export const IN6ADDR_INTERFACELOCAL_ALLNODES: Uint8Array = wellKnown(0xff, 1, 1)
/** `ff02::1`, everybody on the link. @kernel in6addr_linklocal_allnodes net/ipv6/addrconf_core.c */
export const IN6ADDR_LINKLOCAL_ALLNODES: Uint8Array = wellKnown(0xff, 2, 1)
/** `ff02::2`, the routers of the link. @kernel in6addr_linklocal_allrouters net/ipv6/addrconf_core.c */
export const IN6ADDR_LINKLOCAL_ALLROUTERS: Uint8Array = wellKnown(0xff, 2, 2)
/** `ff02::16`, where multicast reports go. @kernel mld2_all_mcr net/ipv6/mcast.c */
export const MLD2_ALL_MCR: Uint8Array = wellKnown(0xff, 2, 0x16)

/** What kind of address it is, as bits. @kernel IPV6_ADDR_UNICAST include/net/ipv6.h */
export const Ipv6AddrType = {
  ANY: 0,
  UNICAST: 0x1,
  MULTICAST: 0x2,
  LOOPBACK: 0x10,
  LINKLOCAL: 0x20,
  SITELOCAL: 0x40,
  COMPATV4: 0x80,
  MAPPED: 0x1000,
} as const

/** How far an address reaches: the higher, the farther. @kernel IPV6_ADDR_SCOPE_LINKLOCAL include/net/ipv6.h */
export const Ipv6AddrScope = { NODELOCAL: 1, LINKLOCAL: 2, SITELOCAL: 5, ORGLOCAL: 8, GLOBAL: 14 } as const

function wellKnown(first: number, second: number, last: number): Uint8Array {
  const address = new Uint8Array(16)
  address[0] = first
  address[1] = second
  address[15] = last
  return address
}

/** Tells what kind of address it is: bits of {@link Ipv6AddrType}. @kernel ipv6_addr_type() include/net/ipv6.h */
export function ipv6AddrType(addr: Uint8Array, off = 0): number {
  const first = addr[off]!
  const second = addr[off + 1]!
  if (first === 0xff) return Ipv6AddrType.MULTICAST
  // The unicast space proper is 001 to 110; only the ends hold special addresses.
  if ((first & 0xe0) !== 0 && (first & 0xe0) !== 0xe0) return Ipv6AddrType.UNICAST
  if (first === 0xfe && (second & 0xc0) === 0x80) return Ipv6AddrType.LINKLOCAL | Ipv6AddrType.UNICAST
  if (first === 0xfe && (second & 0xc0) === 0xc0) return Ipv6AddrType.SITELOCAL | Ipv6AddrType.UNICAST
  if (!isZero(addr, off, 10)) return Ipv6AddrType.UNICAST
  return lowType(addr, off)
}

/** Ten zero bytes in front: `::`, `::1`, or an IPv4 address in disguise. */
function lowType(addr: Uint8Array, off: number): number {
  const middle = (addr[off + 10]! << 8) | addr[off + 11]!
  if (middle === 0xffff) return Ipv6AddrType.MAPPED
  if (middle !== 0) return Ipv6AddrType.UNICAST
  if (!isZero(addr, off + 12, 3)) return Ipv6AddrType.COMPATV4 | Ipv6AddrType.UNICAST
  if (addr[off + 15] === 0) return Ipv6AddrType.ANY
  if (addr[off + 15] === 1) return Ipv6AddrType.LOOPBACK | Ipv6AddrType.UNICAST
  return Ipv6AddrType.COMPATV4 | Ipv6AddrType.UNICAST
}

function isZero(addr: Uint8Array, off: number, len: number): boolean {
  for (let i = 0; i < len; i++) if (addr[off + i] !== 0) return false
  return true
}

/** How far an address reaches: {@link Ipv6AddrScope}, or a multicast group's own number. @kernel ipv6_addr_src_scope() include/net/addrconf.h */
export function ipv6AddrScope(addr: Uint8Array, off = 0): number {
  const type = ipv6AddrType(addr, off)
  if ((type & Ipv6AddrType.MULTICAST) !== 0) return addr[off + 1]! & 15
  if ((type & (Ipv6AddrType.LINKLOCAL | Ipv6AddrType.LOOPBACK)) !== 0) return Ipv6AddrScope.LINKLOCAL
  return (type & Ipv6AddrType.SITELOCAL) !== 0 ? Ipv6AddrScope.SITELOCAL : Ipv6AddrScope.GLOBAL
}

/** The scope an address is shown with (`RtScope`): host, link, site or universe. @kernel rt_scope() include/net/if_inet6.h */
export function ipv6RtScope(addr: Uint8Array): number {
  const type = ipv6AddrType(addr)
  if ((type & Ipv6AddrType.LOOPBACK) !== 0) return RtScope.HOST
  if ((type & Ipv6AddrType.LINKLOCAL) !== 0) return RtScope.LINK
  return (type & Ipv6AddrType.SITELOCAL) !== 0 ? RtScope.SITE : RtScope.UNIVERSE
}

/** True when two addresses are the same. @kernel ipv6_addr_equal() include/net/ipv6.h */
export function ipv6AddrEqual(a: Uint8Array, b: Uint8Array, aOff = 0, bOff = 0): boolean {
  for (let i = 0; i < 16; i++) if (a[aOff + i] !== b[bOff + i]) return false
  return true
}

/** How many leading bits two addresses share, 0 to 128. @kernel ipv6_addr_diff() include/net/ipv6.h */
export function ipv6AddrDiff(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 16; i++) {
    const diff = a[i]! ^ b[i]!
    if (diff !== 0) return i * 8 + Math.clz32(diff) - 24
  }
  return 128
}

/** True when the first `len` bits are the same. @kernel ipv6_prefix_equal() include/net/ipv6.h */
export function ipv6PrefixEqual(a: Uint8Array, b: Uint8Array, len: number): boolean {
  return ipv6AddrDiff(a, b) >= len
}

/** The first `len` bits of an address, the rest zero. @kernel ipv6_addr_prefix() include/net/ipv6.h */
export function ipv6AddrPrefix(addr: Uint8Array, len: number): Uint8Array {
  const prefix = new Uint8Array(16)
  const whole = len >> 3
  prefix.set(addr.subarray(0, whole))
  if ((len & 7) !== 0) prefix[whole] = addr[whole]! & (0xff00 >> (len & 7))
  return prefix
}

/** An address as the key of a Map. @kernel none */
export function ipv6AddrKey(addr: Uint8Array, off = 0): string {
  return ipv6PrefixKey(addr, 128, off)
}

/** The first `len` bits of an address as the key of a Map. @kernel none */
export function ipv6PrefixKey(addr: Uint8Array, len: number, off = 0): string {
  return String.fromCharCode(
    word(addr, off, len),
    word(addr, off + 2, len - 16),
    word(addr, off + 4, len - 32),
    word(addr, off + 6, len - 48),
    word(addr, off + 8, len - 64),
    word(addr, off + 10, len - 80),
    word(addr, off + 12, len - 96),
    word(addr, off + 14, len - 112),
  )
}

/** Two bytes, of which `bits` count. */
function word(addr: Uint8Array, at: number, bits: number): number {
  if (bits <= 0) return 0
  const value = (addr[at]! << 8) | addr[at + 1]!
  return bits >= 16 ? value : value & (0xffff0000 >> bits) & 0xffff
}

/** A copy of the sixteen bytes at `off`. @kernel none */
export function ipv6AddrAt(bytes: Uint8Array, off: number): Uint8Array {
  return bytes.slice(off, off + 16)
}

import type { InetAddr, InetFamilyNr } from '@vnet/inet'
import { Errno } from '@vnet/kernel'

/** Bytes of the two kinds of addresses. @kernel struct sockaddr_in include/uapi/linux/in.h, struct sockaddr_in6 include/uapi/linux/in6.h */
export const SOCKADDR_IN_LEN = 16
export const SOCKADDR_IN6_LEN = 28
/** An old IPv6 address ends before the scope. @kernel SIN6_LEN_RFC2133 include/net/ipv6.h */
const SIN6_LEN_RFC2133 = 24
const AF_UNSPEC = 0

/** A view over bytes that may lie inside others. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The family an address says it has. @throws Errno EINVAL when there is none */
export function familyOf(bytes: Uint8Array): number {
  if (bytes.length < 2) throw new Errno('EINVAL')
  return viewOf(bytes).getUint16(0, true)
}

/**
 * Reads an address of a family. With `unspecOk`, AF_UNSPEC with the right length is taken for the family.
 *
 * @throws Errno EINVAL too short, EAFNOSUPPORT another family
 */
export function readSockaddr(bytes: Uint8Array, family: InetFamilyNr, unspecOk = false): InetAddr {
  const said = familyOf(bytes)
  if (bytes.length < (family === 2 ? SOCKADDR_IN_LEN : SIN6_LEN_RFC2133)) throw new Errno('EINVAL')
  if (said !== family && !(unspecOk && said === AF_UNSPEC)) throw new Errno('EAFNOSUPPORT')
  const port = viewOf(bytes).getUint16(2, false)
  if (family === 2) return { address: bytes.slice(4, 8), port }
  const scopeId = bytes.length >= SOCKADDR_IN6_LEN ? viewOf(bytes).getUint32(24, true) : 0
  return { address: bytes.slice(8, 24), port, scopeId }
}

/** An address as a program sees it. */
export function writeSockaddr(addr: InetAddr): Uint8Array {
  const ipv4 = addr.address.length === 4
  const out = new Uint8Array(ipv4 ? SOCKADDR_IN_LEN : SOCKADDR_IN6_LEN)
  const view = viewOf(out)
  view.setUint16(0, ipv4 ? 2 : 10, true)
  view.setUint16(2, addr.port, false)
  out.set(addr.address, ipv4 ? 4 : 8)
  if (!ipv4) view.setUint32(24, addr.scopeId ?? 0, true)
  return out
}

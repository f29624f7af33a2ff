import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'

/** Bytes of `struct sockaddr_ll`. @kernel struct sockaddr_ll include/uapi/linux/if_packet.h */
export const SOCKADDR_LL_LEN = 20
/** Where its address begins. */
const AT_ADDR = 12
const AF_PACKET = 17

/** An address of the link layer. */
export interface SockaddrLl {
  /** EtherType in host order. */
  readonly protocol: number
  readonly ifindex: number
  readonly hatype: number
  readonly pkttype: number
  readonly addr: Uint8Array
}

/** Reads the address a program binds to. @throws Errno EINVAL @kernel packet_bind() net/packet/af_packet.c */
export function parseBind(bytes: Uint8Array): SockaddrLl {
  if (bytes.length < SOCKADDR_LL_LEN) throw new Errno('EINVAL')
  const view = viewOf(bytes)
  if (view.getUint16(0, true) !== AF_PACKET) throw new Errno('EINVAL')
  return read(view, bytes)
}

/** Reads the address a program sends to; it may be as short as its own length field allows. @throws Errno EINVAL @kernel packet_snd() net/packet/af_packet.c */
export function parseDestination(bytes: Uint8Array): SockaddrLl {
  if (bytes.length < AT_ADDR || bytes.length < AT_ADDR + bytes[11]!) throw new Errno('EINVAL')
  return read(viewOf(bytes), bytes)
}

function read(view: DataView, bytes: Uint8Array): SockaddrLl {
  return {
    protocol: view.getUint16(2, false),
    ifindex: view.getInt32(4, true),
    hatype: view.getUint16(8, true),
    pkttype: bytes[10]!,
    addr: bytes.slice(AT_ADDR, AT_ADDR + Math.min(bytes[11]!, 8)),
  }
}

/** Writes an address; with an address of six bytes its own length is 18, and 20 are written. */
export function sockaddrLl(address: SockaddrLl): Uint8Array {
  const out = new Uint8Array(SOCKADDR_LL_LEN)
  putSockaddrLl(out, 0, address)
  return out
}

/** Writes an address into a larger whole. */
export function putSockaddrLl(out: Uint8Array, at: number, address: SockaddrLl): void {
  const view = new DataView(out.buffer, out.byteOffset + at, SOCKADDR_LL_LEN)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, address.protocol, false)
  view.setInt32(4, address.ifindex, true)
  view.setUint16(8, address.hatype, true)
  out[at + 10] = address.pkttype
  out[at + 11] = address.addr.length
  out.fill(0, at + AT_ADDR, at + SOCKADDR_LL_LEN)
  out.set(address.addr.subarray(0, 8), at + AT_ADDR)
}

/** The name of a socket: where it is bound. @kernel packet_getname() net/packet/af_packet.c */
export function packetName(protocol: number, ifindex: number, dev: NetDevice<any> | null): Uint8Array {
  const addr = dev === null ? new Uint8Array(0) : dev.devAddr.slice(0, dev.addrLen)
  const all = sockaddrLl({ protocol, ifindex, hatype: dev?.type ?? 0, pkttype: 0, addr })
  return all.subarray(0, AT_ADDR + addr.length)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

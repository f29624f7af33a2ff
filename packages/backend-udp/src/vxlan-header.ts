/** Bytes before each frame in a VXLAN datagram. @kernel struct vxlanhdr include/net/vxlan.h */
export const VXLAN_HLEN = 8
/** The port IANA gave to VXLAN. @kernel IANA_VXLAN_UDP_PORT include/net/vxlan.h */
export const VXLAN_PORT = 4789
/** Network identifiers are below this. @kernel VXLAN_N_VID include/net/vxlan.h */
export const VXLAN_N_VID = 1 << 24

const FLAG_VNI = 0x08

/**
 * Writes a VXLAN header: the network identifier is valid, everything else zero (RFC 7348).
 *
 * @kernel vxlan_build_skb() drivers/net/vxlan/vxlan_core.c
 */
export function putVxlanHeader(vni: number, mem: Uint8Array, at: number): void {
  mem[at] = FLAG_VNI
  mem[at + 1] = 0
  mem[at + 2] = 0
  mem[at + 3] = 0
  mem[at + 4] = vni >> 16
  mem[at + 5] = vni >> 8
  mem[at + 6] = vni
  mem[at + 7] = 0
}

/**
 * Reads a VXLAN header.
 *
 * @returns the network identifier, or -1 for what is no VXLAN: too short, without an identifier, or with flags of an
 * extension that is not spoken here
 * @kernel vxlan_rcv() drivers/net/vxlan/vxlan_core.c
 */
export function getVxlanVni(mem: Uint8Array, at: number, length: number): number {
  if (length < VXLAN_HLEN || mem[at] !== FLAG_VNI) return -1
  return (mem[at + 4]! << 16) | (mem[at + 5]! << 8) | mem[at + 6]!
}

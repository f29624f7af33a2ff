/** True for an address that means something on one link only. @kernel __ipv6_addr_needs_scope_id() include/net/ipv6.h */
export function needsScopeId(address: Uint8Array): boolean {
  if (address.length !== 16) return false
  if (address[0] === 0xfe) return (address[1]! & 0xc0) === 0x80
  const scope = address[1]! & 15
  return address[0] === 0xff && (scope === 1 || scope === 2)
}

/** The link an address belongs to: the device's number, or 0 for an address that means the same everywhere. @kernel ipv6_iface_scope_id() include/net/ipv6.h */
export function linkScope(address: Uint8Array, ifindex: number): number {
  return needsScopeId(address) ? ifindex : 0
}

import type { NetDevice } from '@vnet/netdev'

/** Writes the low half of an address from the device's own (modified EUI-64); false when the device has none. @kernel ipv6_generate_eui64() include/net/addrconf.h */
export function ipv6GenerateEui64(addr: Uint8Array, dev: NetDevice<any>): boolean {
  const mac = dev.devAddr
  if (dev.addrLen !== 6) return false
  addr.set([mac[0]! ^ 2, mac[1]!, mac[2]!, 0xff, 0xfe, mac[3]!, mac[4]!, mac[5]!], 8)
  return true
}

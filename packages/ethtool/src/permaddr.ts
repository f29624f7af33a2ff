import type { NetDevice } from '@vnet/netdev'

/**
 * The address the card was made with, or null when nobody knows one.
 *
 * @kernel ethtool_get_perm_addr() net/ethtool/ioctl.c
 * @rule ADDR-04
 */
export function ethtoolGetPermAddr(dev: NetDevice<any>): Uint8Array | null {
  return dev.permAddr.every((byte) => byte === 0) ? null : dev.permAddr.slice(0, dev.addrLen)
}

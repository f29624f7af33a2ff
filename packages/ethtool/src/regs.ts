import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'

/** A dump of a card's registers. @kernel struct ethtool_regs include/uapi/linux/ethtool.h */
export interface EthtoolRegs {
  readonly version: number
  readonly data: Uint8Array
}

/**
 * Reads a card's registers.
 *
 * @throws Errno EOPNOTSUPP the driver does not show them; ENODEV
 * @kernel ethtool_get_regs() net/ethtool/ioctl.c
 */
export function ethtoolGetRegs(dev: NetDevice<any>): EthtoolRegs {
  const ops = requireOps(dev, 'getRegs', 'getRegsLen')
  return ethnlOps(dev, () => ops.getRegs(dev))
}

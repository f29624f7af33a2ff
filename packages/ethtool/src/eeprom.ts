import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'

/**
 * Reads a part of a card's EEPROM.
 *
 * @throws Errno EINVAL outside of it; EOPNOTSUPP the driver does not show it; ENODEV
 * @kernel ethtool_get_eeprom() net/ethtool/ioctl.c
 */
export function ethtoolGetEeprom(dev: NetDevice<any>, offset: number, length: number): Uint8Array {
  const ops = requireOps(dev, 'getEeprom', 'getEepromLen')
  return ethnlOps(dev, () => {
    if (offset < 0 || length < 0 || offset + length > ops.getEepromLen(dev)) throw new Errno('EINVAL')
    return length === 0 ? new Uint8Array(0) : ops.getEeprom(dev, offset, length)
  })
}

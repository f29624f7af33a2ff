import { msleep } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'

/**
 * Starts the negotiation of speed and duplex again.
 *
 * @throws Errno EOPNOTSUPP; whatever the driver throws
 * @kernel ethtool_nway_reset() net/ethtool/ioctl.c
 */
export function ethtoolNwayReset(dev: NetDevice<any>): void {
  const ops = requireOps(dev, 'nwayReset')
  ethnlOps(dev, () => ops.nwayReset(dev))
}

/**
 * Makes a card blink for some seconds, so that a person finds it. Process context; time passes.
 *
 * @throws Errno EOPNOTSUPP; whatever the driver throws
 * @kernel ethtool_phys_id() net/ethtool/ioctl.c
 */
export function ethtoolPhysId(dev: NetDevice<any>, seconds: number): void {
  const ops = requireOps(dev, 'setPhysId')
  const perSecond = ethnlOps(dev, () => ops.setPhysId(dev, 'active'))
  if (perSecond === 0) {
    msleep(dev.kernel, seconds * 1000)
  } else {
    const half = 1000 / (perSecond * 2)
    for (let i = 0; i < seconds * perSecond; i++) {
      ethnlOps(dev, () => ops.setPhysId(dev, 'on'))
      msleep(dev.kernel, half)
      ethnlOps(dev, () => ops.setPhysId(dev, 'off'))
      msleep(dev.kernel, half)
    }
  }
  ethnlOps(dev, () => ops.setPhysId(dev, 'inactive'))
}

/**
 * Resets parts of a card.
 *
 * @returns the bits of the parts that were not reset
 * @throws Errno EOPNOTSUPP; whatever the driver throws
 * @kernel ethtool_reset() net/ethtool/ioctl.c
 */
export function ethtoolReset(dev: NetDevice<any>, flags: number): number {
  const ops = requireOps(dev, 'reset')
  return ethnlOps(dev, () => ops.reset(dev, flags) >>> 0)
}

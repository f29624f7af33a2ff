import type { NetDevice } from '@vnet/netdev'
import { netifCarrierOk, netifRunning } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'

/**
 * Says whether a link is there: the device is up and its driver sees the other end.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel __ethtool_get_link() net/ethtool/common.c
 * @rule LINK-05
 */
export function ethtoolGetLink(dev: NetDevice<any>): boolean {
  const ops = requireOps(dev, 'getLink')
  return ethnlOps(dev, () => netifRunning(dev) && ops.getLink(dev))
}

/**
 * The usual `getLink`: what the driver told the core by `netifCarrierOn` and `netifCarrierOff`.
 *
 * @kernel ethtool_op_get_link() net/ethtool/ioctl.c
 * @rule LINK-05
 */
export function ethtoolOpGetLink(dev: NetDevice<any>): boolean {
  return netifCarrierOk(dev)
}

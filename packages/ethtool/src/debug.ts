import { NetifMsg } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { ethnlUpdateBitset } from './bitset.ts'
import type { BitsetChange } from './bitset.ts'
import { ethnlOps, requireOps } from './core.ts'
import { ethtoolNotify } from './notify.ts'

/** The classes of driver messages, lowest bit first. @kernel netif_msg_class_names net/ethtool/common.c @rule LOG-03 */
export const MSG_CLASSES: readonly string[] = Object.keys(NetifMsg)

/**
 * Reads which classes of messages a driver logs.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel debug_prepare_data() net/ethtool/debug.c
 * @rule LOG-03
 */
export function ethtoolGetMsglevel(dev: NetDevice<any>): number {
  const ops = requireOps(dev, 'getMsglevel')
  return ethnlOps(dev, () => ops.getMsglevel(dev) >>> 0)
}

/**
 * Changes which classes of messages a driver logs: a number for all of them, or some by name.
 *
 * @returns true when something changed; then one `debug-ntf` was sent
 * @throws Errno EOPNOTSUPP, also for an unknown class; EINVAL a bit that is no class; whatever the driver throws
 * @kernel ethnl_set_debug() net/ethtool/debug.c
 * @rule LOG-03 ETH-02 ETH-03
 */
export function ethtoolSetMsglevel(dev: NetDevice<any>, change: number | BitsetChange): boolean {
  const ops = requireOps(dev, 'getMsglevel', 'setMsglevel')
  const wanted = typeof change === 'number' ? { value: BigInt(change) } : change
  return ethnlOps(dev, () => {
    const before = ops.getMsglevel(dev) >>> 0
    const next = Number(ethnlUpdateBitset(BigInt(before), MSG_CLASSES, wanted, 'msgmask'))
    if (next === before) return false
    ops.setMsglevel(dev, next)
    ethtoolNotify(dev, 'debug-ntf')
    return true
  })
}

import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps, unsupported } from './core.ts'
import { readStrings, ssetCount } from './strset.ts'

/** One of a driver's own statistics. */
export interface EthtoolStat {
  readonly name: string
  readonly value: bigint
}

/**
 * Reads the driver's own statistics: names and values, always in the same order.
 *
 * @throws Errno EOPNOTSUPP the driver has none; ENODEV
 * @kernel ethtool_get_stats() net/ethtool/ioctl.c
 * @rule ETH-12 STAT-11
 */
export function ethtoolGetStats(dev: NetDevice<any>): EthtoolStat[] {
  const ops = requireOps(dev, 'getStrings', 'getEthtoolStats')
  return ethnlOps(dev, () => {
    if (ssetCount(dev, 'stats') === undefined) throw unsupported()
    const names = readStrings(dev, 'stats')
    const values = ops.getEthtoolStats(dev)
    if (values.length !== names.length) {
      dev.kernel.warnOn('ETH-12', `${dev.name}: ${values.length} statistics for ${names.length} names`)
    }
    return names.map((name, i) => ({ name, value: BigInt.asUintN(64, values[i] ?? 0n) }))
  })
}

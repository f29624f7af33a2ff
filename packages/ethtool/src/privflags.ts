import type { NetDevice } from '@vnet/netdev'
import { ethnlUpdateBitset } from './bitset.ts'
import type { BitsetChange } from './bitset.ts'
import { ethnlOps, requireOps } from './core.ts'
import { ethtoolNotify } from './notify.ts'
import { readStrings } from './strset.ts'

/** One of a driver's own switches. */
export interface PrivFlag {
  readonly name: string
  readonly value: boolean
}

/**
 * Reads the driver's own switches.
 *
 * @throws Errno EOPNOTSUPP the driver has none; ENODEV
 * @kernel privflags_prepare_data() net/ethtool/privflags.c
 * @rule ETH-12
 */
export function ethtoolGetPrivFlags(dev: NetDevice<any>): PrivFlag[] {
  const ops = requireOps(dev, 'getPrivFlags', 'getStrings')
  return ethnlOps(dev, () => {
    const bits = ops.getPrivFlags(dev) >>> 0
    return readStrings(dev, 'priv-flags').map((name, i) => ({ name, value: ((bits >>> i) & 1) === 1 }))
  })
}

/**
 * Changes the driver's own switches.
 *
 * @returns true when something changed; then one `privflags-ntf` was sent
 * @throws Errno EOPNOTSUPP, also for an unknown name; whatever the driver throws
 * @kernel ethnl_set_privflags() net/ethtool/privflags.c
 * @rule ETH-02 ETH-03
 */
export function ethtoolSetPrivFlags(dev: NetDevice<any>, change: BitsetChange): boolean {
  const ops = requireOps(dev, 'getPrivFlags', 'setPrivFlags', 'getStrings')
  return ethnlOps(dev, () => {
    const before = ops.getPrivFlags(dev) >>> 0
    const next = Number(ethnlUpdateBitset(BigInt(before), readStrings(dev, 'priv-flags'), change, 'flags'))
    if (next === before) return false
    ops.setPrivFlags(dev, next)
    ethtoolNotify(dev, 'privflags-ntf')
    return true
  })
}

import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'
import { ethtoolNotify } from './notify.ts'
import { ethtoolOps } from './ops.ts'
import { checkReadBack, ethnlUpdate } from './update.ts'

/**
 * Flow control by pause frames. With `autoneg` on, `rx` and `tx` are what is offered to the other end.
 *
 * @kernel struct ethtool_pauseparam include/uapi/linux/ethtool.h
 */
export interface EthtoolPauseparam {
  readonly autoneg: boolean
  readonly rxPause: boolean
  readonly txPause: boolean
}

/** Counted pause frames. @kernel struct ethtool_pause_stats include/linux/ethtool.h @rule ETH-14 */
export interface EthtoolPauseStats {
  readonly txPauseFrames: bigint
  readonly rxPauseFrames: bigint
}

/** What can be asked for; what is not mentioned stays. */
export type EthtoolPauseparamChange = {
  readonly [K in keyof EthtoolPauseparam]?: boolean | undefined
}

/** The settable fields, by their names in a request. @kernel ETHTOOL_A_PAUSE_AUTONEG include/uapi/linux/ethtool_netlink.h */
export const PAUSE_ATTRS = { autoneg: 'autoneg', rxPause: 'rx', txPause: 'tx' } as const

/**
 * Reads the flow control settings.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel pause_prepare_data() net/ethtool/pause.c
 * @rule ETH-01
 */
export function ethtoolGetPauseparam(dev: NetDevice<any>): EthtoolPauseparam {
  const ops = requireOps(dev, 'getPauseparam')
  return ethnlOps(dev, () => ops.getPauseparam(dev))
}

/**
 * Reads the counted pause frames; a counter that is not kept is absent.
 *
 * @kernel pause_prepare_data() net/ethtool/pause.c
 * @rule ETH-14 STAT-10
 */
export function ethtoolGetPauseStats(dev: NetDevice<any>): Partial<EthtoolPauseStats> {
  return ethnlOps(dev, () => ethtoolOps(dev).getPauseStats?.(dev) ?? {})
}

/**
 * Changes the flow control settings.
 *
 * @returns true when something changed; then one `pause-ntf` was sent
 * @throws Errno EOPNOTSUPP; whatever the driver throws
 * @kernel ethnl_set_pause() net/ethtool/pause.c
 * @rule ETH-02 ETH-03 ETH-09 ETH-15
 */
export function ethtoolSetPauseparam(dev: NetDevice<any>, change: EthtoolPauseparamChange): boolean {
  const ops = requireOps(dev, 'getPauseparam', 'setPauseparam')
  return ethnlOps(dev, () => {
    const next = ethnlUpdate(ops.getPauseparam(dev), change, PAUSE_ATTRS)
    if (next === null) return false
    ops.setPauseparam(dev, next)
    if (dev.kernel.checks) checkReadBack(dev, 'pause', next, ops.getPauseparam(dev), PAUSE_ATTRS)
    ethtoolNotify(dev, 'pause-ntf')
    return true
  })
}

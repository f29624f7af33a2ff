import type { NetDevice } from '@vnet/netdev'
import { ethnlOps } from './core.ts'
import { ethtoolOps } from './ops.ts'

/** Names of the standard counters, by group; a counter's place is its number. @kernel stats_eth_mac_names[] net/ethtool/stats.c */
export const STATS_NAMES = {
  'eth-phy': ['SymbolErrorDuringCarrier'],
  'eth-mac': [
    'FramesTransmittedOK',
    'SingleCollisionFrames',
    'MultipleCollisionFrames',
    'FramesReceivedOK',
    'FrameCheckSequenceErrors',
    'AlignmentErrors',
    'OctetsTransmittedOK',
    'FramesWithDeferredXmissions',
    'LateCollisions',
    'FramesAbortedDueToXSColls',
    'FramesLostDueToIntMACXmitError',
    'CarrierSenseErrors',
    'OctetsReceivedOK',
    'FramesLostDueToIntMACRcvError',
    'MulticastFramesXmittedOK',
    'BroadcastFramesXmittedOK',
    'FramesWithExcessiveDeferral',
    'MulticastFramesReceivedOK',
    'BroadcastFramesReceivedOK',
    'InRangeLengthErrors',
    'OutOfRangeLengthField',
    'FrameTooLongErrors',
  ],
  'eth-ctrl': ['MACControlFramesTransmitted', 'MACControlFramesReceived', 'UnsupportedOpcodesReceived'],
  rmon: ['etherStatsUndersizePkts', 'etherStatsOversizePkts', 'etherStatsFragments', 'etherStatsJabbers'],
} as const

/** Counters of the physical layer. @kernel struct ethtool_eth_phy_stats include/linux/ethtool.h */
export interface EthtoolPhyStats {
  readonly SymbolErrorDuringCarrier: bigint
}

/** Counters of the STATS_NAMES['eth-mac'], by their IEEE 802.3 names. @kernel struct ethtool_eth_mac_stats include/linux/ethtool.h */
export type EthtoolMacStats = { readonly [K in (typeof STATS_NAMES)['eth-mac'][number]]: bigint }

/** Counters of MAC control frames. @kernel struct ethtool_eth_ctrl_stats include/linux/ethtool.h */
export type EthtoolCtrlStats = { readonly [K in (typeof STATS_NAMES)['eth-ctrl'][number]]: bigint }

/** One range of frame lengths of a histogram. */
export interface RmonBucket {
  readonly low: number
  /** 0: no upper end. */
  readonly high: number
  readonly value: bigint
}

/** RMON counters and histograms of frame lengths. @kernel struct ethtool_rmon_stats include/linux/ethtool.h */
export type EthtoolRmonStats = { readonly [K in (typeof STATS_NAMES)['rmon'][number]]?: bigint } & {
  readonly rxHist?: readonly RmonBucket[]
  readonly txHist?: readonly RmonBucket[]
}

/** The groups of standard statistics, in the kernel's order. @kernel stats_std_names net/ethtool/stats.c */
export const STATS_GROUPS = ['eth-phy', 'eth-mac', 'eth-ctrl', 'rmon'] as const

/** One of {@link STATS_GROUPS}. */
export type StatsGroup = (typeof STATS_GROUPS)[number]

/** What a device keeps of one group: names and values, and the histograms of `rmon`. */
export interface StdStats {
  readonly group: StatsGroup
  readonly stats: readonly (readonly [string, bigint])[]
  readonly rxHist: readonly RmonBucket[]
  readonly txHist: readonly RmonBucket[]
}

/**
 * Reads groups of standard statistics. What the driver does not keep is absent, not 0.
 *
 * @throws Errno ENODEV
 * @kernel stats_prepare_data() net/ethtool/stats.c
 * @rule STAT-10
 */
export function ethtoolGetStdStats(
  dev: NetDevice<any>,
  groups: readonly StatsGroup[] = STATS_GROUPS,
): StdStats[] {
  return ethnlOps(dev, () => STATS_GROUPS.filter((g) => groups.includes(g)).map((g) => readGroup(dev, g)))
}

function readGroup(dev: NetDevice<any>, group: StatsGroup): StdStats {
  const ops = ethtoolOps(dev)
  switch (group) {
    case 'eth-phy':
      return plain(group, STATS_NAMES['eth-phy'], ops.getEthPhyStats?.(dev))
    case 'eth-mac':
      return plain(group, STATS_NAMES['eth-mac'], ops.getEthMacStats?.(dev))
    case 'eth-ctrl':
      return plain(group, STATS_NAMES['eth-ctrl'], ops.getEthCtrlStats?.(dev))
    case 'rmon': {
      const rmon = ops.getRmonStats?.(dev)
      return {
        ...plain(group, STATS_NAMES.rmon, rmon),
        rxHist: rmon?.rxHist ?? [],
        txHist: rmon?.txHist ?? [],
      }
    }
  }
}

function plain<K extends string>(
  group: StatsGroup,
  names: readonly K[],
  values: { readonly [N in K]?: bigint } | undefined,
): StdStats {
  const stats: (readonly [string, bigint])[] = []
  for (const name of names) {
    const value = values?.[name]
    if (value !== undefined) stats.push([name, value])
  }
  return { group, stats, rxHist: [], txHist: [] }
}

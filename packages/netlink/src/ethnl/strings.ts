import {
  LINK_MODE_NAMES,
  MSG_CLASSES,
  RSS_HASH_FUNCS,
  SOF_TIMESTAMPING,
  STATS_NAMES,
  TS_RX_FILTERS,
  TS_TX_TYPES,
  WOL_MODES,
} from '@vnet/ethtool'
import type { StringSet } from '@vnet/ethtool'
import { FEATURE_WIRE_NAMES } from './features.ts'

/** Numbers of the sets of names. @kernel enum ethtool_stringset include/uapi/linux/ethtool.h */
export const EthSs = {
  TEST: 0,
  STATS: 1,
  PRIV_FLAGS: 2,
  NTUPLE_FILTERS: 3,
  FEATURES: 4,
  RSS_HASH_FUNCS: 5,
  TUNABLES: 6,
  PHY_STATS: 7,
  PHY_TUNABLES: 8,
  LINK_MODES: 9,
  MSG_CLASSES: 10,
  WOL_MODES: 11,
  SOF_TIMESTAMPING: 12,
  TS_TX_TYPES: 13,
  TS_RX_FILTERS: 14,
  UDP_TUNNEL_TYPES: 15,
  STATS_STD: 16,
  STATS_ETH_PHY: 17,
  STATS_ETH_MAC: 18,
  STATS_ETH_CTRL: 19,
  STATS_RMON: 20,
  COUNT: 21,
} as const

/** The sets that belong to a driver. */
export const DEVICE_SETS: ReadonlyMap<number, StringSet> = new Map<number, StringSet>([
  [EthSs.TEST, 'test'],
  [EthSs.STATS, 'stats'],
  [EthSs.PRIV_FLAGS, 'priv-flags'],
  [EthSs.PHY_STATS, 'phy-stats'],
])

/** What can be time-stamped: the hardware's part, and what a program can ask for besides. @kernel sof_timestamping_names[] net/ethtool/common.c */
export const SOF_TIMESTAMPING_NAMES: readonly string[] = [
  ...SOF_TIMESTAMPING,
  'option-id',
  'sched-transmit',
  'ack-transmit',
  'option-cmsg',
  'option-tsonly',
  'option-stats',
  'option-pktinfo',
  'option-tx-swhw',
  'bind-phc',
]

/** The sets every kernel has, by number. @kernel info_template[] net/ethtool/strset.c */
export const GLOBAL_SETS: ReadonlyMap<number, readonly (string | null)[]> = new Map<
  number,
  readonly (string | null)[]
>([
  [EthSs.FEATURES, FEATURE_WIRE_NAMES],
  [EthSs.RSS_HASH_FUNCS, RSS_HASH_FUNCS],
  [
    EthSs.TUNABLES,
    ['Unspec', 'rx-copybreak', 'tx-copybreak', 'pfc-prevention-tout', 'tx-copybreak-buf-size'],
  ],
  [EthSs.PHY_TUNABLES, ['Unspec', 'phy-downshift', 'phy-fast-link-down', 'phy-energy-detect-power-down']],
  [EthSs.LINK_MODES, LINK_MODE_NAMES],
  [EthSs.MSG_CLASSES, MSG_CLASSES],
  [EthSs.WOL_MODES, WOL_MODES],
  [EthSs.SOF_TIMESTAMPING, SOF_TIMESTAMPING_NAMES],
  [EthSs.TS_TX_TYPES, TS_TX_TYPES],
  [EthSs.TS_RX_FILTERS, TS_RX_FILTERS],
  [EthSs.UDP_TUNNEL_TYPES, ['vxlan', 'geneve', 'vxlan-gpe']],
  [EthSs.STATS_STD, ['eth-phy', 'eth-mac', 'eth-ctrl', 'rmon']],
  [EthSs.STATS_ETH_PHY, STATS_NAMES['eth-phy']],
  [EthSs.STATS_ETH_MAC, STATS_NAMES['eth-mac']],
  [EthSs.STATS_ETH_CTRL, STATS_NAMES['eth-ctrl']],
  [EthSs.STATS_RMON, STATS_NAMES.rmon],
])

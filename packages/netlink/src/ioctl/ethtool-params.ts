import {
  COALESCE_ATTRS,
  ethtoolGetChannels,
  ethtoolGetCoalesce,
  ethtoolGetFeatures,
  ethtoolGetPauseparam,
  ethtoolGetRingparam,
  ethtoolOps,
  ethtoolSetChannels,
  ethtoolSetCoalesce,
  ethtoolSetPauseparam,
  ethtoolSetRingparam,
} from '@vnet/ethtool'
import type { EthtoolChannels, EthtoolCoalesce, EthtoolCoalesceChange, EthtoolRingparam } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { NETIF_F, NETIF_F_ALL_TSO, NETIF_F_CSUM_MASK } from '@vnet/netdev'
import type { NetdevFeatures } from '@vnet/netdev'
import { featuresToWire } from '../ethnl/features.ts'
import { u32Bytes } from './call.ts'
import type { EthtoolCall, EthtoolIoctl } from './call.ts'
import { EthtoolCmd } from './ethtool-cmd.ts'

/** The words of `struct ethtool_ringparam` behind the command. */
const RING = [
  'rxMaxPending',
  'rxMiniMaxPending',
  'rxJumboMaxPending',
  'txMaxPending',
  'rxPending',
  'rxMiniPending',
  'rxJumboPending',
  'txPending',
] as const satisfies readonly (keyof EthtoolRingparam)[]

/** The words of `struct ethtool_channels` behind the command. */
const CHANNELS = [
  'maxRx',
  'maxTx',
  'maxOther',
  'maxCombined',
  'rxCount',
  'txCount',
  'otherCount',
  'combinedCount',
] as const satisfies readonly (keyof EthtoolChannels)[]

/** The words of `struct ethtool_coalesce` behind the command: those that are older than netlink. */
const COALESCE = (Object.keys(COALESCE_ATTRS) as (keyof EthtoolCoalesce)[]).slice(0, 22)

/** Answers with the command and words behind it. */
function words(call: EthtoolCall, values: readonly (number | boolean)[]): void {
  call.write(u32Bytes([call.cmd, ...values.map(Number)]))
}

function getRing(call: EthtoolCall): void {
  const ring = ethtoolGetRingparam(call.dev)
  words(
    call,
    RING.map((key) => ring[key]),
  )
}

function setRing(call: EthtoolCall): void {
  const asked = call.read(4 + RING.length * 4)
  const at = (key: (typeof RING)[number]): number => asked.u32(4 + RING.indexOf(key) * 4)
  ethtoolSetRingparam(call.dev, {
    rxPending: at('rxPending'),
    rxMiniPending: at('rxMiniPending'),
    rxJumboPending: at('rxJumboPending'),
    txPending: at('txPending'),
  })
}

function getChannels(call: EthtoolCall): void {
  const channels = ethtoolGetChannels(call.dev)
  words(
    call,
    CHANNELS.map((key) => channels[key]),
  )
}

function setChannels(call: EthtoolCall): void {
  const asked = call.read(4 + CHANNELS.length * 4)
  const at = (key: (typeof CHANNELS)[number]): number => asked.u32(4 + CHANNELS.indexOf(key) * 4)
  ethtoolSetChannels(call.dev, {
    rxCount: at('rxCount'),
    txCount: at('txCount'),
    otherCount: at('otherCount'),
    combinedCount: at('combinedCount'),
  })
}

function getCoalesce(call: EthtoolCall): void {
  const coalesce = ethtoolGetCoalesce(call.dev)
  words(
    call,
    COALESCE.map((key) => coalesce[key]),
  )
}

/** The structure has no "not mentioned": what differs is what is asked for. @kernel ethtool_set_coalesce() net/ethtool/ioctl.c */
function setCoalesce(call: EthtoolCall): void {
  const asked = call.read(4 + COALESCE.length * 4)
  const now = ethtoolGetCoalesce(call.dev)
  const known = ethtoolOps(call.dev).supportedCoalesceParams
  const change: Partial<Record<keyof EthtoolCoalesce, number | boolean>> = {}
  for (const [i, key] of COALESCE.entries()) {
    const value = asked.u32(4 + i * 4)
    if (value !== 0 && known?.has(key) !== true) throw new Errno('EOPNOTSUPP')
    if (value !== Number(now[key])) change[key] = typeof now[key] === 'boolean' ? value !== 0 : value
  }
  ethtoolSetCoalesce(call.dev, change as EthtoolCoalesceChange)
}

function getPause(call: EthtoolCall): void {
  const { autoneg, rxPause, txPause } = ethtoolGetPauseparam(call.dev)
  words(call, [autoneg, rxPause, txPause])
}

function setPause(call: EthtoolCall): void {
  const asked = call.read(16)
  ethtoolSetPauseparam(call.dev, {
    autoneg: asked.u32(4) !== 0,
    rxPause: asked.u32(8) !== 0,
    txPause: asked.u32(12) !== 0,
  })
}

const FEATURE_WORDS = 2

/** @kernel ethtool_get_features() net/ethtool/features.c */
function getFeatures(call: EthtoolCall): void {
  const room = call.read(8).u32(4)
  const { hw, wanted, active, nochange } = ethtoolGetFeatures(call.dev)
  const sets = [hw, wanted, active, nochange].map(featuresToWire)
  const out: number[] = [call.cmd, FEATURE_WORDS]
  for (let word = 0; word < Math.min(room, FEATURE_WORDS); word++) {
    for (const set of sets) out.push(Number((set >> BigInt(word * 32)) & 0xffffffffn))
  }
  call.write(u32Bytes(out))
}

/** Old questions about one feature each. @kernel ethtool_get_one_feature() net/ethtool/ioctl.c */
function oneFeature(mask: NetdevFeatures): EthtoolIoctl {
  return (call) => call.value((ethtoolGetFeatures(call.dev).active & mask) === 0n ? 0 : 1)
}

const FLAGS: readonly (readonly [NetdevFeatures, number])[] = [
  [NETIF_F.HW_VLAN_CTAG_TX, 1 << 7],
  [NETIF_F.HW_VLAN_CTAG_RX, 1 << 8],
  [NETIF_F.LRO, 1 << 15],
  [NETIF_F.NTUPLE, 1 << 27],
  [NETIF_F.RXHASH, 1 << 28],
]

function getFlags(call: EthtoolCall): void {
  const { active } = ethtoolGetFeatures(call.dev)
  let flags = 0
  for (const [feature, flag] of FLAGS) if ((active & feature) !== 0n) flags |= flag
  call.value(flags)
}

/** Sizes, numbers, times and features. */
export const PARAM_IOCTLS: readonly (readonly [number, EthtoolIoctl])[] = [
  [EthtoolCmd.GRINGPARAM, getRing],
  [EthtoolCmd.SRINGPARAM, setRing],
  [EthtoolCmd.GCHANNELS, getChannels],
  [EthtoolCmd.SCHANNELS, setChannels],
  [EthtoolCmd.GCOALESCE, getCoalesce],
  [EthtoolCmd.SCOALESCE, setCoalesce],
  [EthtoolCmd.GPAUSEPARAM, getPause],
  [EthtoolCmd.SPAUSEPARAM, setPause],
  [EthtoolCmd.GFEATURES, getFeatures],
  [EthtoolCmd.GFLAGS, getFlags],
  [EthtoolCmd.GRXCSUM, oneFeature(NETIF_F.RXCSUM)],
  [EthtoolCmd.GTXCSUM, oneFeature(NETIF_F_CSUM_MASK)],
  [EthtoolCmd.GSG, oneFeature(NETIF_F.SG)],
  [EthtoolCmd.GTSO, oneFeature(NETIF_F_ALL_TSO)],
  [EthtoolCmd.GGSO, oneFeature(NETIF_F.GSO)],
  [EthtoolCmd.GGRO, oneFeature(NETIF_F.GRO)],
]

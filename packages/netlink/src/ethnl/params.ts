import {
  COALESCE_ATTRS,
  coalesceShown,
  ethtoolGetChannels,
  ethtoolGetCoalesce,
  ethtoolGetPauseparam,
  ethtoolGetPauseStats,
  ethtoolGetRingparam,
  ethtoolSetChannels,
  ethtoolSetCoalesce,
  ethtoolSetPauseparam,
  ethtoolSetRingparam,
} from '@vnet/ethtool'
import type {
  EthtoolChannels,
  EthtoolCoalesce,
  EthtoolCoalesceChange,
  EthtoolPauseparam,
  EthtoolPauseStats,
  EthtoolRingparam,
} from '@vnet/ethtool'
import { NetlinkError } from '../codec/extack.ts'
import type { AttrPolicy } from '../codec/policy.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'
import { attr } from './command.ts'
import type { EthnlGet, EthnlSet } from './command.ts'
import { EthMsg, EthReply } from './constants.ts'

const Rings = {
  RX_MAX: 2,
  RX_MINI_MAX: 3,
  RX_JUMBO_MAX: 4,
  TX_MAX: 5,
  RX: 6,
  RX_MINI: 7,
  RX_JUMBO: 8,
  TX: 9,
  RX_BUF_LEN: 10,
  TCP_DATA_SPLIT: 11,
  CQE_SIZE: 12,
  TX_PUSH: 13,
  RX_PUSH: 14,
} as const

/** A pair of maximum and value; nothing when there is no such thing. */
function putPair(w: NlWriter, maxAttr: number, max: number, valueAttr: number, value: number): void {
  if (max === 0) return
  w.putU32(maxAttr, max)
  w.putU32(valueAttr, value)
}

/** @kernel ethnl_rings_request_ops net/ethtool/rings.c */
export const ringsGet: EthnlGet<EthtoolRingparam> = {
  cmd: EthMsg.RINGS_GET,
  reply: EthReply.RINGS,
  prepare: (dev) => ethtoolGetRingparam(dev),
  fill(w, r) {
    putPair(w, Rings.RX_MAX, r.rxMaxPending, Rings.RX, r.rxPending)
    putPair(w, Rings.RX_MINI_MAX, r.rxMiniMaxPending, Rings.RX_MINI, r.rxMiniPending)
    putPair(w, Rings.RX_JUMBO_MAX, r.rxJumboMaxPending, Rings.RX_JUMBO, r.rxJumboPending)
    putPair(w, Rings.TX_MAX, r.txMaxPending, Rings.TX, r.txPending)
    if (r.rxBufLen !== 0) w.putU32(Rings.RX_BUF_LEN, r.rxBufLen)
    if (r.tcpDataSplit !== 0) w.putU8(Rings.TCP_DATA_SPLIT, r.tcpDataSplit)
    if (r.cqeSize !== 0) w.putU32(Rings.CQE_SIZE, r.cqeSize)
    w.putU8(Rings.TX_PUSH, r.txPush ? 1 : 0)
  },
}

/** @kernel ethnl_set_rings() net/ethtool/rings.c */
export const ringsSet: EthnlSet = {
  cmd: EthMsg.RINGS_SET,
  attrs: {
    [Rings.RX]: attr('rx', 'u32'),
    [Rings.RX_MINI]: attr('rx-mini', 'u32'),
    [Rings.RX_JUMBO]: attr('rx-jumbo', 'u32'),
    [Rings.TX]: attr('tx', 'u32'),
    [Rings.RX_BUF_LEN]: attr('rx-buf-len', 'u32', { min: 1 }),
    [Rings.TCP_DATA_SPLIT]: attr('tcp-data-split', 'u8', { max: 2 }),
    [Rings.CQE_SIZE]: attr('cqe-size', 'u32', { min: 1 }),
    [Rings.TX_PUSH]: attr('tx-push', 'u8', { max: 1 }),
    [Rings.RX_PUSH]: attr('rx-push', 'u8', { max: 1 }),
  },
  set(dev, tb) {
    refuseAttr(tb, Rings.TCP_DATA_SPLIT, 'setting TCP data split is not supported')
    refuseAttr(tb, Rings.RX_PUSH, 'setting rx push not supported')
    ethtoolSetRingparam(dev, {
      rxPending: tb.number(Rings.RX),
      rxMiniPending: tb.number(Rings.RX_MINI),
      rxJumboPending: tb.number(Rings.RX_JUMBO),
      txPending: tb.number(Rings.TX),
      rxBufLen: tb.number(Rings.RX_BUF_LEN),
      cqeSize: tb.number(Rings.CQE_SIZE),
      txPush: tb.bool(Rings.TX_PUSH),
    })
  },
}

/** What the model of a card does not have. @throws NetlinkError EOPNOTSUPP */
function refuseAttr(tb: NlaTable, type: number, message: string): void {
  if (tb.has(type)) throw new NetlinkError('EOPNOTSUPP', message, { offset: tb.offset(type) })
}

const Channels = {
  RX_MAX: 2,
  TX_MAX: 3,
  OTHER_MAX: 4,
  COMBINED_MAX: 5,
  RX_COUNT: 6,
  TX_COUNT: 7,
  OTHER_COUNT: 8,
  COMBINED_COUNT: 9,
} as const

/** @kernel ethnl_channels_request_ops net/ethtool/channels.c */
export const channelsGet: EthnlGet<EthtoolChannels> = {
  cmd: EthMsg.CHANNELS_GET,
  reply: EthReply.CHANNELS,
  prepare: (dev) => ethtoolGetChannels(dev),
  fill(w, c) {
    putPair(w, Channels.RX_MAX, c.maxRx, Channels.RX_COUNT, c.rxCount)
    putPair(w, Channels.TX_MAX, c.maxTx, Channels.TX_COUNT, c.txCount)
    putPair(w, Channels.OTHER_MAX, c.maxOther, Channels.OTHER_COUNT, c.otherCount)
    putPair(w, Channels.COMBINED_MAX, c.maxCombined, Channels.COMBINED_COUNT, c.combinedCount)
  },
}

/** @kernel ethnl_set_channels() net/ethtool/channels.c */
export const channelsSet: EthnlSet = {
  cmd: EthMsg.CHANNELS_SET,
  attrs: {
    [Channels.RX_COUNT]: attr('rx-count', 'u32'),
    [Channels.TX_COUNT]: attr('tx-count', 'u32'),
    [Channels.OTHER_COUNT]: attr('other-count', 'u32'),
    [Channels.COMBINED_COUNT]: attr('combined-count', 'u32'),
  },
  set(dev, tb) {
    ethtoolSetChannels(dev, {
      rxCount: tb.number(Channels.RX_COUNT),
      txCount: tb.number(Channels.TX_COUNT),
      otherCount: tb.number(Channels.OTHER_COUNT),
      combinedCount: tb.number(Channels.COMBINED_COUNT),
    })
  },
}

/** The parameters in the order of their attributes, the first of which is 2. */
const COALESCE_KEYS = Object.keys(COALESCE_ATTRS) as (keyof EthtoolCoalesce)[]
const COALESCE_FIRST = 2
const COALESCE_BOOLS: readonly (keyof EthtoolCoalesce)[] = [
  'useAdaptiveRxCoalesce',
  'useAdaptiveTxCoalesce',
  'useCqeModeTx',
  'useCqeModeRx',
]

function coalescePolicy(): Record<number, AttrPolicy> {
  const out: Record<number, AttrPolicy> = {}
  for (const [i, key] of COALESCE_KEYS.entries()) {
    const bool = COALESCE_BOOLS.includes(key)
    const more = key.startsWith('useCqe') ? { max: 1 } : {}
    out[COALESCE_FIRST + i] = attr(COALESCE_ATTRS[key], bool ? 'u8' : 'u32', more)
  }
  return out
}

interface Coalesce {
  readonly values: EthtoolCoalesce
  readonly shown: ReadonlySet<keyof EthtoolCoalesce>
}

/** @kernel ethnl_coalesce_request_ops net/ethtool/coalesce.c */
export const coalesceGet: EthnlGet<Coalesce> = {
  cmd: EthMsg.COALESCE_GET,
  reply: EthReply.COALESCE,
  prepare(dev) {
    const values = ethtoolGetCoalesce(dev)
    return { values, shown: coalesceShown(dev, values) }
  },
  fill(w, { values, shown }) {
    for (const [i, key] of COALESCE_KEYS.entries()) {
      if (!shown.has(key)) continue
      const value = values[key]
      if (typeof value === 'boolean') w.putU8(COALESCE_FIRST + i, value ? 1 : 0)
      else w.putU32(COALESCE_FIRST + i, value)
    }
  },
}

/** @kernel ethnl_set_coalesce() net/ethtool/coalesce.c */
export const coalesceSet: EthnlSet = {
  cmd: EthMsg.COALESCE_SET,
  attrs: coalescePolicy(),
  set(dev, tb) {
    const change: Partial<Record<keyof EthtoolCoalesce, number | boolean>> = {}
    for (const [i, key] of COALESCE_KEYS.entries()) {
      const type = COALESCE_FIRST + i
      if (!tb.has(type)) continue
      change[key] = COALESCE_BOOLS.includes(key) ? tb.bool(type)! : tb.number(type)!
    }
    ethtoolSetCoalesce(dev, change as EthtoolCoalesceChange)
  },
}

const Pause = { AUTONEG: 2, RX: 3, TX: 4, STATS: 5 } as const
const PauseStat = { TX_FRAMES: 2, RX_FRAMES: 3 } as const

interface PauseAnswer {
  readonly param: EthtoolPauseparam
  readonly stats: Partial<EthtoolPauseStats> | null
}

/** @kernel ethnl_pause_request_ops net/ethtool/pause.c */
export const pauseGet: EthnlGet<PauseAnswer> = {
  cmd: EthMsg.PAUSE_GET,
  reply: EthReply.PAUSE,
  headerFlags: { stats: true },
  prepare: (dev, { stats }) => ({
    param: ethtoolGetPauseparam(dev),
    stats: stats ? ethtoolGetPauseStats(dev) : null,
  }),
  fill(w, { param, stats }) {
    w.putU8(Pause.AUTONEG, param.autoneg ? 1 : 0)
    w.putU8(Pause.RX, param.rxPause ? 1 : 0)
    w.putU8(Pause.TX, param.txPause ? 1 : 0)
    if (stats === null) return
    const at = w.nestStart(Pause.STATS)
    if (stats.txPauseFrames !== undefined) w.putU64(PauseStat.TX_FRAMES, stats.txPauseFrames)
    if (stats.rxPauseFrames !== undefined) w.putU64(PauseStat.RX_FRAMES, stats.rxPauseFrames)
    w.nestEnd(at)
  },
}

/** @kernel ethnl_set_pause() net/ethtool/pause.c */
export const pauseSet: EthnlSet = {
  cmd: EthMsg.PAUSE_SET,
  attrs: {
    [Pause.AUTONEG]: attr('autoneg', 'u8'),
    [Pause.RX]: attr('rx', 'u8'),
    [Pause.TX]: attr('tx', 'u8'),
  },
  set(dev, tb) {
    ethtoolSetPauseparam(dev, {
      autoneg: tb.bool(Pause.AUTONEG),
      rxPause: tb.bool(Pause.RX),
      txPause: tb.bool(Pause.TX),
    })
  },
}

import { formatPause, formatPauseJson, pauseNegotiated } from '@vnet/ethtool'
import type { EthtoolPauseStats, PauseExtras } from '@vnet/ethtool'
import { EthFlag, EthMsg } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import { nameIn, query } from './get.ts'
import { parseLinkmodes } from './settings.ts'

/** Fields of PAUSE by their attributes. @kernel ETHTOOL_A_PAUSE_AUTONEG include/uapi/linux/ethtool_netlink.h */
export const PAUSE_TYPES = { autoneg: 2, rxPause: 3, txPause: 4 } as const
const PAUSE_STATS = 5
const PauseStat = { TX_FRAMES: 2, RX_FRAMES: 3 } as const

/** `ethtool -a` @kernel none */
export const showPause = query(
  EthMsg.PAUSE_GET,
  function* (run, tb) {
    const flag = (type: number) => (tb.u8(type) ?? 0) !== 0
    const autoneg = flag(PAUSE_TYPES.autoneg)
    const extras: PauseExtras = {
      negotiated: autoneg ? yield* negotiated(run) : undefined,
      stats: run.includeStatistics ? statsOf(tb) : undefined,
    }
    if (run.json) return formatPauseJson(nameIn(tb), extras)
    const param = { autoneg, rxPause: flag(PAUSE_TYPES.rxPause), txPause: flag(PAUSE_TYPES.txPause) }
    return formatPause(nameIn(tb), param, extras)
  },
  (run) => EthFlag.COMPACT_BITSETS | (run.includeStatistics ? EthFlag.STATS : 0),
)

function statsOf(tb: AttrMap): Partial<EthtoolPauseStats> {
  const stats = tb.nest(PAUSE_STATS)
  const tx = stats.u64(PauseStat.TX_FRAMES)
  const rx = stats.u64(PauseStat.RX_FRAMES)
  return {
    ...(tx === undefined ? {} : { txPauseFrames: tx }),
    ...(rx === undefined ? {} : { rxPauseFrames: rx }),
  }
}

/** A second request of the same command; that it fails is said, and does not end it. */
function* negotiated(run: EthtoolRun): Syscalls<PauseExtras['negotiated']> {
  try {
    const genl = yield* run.genl()
    const tb = yield* genl.ask({
      cmd: EthMsg.LINKMODES_GET,
      dev: run.devname,
      flags: EthFlag.COMPACT_BITSETS,
    })
    const { advertising, lpAdvertising } = parseLinkmodes(tb)
    return lpAdvertising === 0n ? undefined : pauseNegotiated(advertising, lpAdvertising)
  } catch (error) {
    run.netlinkError(error)
    return undefined
  }
}

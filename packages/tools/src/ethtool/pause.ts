import { formatJson, formatPause, formatPauseJson, pauseNegotiated } from '@vnet/ethtool'
import type { EthtoolPauseStats, PauseExtras } from '@vnet/ethtool'
import { EthFlag, EthMsg } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import { nameIn } from './get.ts'
import { parseLinkmodes } from './settings.ts'

const Pause = { AUTONEG: 2, RX: 3, TX: 4, STATS: 5 } as const
const PauseStat = { TX_FRAMES: 2, RX_FRAMES: 3 } as const

/** `ethtool -a` @kernel none */
export function* showPause(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0) {
    run.err(`ethtool: unexpected parameter '${run.args[0]}'\n`)
    return 1
  }
  const code = yield* run.netlink(1, function* () {
    const genl = yield* run.genl()
    const flags = EthFlag.COMPACT_BITSETS | (run.includeStatistics ? EthFlag.STATS : 0)
    const tb = yield* genl.ask({ cmd: EthMsg.PAUSE_GET, dev: run.devname, flags })
    const autoneg = (tb.u8(Pause.AUTONEG) ?? 0) !== 0
    const extras: PauseExtras = {
      negotiated: autoneg ? yield* negotiated(run) : undefined,
      stats: run.includeStatistics ? statsOf(tb) : undefined,
    }
    const param = { autoneg, rxPause: (tb.u8(Pause.RX) ?? 0) !== 0, txPause: (tb.u8(Pause.TX) ?? 0) !== 0 }
    run.out(run.json ? formatPauseJson(nameIn(tb), extras) : formatPause(nameIn(tb), param, extras))
  })
  if (code !== 0 && run.json) run.out(formatJson([]))
  return code
}

function statsOf(tb: AttrMap): Partial<EthtoolPauseStats> {
  const stats = tb.nest(Pause.STATS)
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

import { coalesceShown, ethtoolGetCoalesce } from '../coalesce.ts'
import { ethtoolGetChannels } from '../channels.ts'
import { unsupported } from '../core.ts'
import { ethtoolGetFeatures } from '../features.ts'
import { formatChannels } from '../format/channels.ts'
import { formatCoalesce } from '../format/coalesce.ts'
import { formatFeatures, formatFeaturesJson } from '../format/features.ts'
import { formatJson } from '../format/json.ts'
import { formatPermAddr, formatPrivFlags } from '../format/others.ts'
import { formatPause, formatPauseJson, pauseNegotiated } from '../format/pause.ts'
import type { PauseExtras } from '../format/pause.ts'
import { formatRings } from '../format/rings.ts'
import { formatStdStats, formatStdStatsJson } from '../format/stats.ts'
import { formatTsInfo } from '../format/tsinfo.ts'
import { ethtoolGetLinkKsettings } from '../ksettings.ts'
import { ethtoolGetPauseparam, ethtoolGetPauseStats } from '../pause.ts'
import { ethtoolGetPermAddr } from '../permaddr.ts'
import { ethtoolGetPrivFlags } from '../privflags.ts'
import { ethtoolGetRingparam } from '../rings.ts'
import { ethnlUpdateBitset } from '../bitset.ts'
import { ethtoolGetStdStats, STATS_GROUPS } from '../std-stats.ts'
import { ethtoolGetTsInfo } from '../tsinfo.ts'
import { Errno } from '@vnet/kernel'
import { devGetByName } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { asErrno } from './context.ts'
import type { Cli } from './context.ts'
import { nicStatistics } from './ioctls.ts'
import { RequestLayout } from './layout.ts'
import { statsGroups } from './words.ts'

/** A query that takes no words of its own: prints what `show` returns; 1 when it is refused. */
function query(show: (dev: NetDevice<any>, cli: Cli) => string, admin = false): (cli: Cli) => number {
  return (cli) => {
    if (cli.args.length > 0) {
      cli.err(`ethtool: unexpected parameter '${cli.args[0]}'\n`)
      return 1
    }
    const code = cli.netlink(1, () => {
      if (admin) cli.needAdmin()
      cli.out(show(cli.netlinkDev(), cli))
    })
    if (code !== 0 && cli.json) cli.out(formatJson([]))
    return code
  }
}

/** A query for something no device here has. */
function never(message?: string): (cli: Cli) => number {
  return query(() => {
    throw unsupported(message)
  })
}

/** `ethtool -g` @kernel none */
export const showRing = query((dev) => formatRings(dev.name, ethtoolGetRingparam(dev)))

/** `ethtool -l` @kernel none */
export const showChannels = query((dev) => formatChannels(dev.name, ethtoolGetChannels(dev)))

/** `ethtool -c` @kernel none */
export const showCoalesce = query((dev) => {
  const coalesce = ethtoolGetCoalesce(dev)
  return formatCoalesce(dev.name, coalesce, coalesceShown(dev, coalesce))
})

/** `ethtool -k` @kernel none */
export const showFeatures = query((dev, cli) => {
  const print = cli.json ? formatFeaturesJson : formatFeatures
  return print(dev.name, ethtoolGetFeatures(dev))
})

/** `ethtool -T` @kernel none */
export const showTimeStamping = query((dev) => formatTsInfo(dev.name, ethtoolGetTsInfo(dev)))

/** `ethtool --show-priv-flags` @kernel none */
export const showPrivFlags = query((dev) => formatPrivFlags(dev.name, ethtoolGetPrivFlags(dev)))

/** `ethtool --show-module`: nothing to tell about a transceiver is no error. @kernel none */
export const showModule = query((dev, cli) =>
  cli.json ? formatJson([[['ifname', dev.name]]]) : `Module parameters for ${dev.name}:\n`,
)

/** `ethtool --show-eee` @kernel none */
export const showEee = never()
/** `ethtool --show-fec` @kernel none */
export const showFec = never()
/** `ethtool --show-tunnels` @kernel none */
export const showTunnels = never('device does not report tunnel offload info')

/** `ethtool -m` @kernel none */
export function moduleEeprom(cli: Cli): number {
  return cli.netlink(1, () => {
    cli.needAdmin()
    cli.netlinkDev()
    throw unsupported()
  })
}

/** `ethtool -a` @kernel none */
export const showPause = query((dev, cli) => {
  const pause = ethtoolGetPauseparam(dev)
  const extras: PauseExtras = {
    negotiated: pause.autoneg ? negotiated(dev, cli) : undefined,
    stats: cli.includeStatistics ? ethtoolGetPauseStats(dev) : undefined,
  }
  return cli.json ? formatPauseJson(dev.name, extras) : formatPause(dev.name, pause, extras)
})

/** A second request of the same command; that it fails is said, and does not end it. */
function negotiated(dev: NetDevice<any>, cli: Cli): PauseExtras['negotiated'] {
  try {
    const { advertising, lpAdvertising } = ethtoolGetLinkKsettings(dev)
    return lpAdvertising === 0n ? undefined : pauseNegotiated(advertising, lpAdvertising)
  } catch (error) {
    cli.netlinkError(asErrno(error))
    return undefined
  }
}

/** `ethtool -P`: asked of rtnetlink, whose refusal has no sentence. @kernel none */
export function showPermAddr(cli: Cli): number {
  return cli.netlink(1, () => {
    const dev = devGetByName(cli.kernel, cli.devname)
    if (dev === undefined) throw new Errno('ENODEV')
    cli.out(formatPermAddr(ethtoolGetPermAddr(dev)))
  })
}

/** `ethtool -S`: the driver's counters, or with a word behind it groups of standard ones. @kernel none */
export function statistics(cli: Cli): number {
  if (cli.args.length > 0) return standardStats(cli)
  cli.checkIoctl()
  return nicStatistics(cli)
}

function standardStats(cli: Cli): number {
  const layout = new RequestLayout(cli.devname)
  const names = statsGroups(cli, layout)
  const code = cli.netlink(
    1,
    () => {
      const dev = cli.netlinkDev()
      const bits = ethnlUpdateBitset(0n, STATS_GROUPS, names, 'groups')
      const groups = STATS_GROUPS.filter((_, i) => ((bits >> BigInt(i)) & 1n) === 1n)
      if (groups.length === 0) throw new Errno('EINVAL', 'no stats requested')
      const print = cli.json ? formatStdStatsJson : formatStdStats
      cli.out(print(dev.name, ethtoolGetStdStats(dev, groups)))
    },
    layout,
  )
  if (code !== 0 && cli.json) cli.out(formatJson([]))
  return code
}

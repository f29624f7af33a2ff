import { Errno } from '@vnet/kernel'
import { ethtoolNwayReset, ethtoolPhysId, ethtoolReset } from '../actions.ts'
import { unsupported } from '../core.ts'
import { ethtoolGetDrvinfo } from '../drvinfo.ts'
import { ethtoolGetEeprom } from '../eeprom.ts'
import { formatDrvinfo } from '../format/drvinfo.ts'
import { formatSelfTest } from '../format/others.ts'
import { formatStats } from '../format/stats.ts'
import { formatHexDump } from '../format/text.ts'
import { ethtoolGetRegs } from '../regs.ts'
import { ethtoolSelfTest } from '../selftest.ts'
import { ethtoolGetStats } from '../stats.ts'
import { ethtoolGetStrings } from '../strset.ts'
import type { StringSet } from '../strset.ts'
import type { Cli } from './context.ts'
import { int, keyed, resetFlags } from './words.ts'

/** `ethtool -i` @kernel none */
export function driverInfo(cli: Cli): number {
  cli.noArgs()
  const info = cli.ioctl('Cannot get driver information', 71, () => ethtoolGetDrvinfo(cli.ioctlDev(false)))
  cli.out(formatDrvinfo(info))
  return 0
}

/** The names of a set; none when the driver has no such set. */
function namesOf(cli: Cli, set: StringSet): readonly string[] {
  const dev = cli.ioctlDev(false)
  try {
    return ethtoolGetStrings(dev, set)
  } catch (error) {
    if (error instanceof Errno && error.code === 'EOPNOTSUPP') return []
    throw error
  }
}

function counters(kind: 'NIC' | 'PHY', set: StringSet): (cli: Cli) => number {
  return (cli) => {
    cli.noArgs()
    const names = cli.ioctl('Cannot get stats strings information', 96, () => namesOf(cli, set))
    if (names.length === 0) {
      cli.err('no stats available\n')
      return 94
    }
    const stats = cli.ioctl('Cannot get stats information', 97, () => {
      if (set !== 'stats') throw unsupported()
      return ethtoolGetStats(cli.ioctlDev(false))
    })
    cli.out(formatStats(stats, kind))
    return 0
  }
}

/** `ethtool -S` without words of its own @kernel none */
export const nicStatistics = counters('NIC', 'stats')

/** `ethtool --phy-statistics` @kernel none */
export const phyStatistics = counters('PHY', 'phy-stats')

/** `ethtool -d`: always as a dump; the tool's decoders for single cards are not here. @kernel none */
export function registerDump(cli: Cli): number {
  const options = keyed(cli, { raw: 'bool', hex: 'bool', file: 'text' })
  cli.ioctl('Cannot get driver information', 72, () => ethtoolGetDrvinfo(cli.ioctlDev(false)))
  const { data } = cli.ioctl('Cannot get register dump', 74, () => ethtoolGetRegs(cli.ioctlDev(true)))
  if (options['file'] !== undefined && options['raw'] !== true) {
    cli.err(`Can't open '${String(options['file'])}': No such file or directory\n`)
    return 75
  }
  cli.out(options['raw'] === true ? String.fromCharCode(...data) : formatHexDump(data))
  return 0
}

/** `ethtool -e` @kernel none */
export function eepromDump(cli: Cli): number {
  const options = keyed(cli, { offset: 'u32', length: 'u32', raw: 'bool' })
  const info = cli.ioctl('Cannot get driver information', 74, () => ethtoolGetDrvinfo(cli.ioctlDev(false)))
  const offset = Number(options['offset'] ?? 0)
  let length = Number(options['length'] ?? info.eedumpLen)
  if (info.eedumpLen < offset + length) length = info.eedumpLen - offset
  const bytes = cli.ioctl('Cannot get EEPROM data', 74, () =>
    ethtoolGetEeprom(cli.ioctlDev(true), offset, length),
  )
  cli.out(options['raw'] === true ? String.fromCharCode(...bytes) : formatHexDump(bytes, offset))
  return 0
}

/** `ethtool -t` @kernel none */
export function selfTest(cli: Cli): number {
  const mode = cli.args[0] ?? 'offline'
  if (cli.args.length > 1 || !['online', 'offline', 'external_lb'].includes(mode)) cli.badArgs()
  cli.ioctl('Cannot get strings', 74, () => namesOf(cli, 'test'))
  const flags = { offline: mode !== 'online', externalLb: mode === 'external_lb' }
  const report = cli.ioctl('Cannot test', 74, () => ethtoolSelfTest(cli.ioctlDev(true), flags))
  cli.out(formatSelfTest(report))
  return report.failed ? 2 : 0
}

/** `ethtool -p` @kernel none */
export function identify(cli: Cli): number {
  if (cli.args.length > 1) cli.badArgs()
  const seconds = cli.args[0] === undefined ? 0 : int(cli, cli.args[0])
  cli.ioctl('Cannot identify NIC', 255, () => ethtoolPhysId(cli.ioctlDev(true), seconds))
  return 0
}

/** `ethtool -r` @kernel none */
export function negotiate(cli: Cli): number {
  cli.noArgs()
  cli.ioctl('Cannot restart autonegotiation', 255, () => ethtoolNwayReset(cli.ioctlDev(true)))
  return 0
}

/** `ethtool --reset` @kernel none */
export function reset(cli: Cli): number {
  const flags = resetFlags(cli)
  cli.out(`ETHTOOL_RESET 0x${flags.toString(16)}\n`)
  const left = cli.ioctl('Cannot issue ETHTOOL_RESET', 1, () => ethtoolReset(cli.ioctlDev(true), flags))
  cli.out(`Components reset:     0x${((flags & ~left) >>> 0).toString(16)}\n`)
  if (left !== 0) cli.out(`Components not reset: 0x${left.toString(16)}\n`)
  return 0
}

/** `ethtool -w`: no device here has a firmware to dump. @kernel none */
export function firmwareDump(cli: Cli): number {
  if (cli.args.length > 0 && (cli.args.length !== 2 || cli.args[0] !== 'data')) cli.badArgs()
  return cli.ioctl('Can not get dump level', 1, () => {
    cli.ioctlDev(true)
    throw unsupported()
  })
}

const PHY_TUNABLES: Readonly<Record<string, string>> = {
  downshift: 'Cannot Get PHY downshift count',
  'fast-link-down': 'Cannot Get PHY Fast Link Down value',
  'energy-detect-power-down': 'Cannot Get PHY Energy Detect Power Down value',
}

/** `ethtool --get-phy-tunable`: no device here has a PHY. @kernel none */
export function phyTunable(cli: Cli): number {
  const what = PHY_TUNABLES[cli.args[0] ?? '']
  if (what === undefined) return cli.badArgs()
  return cli.ioctl(what, 87, () => {
    cli.ioctlDev(false)
    throw unsupported()
  })
}

const TUNABLES = ['rx-copybreak', 'tx-copybreak', 'tx-buf-size', 'pfc-prevention-tout']

/** `ethtool --get-tunable`: no device here has one. @kernel none */
export function tunable(cli: Cli): number {
  const name = cli.args[0]
  if (name === undefined || !TUNABLES.includes(name)) return cli.badArgs()
  return cli.stop(`${name}: Cannot get tunable\n`, 255)
}

import {
  formatDrvinfo,
  formatHexDump,
  formatSelfTest,
  formatStats,
  argInt as int,
  argKeyed as keyed,
  resetFlags,
} from '@vnet/ethtool'
import type { EthtoolDrvinfo } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { EthSs, EthtoolCmd } from '@vnet/netlink'
import { open } from '../proc/files.ts'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import type { EthtoolCommand } from './get.ts'
import { ethIoctl, ethStrings, ethStruct } from './ioctl-call.ts'
import type { EthStruct } from './ioctl-call.ts'

const DRVINFO = 196
/** Bytes a card may claim to have; more is a lie. */
const MAX_DUMP = 4 * 1024 * 1024

/** Runs the ioctl of this device. @throws Errno */
export function call(run: EthtoolRun, struct: EthStruct): Syscalls<EthStruct> {
  return ethIoctl(run.process, run.devname, struct)
}

function* drvinfo(run: EthtoolRun): Syscalls<EthtoolDrvinfo> {
  const info = yield* call(run, ethStruct(DRVINFO, EthtoolCmd.GDRVINFO))
  return {
    driver: info.text(4, 32),
    version: info.text(36, 32),
    fwVersion: info.text(68, 32),
    busInfo: info.text(100, 32),
    eromVersion: info.text(132, 32),
    nPrivFlags: info.u32(176),
    nStats: info.u32(180),
    testinfoLen: info.u32(184),
    eedumpLen: info.u32(188),
    regdumpLen: info.u32(192),
  }
}

/** `ethtool -i` @kernel none */
export function* driverInfo(run: EthtoolRun): Syscalls<number> {
  run.noArgs()
  run.out(formatDrvinfo(yield* run.ioctl('Cannot get driver information', 71, () => drvinfo(run))))
  return 0
}

/** The names of a set; none when the driver has no such thing at all. */
function* namesOf(run: EthtoolRun, set: number): Syscalls<readonly string[]> {
  try {
    return yield* ethStrings(run.process, run.devname, set)
  } catch (error) {
    if (error instanceof Errno && error.code === 'EOPNOTSUPP') return []
    throw error
  }
}

const GPHYSTATS = 0x4a

function counters(kind: 'NIC' | 'PHY'): EthtoolCommand {
  const set = kind === 'NIC' ? EthSs.STATS : EthSs.PHY_STATS
  return function* (run) {
    run.noArgs()
    const names = yield* run.ioctl('Cannot get stats strings information', 96, () => namesOf(run, set))
    if (names.length === 0) {
      run.err('no stats available\n')
      return 94
    }
    const ask = ethStruct(8 + 8 * names.length, kind === 'NIC' ? EthtoolCmd.GSTATS : GPHYSTATS, names.length)
    const stats = yield* run.ioctl('Cannot get stats information', 97, () => call(run, ask))
    run.out(
      formatStats(
        names.map((name, i) => ({ name, value: stats.u64(8 + 8 * i) })),
        kind,
      ),
    )
    return 0
  }
}

/** `ethtool -S` without words of its own @kernel none */
export const nicStatistics = counters('NIC')

/** `ethtool --phy-statistics` @kernel none */
export const phyStatistics = counters('PHY')

/** `ethtool -d`: always as a dump; the tool's decoders for single cards are not here. @kernel none */
export function* registerDump(run: EthtoolRun): Syscalls<number> {
  const options = keyed(run, { raw: 'bool', hex: 'bool', file: 'text' })
  const { regdumpLen } = yield* run.ioctl('Cannot get driver information', 72, () => drvinfo(run))
  const length = Math.min(regdumpLen, MAX_DUMP)
  const dump = yield* run.ioctl('Cannot get register dump', 74, () =>
    call(run, ethStruct(12 + length, EthtoolCmd.GREGS, 0, length)),
  )
  const data = dump.bytes.subarray(12, 12 + Math.min(dump.u32(8), length))
  const { file } = options
  if (typeof file === 'string' && options['raw'] !== true) return yield* cannotOpen(run, file)
  run.out(options['raw'] === true ? data : formatHexDump(data))
  return 0
}

/** A dump kept in a file can be shown instead of the card's; what such files look like is not known here. */
function* cannotOpen(run: EthtoolRun, path: string): Syscalls<number> {
  try {
    yield* open(run.process, path)
    run.err(`Can't read '${path}': a dump in a file is not understood here\n`)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    run.err(`Can't open '${path}': ${error.message}\n`)
  }
  return 75
}

/** `ethtool -e` @kernel none */
export function* eepromDump(run: EthtoolRun): Syscalls<number> {
  const options = keyed(run, { offset: 'u32', length: 'u32', raw: 'bool' })
  const { eedumpLen } = yield* run.ioctl('Cannot get driver information', 74, () => drvinfo(run))
  const offset = Number(options['offset'] ?? 0)
  let length = Number(options['length'] ?? eedumpLen)
  if (eedumpLen < offset + length) length = eedumpLen - offset
  const room = Math.max(0, Math.min(length, MAX_DUMP))
  const dump = yield* run.ioctl('Cannot get EEPROM data', 74, () =>
    call(run, ethStruct(16 + room, EthtoolCmd.GEEPROM, 0, offset, length)),
  )
  const bytes = dump.bytes.subarray(16, 16 + Math.min(dump.u32(12), room))
  run.out(options['raw'] === true ? bytes : formatHexDump(bytes, offset))
  return 0
}

const TestFlag = { OFFLINE: 1, FAILED: 2, EXTERNAL_LB: 4, EXTERNAL_LB_DONE: 8 } as const

/** `ethtool -t` @kernel none */
export function* selfTest(run: EthtoolRun): Syscalls<number> {
  const mode = run.args[0] ?? 'offline'
  if (run.args.length > 1 || !['online', 'offline', 'external_lb'].includes(mode)) run.badArgs()
  const names = yield* run.ioctl('Cannot get strings', 74, () => namesOf(run, EthSs.TEST))
  const external = mode === 'external_lb'
  const flags = (mode === 'online' ? 0 : TestFlag.OFFLINE) | (external ? TestFlag.EXTERNAL_LB : 0)
  const ask = ethStruct(16 + 8 * names.length, EthtoolCmd.TEST, flags, 0, names.length)
  const report = yield* run.ioctl('Cannot test', 74, () => call(run, ask))
  const failed = (report.u32(4) & TestFlag.FAILED) !== 0
  run.out(
    formatSelfTest({
      offline: mode !== 'online',
      externalLb: external,
      failed,
      externalLbDone: (report.u32(4) & TestFlag.EXTERNAL_LB_DONE) !== 0,
      tests: names.map((name, i) => ({ name, value: Number(BigInt.asIntN(32, report.u64(16 + 8 * i))) })),
    }),
  )
  return failed ? 2 : 0
}

/** `ethtool -p` @kernel none */
export function* identify(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 1) run.badArgs()
  const seconds = run.args[0] === undefined ? 0 : int(run, run.args[0])
  yield* run.ioctl('Cannot identify NIC', 255, () => call(run, ethStruct(8, EthtoolCmd.PHYS_ID, seconds)))
  return 0
}

/** `ethtool -r` @kernel none */
export function* negotiate(run: EthtoolRun): Syscalls<number> {
  run.noArgs()
  yield* run.ioctl('Cannot restart autonegotiation', 255, () => call(run, ethStruct(8, EthtoolCmd.NWAY_RST)))
  return 0
}

/** `ethtool --reset` @kernel none */
export function* reset(run: EthtoolRun): Syscalls<number> {
  const flags = resetFlags(run)
  run.out(`ETHTOOL_RESET 0x${flags.toString(16)}\n`)
  const answer = yield* run.ioctl('Cannot issue ETHTOOL_RESET', 1, () =>
    call(run, ethStruct(8, EthtoolCmd.RESET, flags)),
  )
  const left = answer.u32(4)
  run.out(`Components reset:     0x${((flags & ~left) >>> 0).toString(16)}\n`)
  if (left !== 0) run.out(`Components not reset: 0x${left.toString(16)}\n`)
  return 0
}

const GET_DUMP_FLAG = 0x3f
const PHY_GTUNABLE = 0x4e
const GTUNABLE = 0x48

/** `ethtool -w`: the level of a firmware's dump; the dump itself is not fetched here. @kernel none */
export function* firmwareDump(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0 && (run.args.length !== 2 || run.args[0] !== 'data')) run.badArgs()
  const dump = yield* run.ioctl('Can not get dump level', 1, () => call(run, ethStruct(16, GET_DUMP_FLAG)))
  run.out(`flag: ${dump.u32(8)}, version: ${dump.u32(4)}, length: ${dump.u32(12)}\n`)
  return 0
}

const PHY_TUNABLES: Readonly<Record<string, string>> = {
  downshift: 'Cannot Get PHY downshift count',
  'fast-link-down': 'Cannot Get PHY Fast Link Down value',
  'energy-detect-power-down': 'Cannot Get PHY Energy Detect Power Down value',
}

/** `ethtool --get-phy-tunable` @kernel none */
export function* phyTunable(run: EthtoolRun): Syscalls<number> {
  const word = run.args[0] ?? ''
  const what = PHY_TUNABLES[word]
  if (what === undefined) return run.badArgs()
  const id = Object.keys(PHY_TUNABLES).indexOf(word) + 1
  const answer = yield* run.ioctl(what, 87, () => call(run, ethStruct(20, PHY_GTUNABLE, id, 1, 1)))
  run.out(`${word}: ${answer.bytes[16] ?? 0}\n`)
  return 0
}

const TUNABLES = ['rx-copybreak', 'tx-copybreak', 'pfc-prevention-tout', 'tx-buf-size']

/** `ethtool --get-tunable` @kernel none */
export function* tunable(run: EthtoolRun): Syscalls<number> {
  const name = run.args[0]
  if (name === undefined || !TUNABLES.includes(name)) return run.badArgs()
  try {
    const answer = yield* call(run, ethStruct(20, GTUNABLE, TUNABLES.indexOf(name) + 1, 3, 4))
    run.out(`${name}: ${answer.u32(16)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return run.stop(`${name}: Cannot get tunable\n`, 255)
  }
}

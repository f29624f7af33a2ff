import { reboot, uname } from '../proc/files.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { badOption, parseOptions, said } from './options.ts'

/** `uname [-asnrvmo]` @kernel none */
export function* unameProgram(process: Process): Syscalls<number> {
  const long = {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    'operating-system': 'o',
  }
  const { flags, words, unknown } = parseOptions(process.argv, 'asnrvmpio', long)
  if (unknown !== null) return badOption(process, unknown)
  if (words.length > 0) {
    process.stderr(`uname: extra operand '${words[0]}'\n`)
    return 1
  }
  const { sysname, nodename, release, version, machine } = yield* uname(process)
  const fields: readonly (readonly [string, string])[] = [
    ['s', sysname],
    ['n', nodename],
    ['r', release],
    ['v', version],
    ['m', machine],
    ['o', 'GNU/Linux'],
  ]
  const wanted = flags.size === 0 ? new Set(['s']) : flags
  const shown = fields.filter(([letter]) => wanted.has('a') || wanted.has(letter))
  process.stdout(`${shown.map(([, text]) => text).join(' ')}\n`)
  return 0
}

/** `hostname`: only shows it. @kernel none */
export function* hostname(process: Process): Syscalls<number> {
  if (process.argv.length > 1 && !process.argv[1]!.startsWith('-')) {
    process.stderr('hostname: you must be root to change the host name\n')
    return 1
  }
  process.stdout(`${(yield* uname(process)).nodename}\n`)
  return 0
}

/** @kernel LINUX_REBOOT_CMD_POWER_OFF include/uapi/linux/reboot.h */
const POWER_OFF = 0x4321fedc

/** `poweroff`: the machine ends, and with it this program. @kernel none */
export function* poweroff(process: Process): Syscalls<number> {
  const done = yield* said(process, 'poweroff', () => reboot(POWER_OFF))
  return done === null ? 1 : 0
}

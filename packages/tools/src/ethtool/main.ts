import { CliExit } from '@vnet/ethtool'
import type { Process, Syscalls } from '../proc/process.ts'
import { EthtoolRun } from './context.ts'
import { setFeatures, showFeatures } from './features.ts'
import * as get from './get.ts'
import type { EthtoolCommand } from './get.ts'
import * as ioctl from './ioctls.ts'
import { monitor } from './monitor.ts'
import { showPause } from './pause.ts'
import { setRules, showRules } from './rules.ts'
import { setRxfh, showRxfh } from './rxfh.ts'
import * as set from './set.ts'
import { changeSettings } from './set.ts'
import { showSettings } from './settings.ts'
import { standardStats } from './std-stats.ts'

interface Command {
  /** All spellings: `-g|--show-ring`. */
  readonly words: string
  readonly run: EthtoolCommand
  /** Knows `--json`. */
  readonly json?: boolean
  /** Asks over an ioctl, which takes no long names and prints no JSON. */
  readonly ioctl?: boolean
}

const COMMANDS: readonly Command[] = [
  { words: '-s|--change', run: changeSettings },
  { words: '-a|--show-pause', run: showPause, json: true },
  { words: '-A|--pause', run: set.setPause },
  { words: '-c|--show-coalesce', run: get.showCoalesce },
  { words: '-C|--coalesce', run: set.setCoalesce },
  { words: '-g|--show-ring', run: get.showRing },
  { words: '-G|--set-ring', run: set.setRing },
  { words: '-k|--show-features|--show-offload', run: showFeatures, json: true },
  { words: '-K|--features|--offload', run: setFeatures },
  { words: '-i|--driver', run: ioctl.driverInfo, ioctl: true },
  { words: '-d|--register-dump', run: ioctl.registerDump, ioctl: true },
  { words: '-e|--eeprom-dump', run: ioctl.eepromDump, ioctl: true },
  { words: '-r|--negotiate', run: ioctl.negotiate, ioctl: true },
  { words: '-p|--identify', run: ioctl.identify, ioctl: true },
  { words: '-t|--test', run: ioctl.selfTest, ioctl: true },
  { words: '-S|--statistics', run: statistics, json: true },
  { words: '--phy-statistics', run: ioctl.statistics('PHY'), ioctl: true },
  { words: '-n|-u|--show-nfc|--show-ntuple', run: showRules, ioctl: true },
  { words: '-N|-U|--config-nfc|--config-ntuple', run: setRules, ioctl: true },
  { words: '-T|--show-time-stamping', run: get.showTimeStamping },
  { words: '-x|--show-rxfh-indir|--show-rxfh', run: showRxfh, ioctl: true },
  { words: '-X|--set-rxfh-indir|--rxfh', run: setRxfh, ioctl: true },
  { words: '-P|--show-permaddr', run: get.showPermAddr },
  { words: '-w|--get-dump', run: ioctl.firmwareDump, ioctl: true },
  { words: '-l|--show-channels', run: get.showChannels },
  { words: '-L|--set-channels', run: set.setChannels },
  { words: '--show-priv-flags', run: get.showPrivFlags },
  { words: '--set-priv-flags', run: set.setPrivFlags },
  { words: '-m|--dump-module-eeprom|--module-info', run: get.moduleEeprom },
  { words: '--show-eee', run: get.showEee },
  { words: '--set-eee', run: set.setEee },
  { words: '--get-phy-tunable', run: ioctl.phyTunable, ioctl: true },
  { words: '--get-tunable', run: ioctl.tunable, ioctl: true },
  { words: '--reset', run: ioctl.reset, ioctl: true },
  { words: '--show-fec', run: get.showFec, json: true },
  { words: '--show-tunnels', run: get.showTunnels },
  { words: '--show-module', run: get.showModule, json: true },
]

/** Spellings of what the real tool can and this one cannot. */
const MISSING =
  '-E --change-eeprom -f --flash -W --set-dump --set-phy-tunable --set-tunable --set-fec -Q --per-queue --cable-test ' +
  '--cable-test-tdr --set-module'

/** `-S` asks for the driver's counters, or with a word behind it for groups of standard ones. */
function statistics(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0) return standardStats(run)
  run.checkIoctl()
  return ioctl.statistics('NIC')(run)
}

/** `ethtool`, as version 6.1 prints and ends. @kernel none */
export function* ethtool(process: Process): Syscalls<number> {
  const run = new EthtoolRun(process)
  try {
    return yield* dispatch(run, process.argv.slice(1))
  } catch (error) {
    if (error instanceof CliExit) return error.exitCode
    throw error
  }
}

function* dispatch(run: EthtoolRun, words: string[]): Syscalls<number> {
  takeFlags(run, words)
  const word = words.shift()
  if (word === undefined) return run.badArgs()
  if (word === '--version') return say(run, 'ethtool version 6.1\n')
  if (word === '-h' || word === '--help') return say(run, usage())
  if (word === '--monitor') return yield* monitor(run, words)
  if (MISSING.split(' ').includes(word)) {
    run.err(`ethtool: '${word}' is not implemented here\n`)
    return 1
  }
  const command = COMMANDS.find((one) => one.words.split('|').includes(word))
  if (command === undefined && word.startsWith('-')) return run.badArgs()
  run.devname = (command === undefined ? word : words.shift()) ?? run.badArgs()
  run.args = words
  if (run.json && command?.json !== true) return run.badArgs()
  if (command?.ioctl === true) run.checkIoctl()
  return yield* (command?.run ?? showSettings)(run)
}

/** `--debug` is understood and shows nothing: messages are not shown. */
function takeFlags(run: EthtoolRun, words: string[]): void {
  for (;;) {
    if (words[0] === '--json') run.json = true
    else if (words[0] === '-I' || words[0] === '--include-statistics') run.includeStatistics = true
    else if (words[0] === '--debug') {
      words.shift()
      if (!/^(?:0[xX][\da-fA-F]+|\d+)$/.test(words[0] ?? '')) run.badArgs()
    } else return
    words.shift()
  }
}

function say(run: EthtoolRun, text: string): number {
  run.out(text)
  return 0
}

function usage(): string {
  const lines = COMMANDS.map((command) => `  ethtool [--json] [-I] ${command.words} DEVNAME ...\n`)
  return `ethtool version 6.1, the part of it that is here:\n  ethtool DEVNAME\n${lines.join('')}`
}

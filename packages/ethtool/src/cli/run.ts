import type { Kernel } from '@vnet/kernel'
import { Cli } from './context.ts'
import * as get from './gets.ts'
import * as ioctl from './ioctls.ts'
import { CliExit } from './line.ts'
import * as rxfh from './rxfh.ts'
import * as set from './sets.ts'
import { changeSettings, showSettings } from './settings.ts'

/** What a program printed and how it ended. */
export interface EthtoolOutput {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** Who runs the tool. */
export interface RunEthtoolOptions {
  /** False: an ordinary user, who may look but not change. Default true. */
  readonly capNetAdmin?: boolean
}

interface Command {
  /** All spellings: `-g|--show-ring`. */
  readonly words: string
  readonly run: (cli: Cli) => number
  /** Knows `--json`. */
  readonly json?: boolean
  /** Asks over an ioctl, which takes no long names and prints no JSON. */
  readonly ioctl?: boolean
}

const COMMANDS: readonly Command[] = [
  { words: '-s|--change', run: changeSettings },
  { words: '-a|--show-pause', run: get.showPause, json: true },
  { words: '-A|--pause', run: set.setPause },
  { words: '-c|--show-coalesce', run: get.showCoalesce },
  { words: '-C|--coalesce', run: set.setCoalesce },
  { words: '-g|--show-ring', run: get.showRing },
  { words: '-G|--set-ring', run: set.setRing },
  { words: '-k|--show-features|--show-offload', run: get.showFeatures, json: true },
  { words: '-K|--features|--offload', run: set.setFeatures },
  { words: '-i|--driver', run: ioctl.driverInfo, ioctl: true },
  { words: '-d|--register-dump', run: ioctl.registerDump, ioctl: true },
  { words: '-e|--eeprom-dump', run: ioctl.eepromDump, ioctl: true },
  { words: '-r|--negotiate', run: ioctl.negotiate, ioctl: true },
  { words: '-p|--identify', run: ioctl.identify, ioctl: true },
  { words: '-t|--test', run: ioctl.selfTest, ioctl: true },
  { words: '-S|--statistics', run: statistics, json: true },
  { words: '--phy-statistics', run: ioctl.statistics('PHY', 'phy-stats'), ioctl: true },
  { words: '-n|-u|--show-nfc|--show-ntuple', run: rxfh.showRules, ioctl: true },
  { words: '-N|-U|--config-nfc|--config-ntuple', run: rxfh.setRules, ioctl: true },
  { words: '-T|--show-time-stamping', run: get.showTimeStamping },
  { words: '-x|--show-rxfh-indir|--show-rxfh', run: rxfh.showRxfh, ioctl: true },
  { words: '-X|--set-rxfh-indir|--rxfh', run: rxfh.setRxfh, ioctl: true },
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
  '--cable-test-tdr --set-module --monitor'

/** `-S` asks for the driver's counters, or with a word behind it for groups of standard ones. */
function statistics(cli: Cli): number {
  if (cli.args.length > 0) return get.standardStats(cli)
  cli.checkIoctl()
  return ioctl.statistics('NIC', 'stats')(cli)
}

/**
 * Answers a command line of ethtool(8) 6.1: the same text, the same complaints, the same exit code.
 *
 * `argv` is what stands behind the program's name: `['-g', 'vnet0']`. Process context; `-p` lets time pass.
 *
 * @kernel none
 * @rule ETH-16
 */
export function runEthtool(
  kernel: Kernel,
  argv: readonly string[],
  options: RunEthtoolOptions = {},
): EthtoolOutput {
  const cli = new Cli(kernel, options.capNetAdmin ?? true)
  const exitCode = catchExit(() => dispatch(cli, [...argv]))
  return { stdout: cli.stdout, stderr: cli.stderr, exitCode }
}

function catchExit(run: () => number): number {
  try {
    return run()
  } catch (error) {
    if (error instanceof CliExit) return error.exitCode
    throw error
  }
}

function dispatch(cli: Cli, words: string[]): number {
  takeFlags(cli, words)
  const word = words.shift()
  if (word === undefined) return cli.badArgs()
  if (word === '--version') return say(cli, 'ethtool version 6.1\n')
  if (word === '-h' || word === '--help') return say(cli, usage())
  if (MISSING.split(' ').includes(word)) {
    cli.err(`ethtool: '${word}' is not implemented here\n`)
    return 1
  }
  const command = COMMANDS.find((c) => c.words.split('|').includes(word))
  if (command === undefined && word.startsWith('-')) return cli.badArgs()
  const devname = command === undefined ? word : words.shift()
  if (devname === undefined) return cli.badArgs()
  cli.devname = devname
  cli.args = words
  if (cli.json && command?.json !== true) return cli.badArgs()
  if (command?.ioctl === true) cli.checkIoctl()
  return (command?.run ?? showSettings)(cli)
}

/** `--debug` is understood and shows nothing: no message is sent that could be shown. */
function takeFlags(cli: Cli, words: string[]): void {
  for (;;) {
    if (words[0] === '--json') cli.json = true
    else if (words[0] === '-I' || words[0] === '--include-statistics') cli.includeStatistics = true
    else if (words[0] === '--debug') {
      words.shift()
      if (!/^(?:0[xX][\da-fA-F]+|\d+)$/.test(words[0] ?? '')) cli.badArgs()
    } else return
    words.shift()
  }
}

function say(cli: Cli, text: string): number {
  cli.out(text)
  return 0
}

function usage(): string {
  const lines = COMMANDS.map((command) => `  ethtool [--json] [-I] ${command.words} DEVNAME ...\n`)
  return `ethtool version 6.1, the part of it that is here:\n  ethtool DEVNAME\n${lines.join('')}`
}

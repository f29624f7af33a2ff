import { CliExit } from './line.ts'
import type { CommandLine } from './line.ts'

interface Command {
  /** All spellings: `-g|--show-ring`. */
  readonly words: string
  /** Knows `--json`. */
  readonly json?: boolean
  /** Asks over an ioctl, which takes no long names and prints no JSON. */
  readonly ioctl?: boolean
}

/** The commands with a word of their own, by the name of the function that answers. */
const COMMANDS = {
  changeSettings: { words: '-s|--change' },
  showPause: { words: '-a|--show-pause', json: true },
  setPause: { words: '-A|--pause' },
  showCoalesce: { words: '-c|--show-coalesce' },
  setCoalesce: { words: '-C|--coalesce' },
  showRing: { words: '-g|--show-ring' },
  setRing: { words: '-G|--set-ring' },
  showFeatures: { words: '-k|--show-features|--show-offload', json: true },
  setFeatures: { words: '-K|--features|--offload' },
  driverInfo: { words: '-i|--driver', ioctl: true },
  registerDump: { words: '-d|--register-dump', ioctl: true },
  eepromDump: { words: '-e|--eeprom-dump', ioctl: true },
  negotiate: { words: '-r|--negotiate', ioctl: true },
  identify: { words: '-p|--identify', ioctl: true },
  selfTest: { words: '-t|--test', ioctl: true },
  statistics: { words: '-S|--statistics', json: true },
  phyStatistics: { words: '--phy-statistics', ioctl: true },
  showRules: { words: '-n|-u|--show-nfc|--show-ntuple', ioctl: true },
  setRules: { words: '-N|-U|--config-nfc|--config-ntuple', ioctl: true },
  showTimeStamping: { words: '-T|--show-time-stamping' },
  showRxfh: { words: '-x|--show-rxfh-indir|--show-rxfh', ioctl: true },
  setRxfh: { words: '-X|--set-rxfh-indir|--rxfh', ioctl: true },
  showPermAddr: { words: '-P|--show-permaddr' },
  firmwareDump: { words: '-w|--get-dump', ioctl: true },
  showChannels: { words: '-l|--show-channels' },
  setChannels: { words: '-L|--set-channels' },
  showPrivFlags: { words: '--show-priv-flags' },
  setPrivFlags: { words: '--set-priv-flags' },
  moduleEeprom: { words: '-m|--dump-module-eeprom|--module-info' },
  showEee: { words: '--show-eee' },
  setEee: { words: '--set-eee' },
  phyTunable: { words: '--get-phy-tunable', ioctl: true },
  tunable: { words: '--get-tunable', ioctl: true },
  reset: { words: '--reset', ioctl: true },
  showFec: { words: '--show-fec', json: true },
  showTunnels: { words: '--show-tunnels' },
  showModule: { words: '--show-module', json: true },
} as const satisfies Readonly<Record<string, Command>>

type Name = keyof typeof COMMANDS

/** The functions a tool must have: one for each word, and one for a device's name alone. */
export type CommandName = Name | 'showSettings'

/** Spellings of what the real tool can and this one cannot. */
const MISSING =
  '-E --change-eeprom -f --flash -W --set-dump --set-phy-tunable --set-tunable --set-fec -Q --per-queue --cable-test ' +
  '--cable-test-tdr --set-module --monitor'

/** Takes the words before the command. `--debug` is understood and shows nothing. @throws CliExit @kernel none */
export function takeFlags(cli: CommandLine, words: string[]): void {
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

/** Which command the words ask for; its device and its arguments are put into `cli`. @throws CliExit @kernel none */
export function findCommand(cli: CommandLine, words: string[]): CommandName {
  const word = words.shift()
  if (word === undefined) return cli.badArgs()
  if (word === '--version') return say(cli, 'ethtool version 6.1\n')
  if (word === '-h' || word === '--help') return say(cli, usage())
  if (MISSING.split(' ').includes(word)) cli.stop(`ethtool: '${word}' is not implemented here\n`)
  const name = (Object.keys(COMMANDS) as Name[]).find((one) => COMMANDS[one].words.split('|').includes(word))
  if (name === undefined && word.startsWith('-')) return cli.badArgs()
  cli.devname = (name === undefined ? word : words.shift()) ?? cli.badArgs()
  cli.args = words
  const command: Command | undefined = name && COMMANDS[name]
  if (cli.json && command?.json !== true) return cli.badArgs()
  if (command?.ioctl === true) cli.checkIoctl()
  return name ?? 'showSettings'
}

function say(cli: CommandLine, text: string): never {
  cli.out(text)
  throw new CliExit(0)
}

function usage(): string {
  const lines = Object.values(COMMANDS).map(({ words }) => `  ethtool [--json] [-I] ${words} DEVNAME ...\n`)
  return `ethtool version 6.1, the part of it that is here:\n  ethtool DEVNAME\n${lines.join('')}`
}

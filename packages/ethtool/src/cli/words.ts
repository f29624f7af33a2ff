import type { BitsetChange } from '../bitset.ts'
import { featuresOf } from '../feature-groups.ts'
import type { FeatureRequest } from '../features.ts'
import { STATS_GROUPS } from '../std-stats.ts'
import { RequestLayout } from './layout.ts'
import type { CommandLine } from './line.ts'
import { bitset, parseParams } from './parser.ts'

type Kind = 'bool' | 'u32' | 'text'

/** Words with a value each: `raw on offset 16`. @throws CliExit @kernel none */
export function keyed(
  cli: CommandLine,
  kinds: Readonly<Record<string, Kind>>,
): Record<string, boolean | number | string> {
  const values: Record<string, boolean | number | string> = {}
  for (let at = 0; at < cli.args.length; at += 2) {
    const word = cli.args[at]!
    const kind = kinds[word]
    const text = cli.args[at + 1]
    if (kind === undefined || text === undefined) return cli.badArgs()
    if (kind === 'bool' && text !== 'on' && text !== 'off') return cli.badArgs()
    values[word] = kind === 'bool' ? text === 'on' : kind === 'u32' ? int(cli, text) : text
  }
  return values
}

/** A number as strtol reads it: decimal, `0x` or octal. @throws CliExit @kernel none */
export function int(cli: CommandLine, text: string): number {
  const value = /^0[0-7]+$/.test(text)
    ? parseInt(text, 8)
    : /^(?:0[xX][\da-fA-F]+|\d+)$/.test(text)
      ? Number(text)
      : NaN
  return value <= 0xffffffff ? value : cli.badArgs()
}

const RESETS = ['mgmt', 'irq', 'dma', 'filter', 'offload', 'mac', 'phy', 'ram', 'ap']

/** The parts of a card that `ethtool --reset` names, as bits. @throws CliExit @kernel none */
export function resetFlags(cli: CommandLine): number {
  if (cli.args.length === 0) cli.badArgs()
  let flags = 0
  for (let at = 0; at < cli.args.length; at++) {
    const word = cli.args[at]!
    flags |= word === 'flags' ? flagsWord(cli, cli.args[++at]) : resetWord(cli, word)
  }
  return flags >>> 0
}

function flagsWord(cli: CommandLine, word: string | undefined): number {
  const flags = Number(word ?? NaN)
  return Number.isInteger(flags) && flags !== 0 ? flags : cli.badArgs()
}

/** Parts that several functions of a card share have their own bits, 16 higher. */
function resetWord(cli: CommandLine, word: string): number {
  if (word === 'all') return -1
  if (word === 'dedicated') return 0xffff
  const shared = word.endsWith('-shared')
  const index = RESETS.indexOf(shared ? word.slice(0, -7) : word)
  return index < 0 ? cli.badArgs() : 1 << (shared ? index + 16 : index)
}

/** Words of `ethtool -K`, each with `on` or `off`; one may stand for a family of features. @throws CliExit @kernel none */
export function featureRequest(cli: CommandLine): FeatureRequest[] {
  const request: FeatureRequest[] = []
  for (let at = 0; at < cli.args.length && cli.args[at] !== '--'; at += 2) {
    const state = cli.args[at + 1]
    if (state !== 'on' && state !== 'off') {
      // ethtool 6.1 names the wrong word here, and never knows the parameter.
      cli.stop(
        `ethtool (-K): flag '${state ?? '(null)'}' for parameter '(null)' is not followed by 'on' or 'off'\n`,
      )
    }
    for (const name of featuresOf(cli.args[at]!)) request.push({ name, value: state === 'on' })
  }
  return request
}

/** Which groups of counters `ethtool -S` shall show. @throws CliExit @kernel none */
export function statsGroups(cli: CommandLine, layout = new RequestLayout(cli.devname)): BitsetChange {
  if (cli.args[0] !== '--all-groups') {
    const read = bitset({ forceHex: false, nomask: true })
    const params = [{ word: '--groups', attr: 'groups', key: 'groups', read }]
    return parseParams(cli, '-S', params, () => layout).get('')?.['groups'] as BitsetChange
  }
  const word = cli.args[1]
  if (word !== undefined) {
    const again = word === '--all-groups' || word === '--groups'
    cli.stop(`ethtool (-S): ${again ? 'duplicate' : 'unknown'} parameter '${word}'\n`)
  }
  return { bits: STATS_GROUPS.map((name) => ({ name, value: true })), nomask: true }
}

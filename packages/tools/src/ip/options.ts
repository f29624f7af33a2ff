import { IpError } from '@vnet/netdev'
import { Af } from '@vnet/netlink'
import { incomplete } from './error.ts'
import { matches } from './words.ts'

/** What the words before the object said. @kernel none */
export interface IpOptions {
  /** 0: not said. */
  family: number
  stats: number
  details: number
  oneline: boolean
  brief: boolean
  json: boolean
  pretty: boolean
  /** `-t` writes a line, `-ts` a short form. */
  timestamp: 'none' | 'line' | 'short'
  /** Bytes as 1.2K. */
  human: boolean
  help: boolean
  version: boolean
  force: boolean
  numeric: boolean
}

const FAMILIES: Readonly<Record<string, number>> = {
  inet: Af.INET,
  inet6: Af.INET6,
  link: Af.PACKET,
  bridge: Af.BRIDGE,
}

/** Takes the options; what is left begins with the object. @throws IpError @kernel none */
export function parseIpOptions(argv: readonly string[]): { options: IpOptions; words: string[] } {
  const options: IpOptions = {
    family: Af.UNSPEC,
    stats: 0,
    details: 0,
    oneline: false,
    brief: false,
    json: false,
    pretty: false,
    timestamp: 'none',
    human: false,
    help: false,
    version: false,
    force: false,
    numeric: false,
  }
  const words = [...argv]
  while (words.length > 0) {
    const word = words[0]!
    if (word === '--') {
      words.shift()
      break
    }
    if (!word.startsWith('-')) break
    words.shift()
    takeOption(options, word, words)
  }
  return { options, words }
}

/** In the order iproute2 compares them: the first that fits a beginning wins. */
const OPTIONS: readonly (readonly [names: readonly string[], apply: (options: IpOptions) => void])[] = [
  [['-human', '-human-readable'], (o) => void (o.human = true)],
  [['-iec'], () => {}],
  [['-stats', '-statistics'], (o) => void o.stats++],
  [['-details'], (o) => void o.details++],
  [['-resolve'], () => {}],
  [['-oneline'], (o) => void (o.oneline = true)],
  [['-timestamp'], (o) => void (o.timestamp = o.timestamp === 'short' ? 'short' : 'line')],
  [['-tshort'], (o) => void (o.timestamp = 'short')],
  [['-Version'], (o) => void (o.version = true)],
  [['-force'], (o) => void (o.force = true)],
  [['-brief'], (o) => void (o.brief = true)],
  [['-json'], (o) => void (o.json = true)],
  [['-color'], () => {}],
  [['-help'], (o) => void (o.help = true)],
  [['-Numeric'], (o) => void (o.numeric = true)],
  [['-all'], () => {}],
  [['-pretty'], (o) => void (o.pretty = true)],
  [['-echo'], () => {}],
]
const EXACT: Readonly<Record<string, number>> = {
  '-4': Af.INET,
  '-6': Af.INET6,
  '-0': Af.PACKET,
  '-B': Af.BRIDGE,
}

function takeOption(options: IpOptions, word: string, rest: string[]): void {
  const option = word.startsWith('--') ? word.slice(1) : word
  const family = EXACT[option]
  if (family !== undefined) options.family = family
  else if (matches(option, '-family')) options.family = familyOf(rest.shift())
  else if (matches(option, '-batch') || matches(option, '-netns') || matches(option, '-rcvbuf')) {
    throw new IpError(1, `Option "${word}" is not supported here.`)
  } else applyOption(options, option, word)
}

function applyOption(options: IpOptions, option: string, word: string): void {
  const known = OPTIONS.find(([names]) => option.length > 1 && matches(option.replace(/=.*/, ''), ...names))
  if (known === undefined) throw new IpError(255, `Option "${word}" is unknown, try "ip -help".`)
  known[1](options)
}

function familyOf(word: string | undefined): number {
  if (word === undefined) throw incomplete()
  const family = FAMILIES[word]
  if (family === undefined)
    throw new IpError(255, `Error: argument "${word}" is wrong: invalid protocol family\n`)
  return family
}

/** Longest snapshot, and what 0 stands for. */
export const MAX_SNAPLEN = 262144

/** What the command line says. */
export interface TcpdumpOptions {
  /** Null: the first device that is up. */
  device: string | null
  /** Null: for ever. */
  count: number | null
  link: boolean
  quiet: boolean
  verbose: number
  /** How often -t, -x, -X were given. */
  time: number
  hex: number
  ascii: number
  /** -A: the packet as text. */
  text: boolean
  /** -S: TCP's numbers as they are. */
  absolute: boolean
  number: boolean
  nanoseconds: boolean
  snaplen: number
  promisc: boolean
  direction: 'in' | 'out' | 'inout'
  /** -w: where packets go instead of being printed. */
  write: string | null
  action: 'capture' | 'devices' | 'links' | 'version' | 'help'
  expression: string
}

/** A command line that cannot be understood; `usage`: followed by how to use it. */
export class TcpdumpError extends Error {
  readonly usage: boolean

  constructor(message: string, usage = false) {
    super(message)
    this.name = 'TcpdumpError'
    this.usage = usage
  }
}

/** Letters that are taken and change nothing here: names are never looked up, output never waits. */
const NOTHING = 'bfHKlNnOuU'
const WITH_VALUE = 'BcEFGijMQrsTVWwyzZC'
/** What would change something, and cannot be done here. */
const MISSING = 'dEFIJGMrTVWzC'
const LONG: Readonly<Record<string, string>> = {
  '--interface': '-i',
  '--list-interfaces': '-D',
  '--list-data-link-types': '-L',
  '--no-promiscuous-mode': '-p',
  '--direction': '-Q',
  '--snapshot-length': '-s',
  '--number': '-#',
  '--absolute-tcp-sequence-numbers': '-S',
  '--packet-buffered': '-U',
  '--immediate-mode': '-U',
  '--version': '--version',
  '--help': '-h',
  '--nano': '--nano',
  '--micro': '--micro',
}

function defaults(): TcpdumpOptions {
  return {
    device: null,
    count: null,
    link: false,
    quiet: false,
    verbose: 0,
    time: 0,
    hex: 0,
    ascii: 0,
    text: false,
    absolute: false,
    number: false,
    nanoseconds: false,
    snaplen: MAX_SNAPLEN,
    promisc: true,
    direction: 'inout',
    write: null,
    action: 'capture',
    expression: '',
  }
}

/** Reads the words behind the command. @throws TcpdumpError */
export function parseOptions(words: readonly string[]): TcpdumpOptions {
  const options = defaults()
  const rest: string[] = []
  for (let at = 0; at < words.length;) {
    const word = words[at++]!
    if (word === '--') {
      rest.push(...words.slice(at))
      break
    }
    if (word.startsWith('--')) {
      const [name = '', value] = word.split('=', 2)
      const short = LONG[name]
      if (short === undefined) throw new TcpdumpError(`unrecognized option '${word}'`, true)
      at += long(options, short, value ?? words[at], value !== undefined)
    } else if (word.length > 1 && word.startsWith('-')) {
      at += cluster(options, word, words[at])
    } else {
      // As getopt in its POSIX mode: the expression begins at the first word that is no option.
      rest.push(word, ...words.slice(at))
      break
    }
  }
  options.expression = rest.join(' ')
  return options
}

/** @returns how many further words were used */
function long(options: TcpdumpOptions, short: string, value: string | undefined, inline: boolean): 0 | 1 {
  if (short === '--version') options.action = 'version'
  else if (short === '--nano') options.nanoseconds = true
  else if (short === '--micro') options.nanoseconds = false
  else if (WITH_VALUE.includes(short[1]!)) {
    setValue(options, short[1]!, need(short[1]!, value))
    return inline ? 0 : 1
  } else setFlag(options, short[1]!)
  return 0
}

/** `-nnei vnet0`, `-c3`. @returns how many further words were used */
function cluster(options: TcpdumpOptions, word: string, next: string | undefined): 0 | 1 {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!
    if (!WITH_VALUE.includes(letter)) {
      setFlag(options, letter)
      continue
    }
    const inline = word.slice(at + 1)
    setValue(options, letter, inline === '' ? need(letter, next) : inline)
    return inline === '' ? 1 : 0
  }
  return 0
}

function need(letter: string, value: string | undefined): string {
  if (value === undefined) throw new TcpdumpError(`option requires an argument -- '${letter}'`, true)
  return value
}

function setFlag(options: TcpdumpOptions, letter: string): void {
  switch (letter) {
    case 'e':
      options.link = true
      return
    case 'q':
      options.quiet = true
      return
    case 'v':
      options.verbose++
      return
    case 't':
      options.time++
      return
    case 'x':
      options.hex++
      return
    case 'X':
      options.ascii++
      return
    case 'A':
      options.text = true
      return
    case 'S':
      options.absolute = true
      return
    case '#':
      options.number = true
      return
    case 'p':
      options.promisc = false
      return
    case 'D':
      options.action = 'devices'
      return
    case 'L':
      options.action = 'links'
      return
    case 'h':
      options.action = 'help'
      return
    default:
      refuseMissing(letter)
      if (!NOTHING.includes(letter)) throw new TcpdumpError(`invalid option -- '${letter}'`, true)
  }
}

function refuseMissing(letter: string): void {
  if (MISSING.includes(letter)) throw new TcpdumpError(`-${letter} is not supported here`)
}

function setValue(options: TcpdumpOptions, letter: string, value: string): void {
  switch (letter) {
    case 'i':
      options.device = value
      return
    case 'c':
      options.count = numberOf(value, `invalid packet count ${value}`)
      if (options.count === 0) throw new TcpdumpError(`invalid packet count ${value}`)
      return
    case 's': {
      const wrong = `invalid snaplen ${value} (must be >= 0 and <= ${MAX_SNAPLEN})`
      const snaplen = numberOf(value, wrong)
      if (snaplen > MAX_SNAPLEN) throw new TcpdumpError(wrong)
      options.snaplen = snaplen === 0 ? MAX_SNAPLEN : snaplen
      return
    }
    case 'Q':
      if (value !== 'in' && value !== 'out' && value !== 'inout') {
        throw new TcpdumpError(`unknown capture direction \`${value}'`)
      }
      options.direction = value
      return
    case 'w':
      options.write = value
      return
    case 'y':
      if (value !== 'EN10MB') throw new TcpdumpError(`invalid data link type ${value}`)
      return
    default:
      // The others are about buffers, clocks and users of a real machine.
      refuseMissing(letter)
  }
}

function numberOf(text: string, message: string): number {
  if (!/^\d+$/.test(text)) throw new TcpdumpError(message)
  return Number(text)
}

import { Errno } from '@vnet/kernel'
import { parseIpv4Address } from '@vnet/wire'

/** A refusal of the tool itself. */
export class ArpingError extends Errno {
  readonly exitCode: number
  /** It is an answer rather than a complaint. */
  readonly told: boolean

  constructor(message: string, exitCode = 2, told = false) {
    super('EINVAL', message)
    this.exitCode = exitCode
    this.told = told
  }
}

/** What the command line asks for. */
export interface ArpingOptions {
  readonly target: string
  readonly address: Uint8Array
  /** Empty: the only one there is. */
  readonly device: string
  readonly source: Uint8Array | null
  readonly count: number
  readonly deadlineNs: number
  readonly intervalNs: number
  readonly first: boolean
  readonly quiet: boolean
  readonly broadcastOnly: boolean
  /** Is somebody else using this address? */
  readonly duplicate: boolean
  readonly unsolicited: boolean
  /** Unsolicited, as a reply. */
  readonly reply: boolean
}

const USAGE = `
Usage:
  arping [options] <destination>

Options:
  -f            quit on first reply
  -q            be quiet
  -b            keep on broadcasting, do not unicast
  -D            duplicate address detection mode
  -U            unsolicited ARP mode, update your neighbours
  -A            ARP answer mode, update your neighbours
  -V            print the version
  -c <count>    how many packets to send
  -w <timeout>  how long to wait for a reply
  -i <interval> seconds between two packets
  -I <device>   which ethernet device to use
  -s <source>   source IP address
  <destination> IPv4 address`

function address(text: string): Uint8Array {
  const number = parseIpv4Address(text)
  if (number === null) throw new ArpingError(`arping: ${text}: Name or service not known`)
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number)
}

const NS = 1_000_000_000
const MAX_INT = 0x7fffffff

function integer(values: ReadonlyMap<string, string>, letter: string, min: number, absent: number): number {
  const text = values.get(letter)
  if (text === undefined) return absent
  if (!/^[+-]?\d+$/.test(text)) throw new ArpingError(`arping: invalid argument: '${text}'`, 1)
  const number = Number(text)
  if (number >= min && number <= MAX_INT) return number
  throw new ArpingError(`arping: invalid argument: '${text}': out of range: ${min} <= value <= ${MAX_INT}`, 1)
}

/** Reads the command line. @throws ArpingError */
export function parseArping(argv: readonly string[]): ArpingOptions {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  let target = ''
  const rest = argv.slice(1)
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-')) target = word
    else {
      for (let at = 1; at < word.length; at++) {
        const letter = word[at]!
        if ('fqbDUA'.includes(letter)) flags.add(letter)
        else if (letter === 'V') throw new ArpingError('arping from vnet, after iputils 20221126', 0, true)
        else if (letter === 'h') throw new ArpingError(USAGE)
        else if ('cwiIs'.includes(letter)) {
          const value = at + 1 < word.length ? word.slice(at + 1) : rest.shift()
          if (value === undefined)
            throw new ArpingError(`arping: option requires an argument -- '${letter}'\n${USAGE}`)
          values.set(letter, value)
          break
        } else throw new ArpingError(`arping: invalid option -- '${letter}'\n${USAGE}`)
      }
    }
  }
  if (target === '') throw new ArpingError(USAGE)
  const source = values.get('s')
  return {
    target,
    address: address(target),
    device: values.get('I') ?? '',
    source: source === undefined ? null : address(source),
    count: integer(values, 'c', 1, 0),
    deadlineNs: integer(values, 'w', 0, 0) * NS,
    intervalNs: integer(values, 'i', 0, 1) * NS,
    first: flags.has('f'),
    quiet: flags.has('q'),
    broadcastOnly: flags.has('b'),
    duplicate: flags.has('D'),
    unsolicited: flags.has('U') || flags.has('A'),
    reply: flags.has('A'),
  }
}

import { Errno } from '@vnet/kernel'
import { parseIpv4Address } from '@vnet/wire'

/** A refusal of the tool itself. */
export class ArpingError extends Errno {
  readonly exitCode: number

  constructor(message: string, exitCode = 2) {
    super('EINVAL', message)
    this.exitCode = exitCode
  }
}

/** What the command line asks for. */
export interface ArpingOptions {
  readonly target: string
  readonly address: Uint8Array
  readonly device: string
  readonly source: Uint8Array | null
  readonly count: number
  readonly deadlineNs: number
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
  -c <count>    how many packets to send
  -w <timeout>  how long to wait for a reply
  -I <device>   which ethernet device to use
  -s <source>   source IP address
  <destination> IPv4 address`

function address(text: string): Uint8Array {
  const number = parseIpv4Address(text)
  if (number === null) throw new ArpingError(`arping: ${text}: Name or service not known`)
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number)
}

function noDevice(): never {
  throw new ArpingError('arping: Suitable device could not be determined. Please, use option -I.')
}

function positive(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) <= 0)
    throw new ArpingError(`arping: invalid argument: '${text}'`)
  return Number(text)
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
        else if ('cwIs'.includes(letter)) {
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
    device: values.get('I') ?? noDevice(),
    source: source === undefined ? null : address(source),
    count: values.has('c') ? positive(values.get('c')!) : 0,
    deadlineNs: values.has('w') ? Math.round(positive(values.get('w')!) * 1e9) : 0,
    first: flags.has('f'),
    quiet: flags.has('q'),
    broadcastOnly: flags.has('b'),
    duplicate: flags.has('D'),
    unsolicited: flags.has('U') || flags.has('A'),
    reply: flags.has('A'),
  }
}

import { Errno } from '@vnet/kernel'
import { parseIpv4Address, parseIpv6Address } from '@vnet/wire'

/** A refusal of the tool itself. */
export class PingError extends Errno {
  readonly exitCode: number

  constructor(message: string, exitCode = 2) {
    super('EINVAL', message)
    this.exitCode = exitCode
  }
}

/** What the command line asks for. */
export interface PingOptions {
  readonly family: 2 | 10
  readonly address: Uint8Array
  /** The device behind a %, for an address that needs one. */
  readonly zone: string
  /** As it was written. */
  readonly target: string
  readonly count: number
  readonly intervalNs: number
  /** After the last request: how long to wait for a first answer. */
  readonly lingerNs: number
  readonly deadlineNs: number
  readonly size: number
  readonly quiet: boolean
  readonly flood: boolean
  readonly numeric: boolean
  readonly broadcast: boolean
  readonly timestamps: boolean
  readonly outstanding: boolean
  readonly ttl: number
  readonly tos: number
  /** IP_PMTUDISC_…, or -1: as the system has it. */
  readonly mtuDiscover: number
  /** A device, or an address of ours. */
  readonly source: string
}

const NS = 1_000_000_000
const MAX_SIZE = 127_992
const DISCOVER: Readonly<Record<string, number>> = { dont: 0, want: 1, do: 2, probe: 3 }
/** Options with a value. */
const VALUED = 'cisIMQtwWSlmp'

type Draft = { -readonly [K in keyof PingOptions]: PingOptions[K] }

function draft(): Draft {
  return {
    family: 2,
    address: new Uint8Array(4),
    zone: '',
    target: '',
    count: 0,
    intervalNs: NS,
    lingerNs: 10 * NS,
    deadlineNs: 0,
    size: 56,
    quiet: false,
    flood: false,
    numeric: false,
    broadcast: false,
    timestamps: false,
    outstanding: false,
    ttl: -1,
    tos: -1,
    mtuDiscover: -1,
    source: '',
  }
}

/** Reads the command line. @throws PingError */
export function parsePing(argv: readonly string[]): PingOptions {
  const options = draft()
  let family: 0 | 2 | 10 = argv[0] === 'ping6' ? 10 : 0
  const targets: string[] = []
  const rest = argv.slice(1)
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-') || word === '-') {
      targets.push(word)
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      if (letter === '4' || letter === '6') family = letter === '4' ? 2 : 10
      else if (VALUED.includes(letter)) {
        const value = at + 1 < word.length ? word.slice(at + 1) : rest.shift()
        if (value === undefined)
          throw new PingError(`ping: option requires an argument -- '${letter}'\n${USAGE}`)
        setValue(options, letter, value)
        break
      } else setFlag(options, letter)
    }
  }
  const target = targets[0]
  if (target === undefined) throw new PingError('ping: usage error: Destination address required', 1)
  if (options.flood && !rest.includes('-i')) options.intervalNs = 0
  return { ...options, target, ...resolve(target, family) }
}

function resolve(target: string, family: 0 | 2 | 10): Pick<PingOptions, 'family' | 'address' | 'zone'> {
  const v4 = family === 10 ? null : parseIpv4Address(target)
  if (v4 !== null) return { family: 2, address: Uint8Array.of(v4 >>> 24, v4 >>> 16, v4 >>> 8, v4), zone: '' }
  const [text, zone = ''] = target.split('%')
  const v6 = family === 2 ? null : parseIpv6Address(text!)
  if (v6 !== null) return { family: 10, address: v6, zone }
  if (target === 'localhost') return { family: 2, address: Uint8Array.of(127, 0, 0, 1), zone: '' }
  throw new PingError(`ping: ${target}: Name or service not known`)
}

function setFlag(options: Draft, letter: string): void {
  if (letter === 'q') options.quiet = true
  else if (letter === 'f') options.flood = true
  else if (letter === 'n') options.numeric = true
  else if (letter === 'b') options.broadcast = true
  else if (letter === 'D') options.timestamps = true
  else if (letter === 'O') options.outstanding = true
  else if (letter === 'V') throw new PingError('ping from vnet, after iputils 20221126', 0)
  else if (letter === 'h') throw new PingError(USAGE, 2)
  else throw new PingError(`ping: invalid option -- '${letter}'\n${USAGE}`)
}

function setValue(options: Draft, letter: string, value: string): void {
  switch (letter) {
    case 'c':
      options.count = integer(value, 1, Number.MAX_SAFE_INTEGER)
      return
    case 'i':
      options.intervalNs = seconds(value)
      return
    case 'W':
      options.lingerNs = seconds(value)
      return
    case 'w':
      options.deadlineNs = seconds(value)
      return
    case 's':
      options.size = integer(value, 0, MAX_SIZE)
      return
    case 't':
      options.ttl = integer(value, 1, 255)
      return
    case 'Q':
      options.tos = integer(value, 0, 255)
      return
    case 'I':
      options.source = value
      return
    case 'M':
      if (DISCOVER[value] === undefined) throw new PingError('ping: invalid -M argument: ' + value)
      options.mtuDiscover = DISCOVER[value]
      return
    default:
    // -l, -m, -p, -S: taken, and of no effect here.
  }
}

function integer(value: string, min: number, max: number): number {
  if (!/^[+-]?\d+$/.test(value)) throw new PingError(`ping: invalid argument: '${value}'`, 1)
  const number = Number(value)
  if (number >= min && number <= max) return number
  throw new PingError(`ping: invalid argument: '${value}': out of range: ${min} <= value <= ${max}`, 1)
}

function seconds(value: string): number {
  if (!/^\d+(\.\d*)?$|^\.\d+$/.test(value)) throw new PingError(`ping: bad timing interval: ${value}`, 2)
  return Math.round(Number(value) * NS)
}

const USAGE = `
Usage
  ping [options] <destination>

Options:
  <destination>      IPv4 or IPv6 address
  -4, -6             the family
  -b                 allow pinging broadcast
  -c <count>         stop after <count> replies
  -D                 print timestamps
  -f                 flood ping
  -i <interval>      seconds between sending each packet
  -I <interface>     either interface name or address
  -M <pmtud opt>     define mtu discovery, can be one of <do|dont|want>
  -n                 no reverse lookups (there are none)
  -O                 report outstanding replies
  -q                 quiet output
  -Q <tclass>        quality of service <tclass> bits
  -s <size>          use <size> as number of data bytes to be sent
  -t <ttl>           define time to live
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response`

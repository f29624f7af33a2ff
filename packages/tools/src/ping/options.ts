import { Errno } from '@vnet/kernel'
import { parseIpv6Address } from '@vnet/wire'

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
  readonly broadcast: boolean
  readonly timestamps: boolean
  readonly outstanding: boolean
  readonly ttl: number
  readonly tos: number
  /** IP_PMTUDISC_…, or -1: as the system has it. */
  readonly mtuDiscover: number
  /** Leave by this device. */
  readonly device: string
  /** Ask as this address of ours. */
  readonly source: string
  /** So many requests at once, before the first answer. */
  readonly preload: number
  /** What the requests are filled with, again and again; empty: the numbers from 0 on. */
  readonly pattern: readonly number[]
  readonly sndbuf: number
  readonly mark: number
}

const NS = 1_000_000_000
/** Twice what fits into a packet: enough to see it refused. */
const MAX_SIZE = 127_992
const MAX_INT = 0x7fffffff
/** The most the command line takes as a count, which is more than a number holds exactly. */
const LONG_MAX = '9223372036854775807'
/** Accepted, and without an effect here: no bell, no names, no debugging. */
const IGNORED = 'aBCdnUv'
const DISCOVER: Readonly<Record<string, number>> = { dont: 0, want: 1, do: 2, probe: 3 }
type Draft = { -readonly [K in keyof PingOptions]: PingOptions[K] }

function draft(): Draft {
  return {
    family: 2,
    address: new Uint8Array(4),
    zone: '',
    target: '',
    count: 0,
    intervalNs: -1,
    lingerNs: 10 * NS,
    deadlineNs: 0,
    size: 56,
    quiet: false,
    flood: false,
    broadcast: false,
    timestamps: false,
    outstanding: false,
    ttl: -1,
    tos: -1,
    mtuDiscover: -1,
    device: '',
    source: '',
    preload: 1,
    pattern: [],
    sndbuf: 0,
    mark: 0,
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
      else if (Object.hasOwn(SET, letter)) {
        const value = at + 1 < word.length ? word.slice(at + 1) : rest.shift()
        if (value === undefined)
          throw new PingError(`ping: option requires an argument -- '${letter}'\n${USAGE}`)
        SET[letter]!(options, value)
        break
      } else setFlag(options, letter)
    }
  }
  const target = targets[0]
  if (target === undefined) throw new PingError('ping: usage error: Destination address required', 1)
  if (options.intervalNs < 0) options.intervalNs = options.flood ? 0 : NS
  return { ...options, target, ...resolve(target, family) }
}

function resolve(target: string, family: 0 | 2 | 10): Pick<PingOptions, 'family' | 'address' | 'zone'> {
  const v4 = target === 'localhost' && family !== 10 ? Uint8Array.of(127, 0, 0, 1) : ipv4Of(target)
  const [text, zone = ''] = target === 'localhost' ? ['::1'] : target.split('%')
  const v6 = v4 === null || family === 10 ? parseIpv6Address(text!) : null
  // All zeros is this machine.
  if (v4?.every((byte) => byte === 0) === true) v4.set([127, 0, 0, 1])
  if (v4 !== null && family !== 10) return { family: 2, address: v4, zone: '' }
  if (v6 !== null && family !== 2) return { family: 10, address: v6, zone }
  const known = v4 !== null || v6 !== null
  throw new PingError(
    `ping: ${target}: ${known ? 'Address family for hostname not supported' : 'Name or service not known'}`,
  )
}

/** One to four numbers: the last fills what is left. @kernel inet_aton() none */
export function ipv4Of(text: string): Uint8Array | null {
  if (!/^\d+(\.\d+){0,3}$/.test(text)) return null
  const parts = text.split('.').map(Number)
  const last = parts.pop()!
  if (parts.some((part) => part > 255) || last >= 256 ** (4 - parts.length)) return null
  const out = Uint8Array.of(last / 0x1000000, last >>> 16, last >>> 8, last)
  out.set(parts)
  return out
}

function setFlag(options: Draft, letter: string): void {
  if (letter === 'q') options.quiet = true
  else if (letter === 'f') options.flood = true
  else if (letter === 'b') options.broadcast = true
  else if (letter === 'D') options.timestamps = true
  else if (letter === 'O') options.outstanding = true
  else if (letter === 'V') throw new PingError('ping from vnet, after iputils 20221126', 0)
  else if (letter === 'h') throw new PingError(USAGE, 2)
  else if (!IGNORED.includes(letter)) throw new PingError(`ping: invalid option -- '${letter}'\n${USAGE}`)
}

/** The options with a value, by letter. */
const SET: Readonly<Record<string, (options: Draft, value: string) => void>> = {
  c: (options, value) => (options.count = integer(value, 1, Number.MAX_SAFE_INTEGER, LONG_MAX)),
  i: (options, value) => (options.intervalNs = seconds(value, 'timing interval')),
  W: (options, value) => (options.lingerNs = seconds(value, 'linger time')),
  w: (options, value) => (options.deadlineNs = integer(value, 0, MAX_INT) * NS),
  s: (options, value) => (options.size = integer(value, 0, MAX_SIZE)),
  t: (options, value) => (options.ttl = integer(value, 0, 255)),
  l: (options, value) => (options.preload = integer(value, 1, 65_536)),
  m: (options, value) => (options.mark = integer(value, 0, MAX_INT)),
  S: (options, value) => (options.sndbuf = integer(value, 1, MAX_INT)),
  Q: setTos,
  I: setSource,
  M: setDiscover,
  p: setPattern,
}

function setTos(options: Draft, value: string): void {
  const tos = /^(0x[\da-f]+|\d+)$/i.test(value) ? Number(value) : NaN
  if (Number.isNaN(tos)) throw new PingError(`ping: bad TOS value: ${value}`)
  if (tos > 255) throw new PingError(`ping: the decimal value of TOS bits must be in range 0-255: ${value}`)
  options.tos = tos
}

/** An address of ours, or a device; an address may name its device too. */
function setSource(options: Draft, value: string): void {
  const [text, zone] = value.split('%')
  if (ipv4Of(text!) === null && parseIpv6Address(text!) === null) options.device = value
  else {
    options.source = text!
    if (zone !== undefined) options.device = zone
  }
}

function setDiscover(options: Draft, value: string): void {
  if (!Object.hasOwn(DISCOVER, value)) throw new PingError(`ping: invalid -M argument: ${value}`)
  options.mtuDiscover = DISCOVER[value]!
}

function setPattern(options: Draft, value: string): void {
  if (!/^[\da-f]+$/i.test(value))
    throw new PingError(`ping: patterns must be specified as hex digits: ${value}`)
  options.pattern = value
    .match(/../g)
    ?.slice(0, 16)
    .map((byte) => parseInt(byte, 16)) ?? [parseInt(value, 16)]
}

function integer(value: string, min: number, max: number, most = `${max}`): number {
  if (!/^[+-]?\d+$/.test(value)) throw new PingError(`ping: invalid argument: '${value}'`, 1)
  const number = Number(value)
  if (number >= min && number <= max) return number
  throw new PingError(`ping: invalid argument: '${value}': out of range: ${min} <= value <= ${most}`, 1)
}

function seconds(value: string, what: string): number {
  if (!/^\d+(\.\d*)?$|^\.\d+$/.test(value)) throw new PingError(`ping: bad ${what}: ${value}`)
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
  -l <preload>       send so many requests before the first answer
  -m <mark>          tag the packets going out
  -M <pmtud opt>     define mtu discovery, can be one of <do|dont|want>
  -n                 no reverse lookups (there are none)
  -O                 report outstanding replies
  -p <pattern>       what the requests are filled with, in hex digits
  -q                 quiet output
  -Q <tclass>        quality of service <tclass> bits
  -s <size>          use <size> as number of data bytes to be sent
  -S <size>          use <size> as SO_SNDBUF socket option value
  -t <ttl>           define time to live
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response`

import { CONSTANTS } from './names.ts'
import { FilterError, OUTSIDE } from './packet.ts'
import type { FilterPacket } from './packet.ts'
import type { Tokens } from './tokens.ts'

/** A number of 32 bits about a packet. */
type Value = (packet: FilterPacket) => number

const RELATIONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
}

/** Operators by how tightly they bind, the loosest first. */
const LEVELS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '<<': (a, b) => (b > 31 ? 0 : a << b), '>>': (a, b) => (b > 31 ? 0 : a >>> b) },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  {
    '*': (a, b) => Math.imul(a, b),
    '/': (a, b) => (b === 0 ? outside() : Math.floor(a / b)),
    '%': (a, b) => (b === 0 ? outside() : a % b),
  },
]

/** Where the headers are that bytes can be asked of; null: the packet has none. */
const BASES: Readonly<Record<string, (packet: FilterPacket) => number | null>> = {
  ether: () => 0,
  link: () => 0,
  ip: ({ info }) => (info.l3 === 'ipv4' ? info.l3Offset : null),
  ip6: ({ info }) => (info.l3 === 'ipv6' ? info.l3Offset : null),
  arp: ({ info }) => (info.l3 === 'arp' ? info.l3Offset : null),
  rarp: ({ info }) => (info.etherType === 0x8035 ? info.l3Offset : null),
  tcp: transport(6),
  udp: transport(17),
  icmp: transport(1),
  igmp: transport(2),
  sctp: transport(132),
  icmp6: ({ info, bytes }) =>
    info.l3 === 'ipv6' && bytes[info.l3Offset! + 6] === 58 ? info.l3Offset! + 40 : null,
}

function transport(protocol: number): (packet: FilterPacket) => number | null {
  return ({ info }) => (info.l3 === 'ipv4' && info.protocol === protocol ? info.l4Offset : null)
}

function outside(): never {
  throw OUTSIDE
}

/** Thrown where a packet has no such header: what is compared does not hold. */
const NO_HEADER = Symbol('no such header')

/**
 * `tcp[13] & 2 != 0`, or null when there is none here. The tokens stay where they were then.
 *
 * @param tags - how many VLAN tags a packet has whose headers are looked at
 */
export function relation(tokens: Tokens, tags: number): ((packet: FilterPacket) => boolean) | null {
  const start = tokens.position
  if (!begins(tokens)) return null
  const left = attempt(tokens, tags)
  const compare = left === null ? undefined : RELATIONS[tokens.peek()?.text ?? '']
  if (left === null || compare === undefined) {
    tokens.position = start
    return null
  }
  tokens.next()
  const right = level(tokens, 0, tags)
  return (packet) => {
    try {
      return compare(left(packet) >>> 0, right(packet) >>> 0)
    } catch (error) {
      if (error === NO_HEADER) return false
      throw error
    }
  }
}

function begins(tokens: Tokens): boolean {
  const first = tokens.peek()
  if (first === undefined) return false
  if (first.kind === 'op') return first.text === '(' || first.text === '-'
  if (tokens.peek(1)?.text === '[') return true
  return first.text === 'len' || CONSTANTS.has(first.text) || isNumber(first.text)
}

/** What looks like arithmetic may be a group of tests. */
function attempt(tokens: Tokens, tags: number): Value | null {
  try {
    return level(tokens, 0, tags)
  } catch (error) {
    if (error instanceof FilterError && error.isSyntax) return null
    throw error
  }
}

function level(tokens: Tokens, depth: number, tags: number): Value {
  const operators = LEVELS[depth]
  if (operators === undefined) return unary(tokens, tags)
  let left = level(tokens, depth + 1, tags)
  for (;;) {
    const operator = operators[tokens.peek()?.text ?? '']
    if (operator === undefined) return left
    tokens.next()
    const [a, b] = [left, level(tokens, depth + 1, tags)]
    left = (packet) => operator(a(packet), b(packet)) >>> 0
  }
}

function unary(tokens: Tokens, tags: number): Value {
  const token = tokens.next()
  if (token.text === '-') {
    const value = unary(tokens, tags)
    return (packet) => -value(packet) >>> 0
  }
  if (token.text === '(') {
    const value = level(tokens, 0, tags)
    tokens.expect(')')
    return value
  }
  if (token.text === 'len') return ({ length }) => length
  if (tokens.peek()?.text === '[') return accessor(tokens, token.text, tags)
  const number = CONSTANTS.get(token.text) ?? (isNumber(token.text) ? Number(token.text) >>> 0 : undefined)
  if (number === undefined) throw new FilterError()
  return () => number
}

function isNumber(text: string): boolean {
  return /^(0x[\da-f]+|\d+)$/i.test(text)
}

/** `ip[9]`, `tcp[0:2]`: bytes in network order, counted from the header. */
function accessor(tokens: Tokens, name: string, tags: number): Value {
  const base = BASES[name]
  if (base === undefined) throw new FilterError()
  tokens.expect('[')
  const offset = level(tokens, 0, tags)
  let size = 1
  if (tokens.peek()?.text === ':') {
    tokens.next()
    size = Number(tokens.next().text)
  }
  tokens.expect(']')
  if (![1, 2, 4].includes(size)) throw new FilterError('data size must be 1, 2, or 4')
  const anywhere = name === 'ether' || name === 'link'
  return (packet) => {
    const start = anywhere || packet.info.vlans.length === tags ? base(packet) : null
    if (start === null) throw NO_HEADER
    return read(packet, start + offset(packet), size)
  }
}

function read({ bytes }: FilterPacket, at: number, size: number): number {
  if (at + size > bytes.length) return outside()
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!
  return value
}

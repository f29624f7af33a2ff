import { relation } from './arithmetic.ts'
import { tokenize } from './lexer.ts'
import { FilterError, OUTSIDE } from './packet.ts'
import type { FilterPacket, FilterTest } from './packet.ts'
import { groupTest, primitive, protocolTest } from './primitive.ts'
import type { Qualifiers } from './primitive.ts'
import { Tokens } from './tokens.ts'

const ETHER_LIKE: ReadonlySet<string> = new Set(['ether', 'link'])
const TYPES = ['host', 'net', 'port', 'portrange', 'proto'] as const
const NO_NAME: ReadonlySet<string> = new Set([
  'and',
  'or',
  'not',
  'src',
  'dst',
  'vlan',
  'less',
  'greater',
  ...TYPES,
])

/**
 * Reads an expression of `pcap-filter`: host, net, port, portrange, proto with src, dst and a protocol in front,
 * protocols by name, ether host and proto, vlan, less, greater, broadcast, multicast, inbound, outbound, relations such
 * as `tcp[tcpflags] & tcp-syn != 0`, and, or, not and parentheses. Names are not looked up.
 *
 * @throws FilterError
 * @kernel none
 */
export function parseFilter(text: string): FilterTest {
  const tokens = new Tokens(tokenize(text))
  if (tokens.done) return () => true
  const test = new Parser(tokens).expression()
  if (!tokens.done) throw new FilterError()
  return (packet) => {
    try {
      return test(packet)
    } catch (error) {
      if (error === OUTSIDE) return false
      throw error
    }
  }
}

class Parser {
  readonly #tokens: Tokens
  /** What a name without anything in front of it means: as the one before. */
  #last: Qualifiers | null = null
  /** Tags that `vlan` has gone behind so far: what follows looks there. */
  #tags = 0

  constructor(tokens: Tokens) {
    this.#tokens = tokens
  }

  /** `and` and `or` bind equally, from the left. */
  expression(): FilterTest {
    let left = this.#term()
    for (;;) {
      const operator = this.#tokens.accept('and', '&&', 'or', '||')
      if (operator === null) return left
      const [a, b] = [left, this.#term()]
      left = operator === 'and' || operator === '&&' ? (p) => a(p) && b(p) : (p) => a(p) || b(p)
    }
  }

  #term(): FilterTest {
    const tokens = this.#tokens
    if (tokens.accept('not', '!') !== null) {
      const inner = this.#term()
      return (packet) => !inner(packet)
    }
    const compared = relation(tokens, this.#tags)
    if (compared !== null) return compared
    if (tokens.accept('(') !== null) {
      const inner = this.expression()
      tokens.expect(')')
      return inner
    }
    return this.#special() ?? this.#primitive()
  }

  #special(): FilterTest | null {
    const word = this.#tokens.accept(
      'vlan',
      'less',
      'greater',
      'inbound',
      'outbound',
      'broadcast',
      'multicast',
    )
    switch (word) {
      case 'vlan':
        return this.#vlan()
      case 'less':
      case 'greater': {
        const limit = this.#number()
        return word === 'less' ? ({ length }) => length <= limit : ({ length }) => length >= limit
      }
      case 'inbound':
        return ({ outgoing }) => !outgoing
      case 'outbound':
        return ({ outgoing }) => outgoing
      case 'broadcast':
      case 'multicast':
        return groupTest(null, word)
      default:
        return null
    }
  }

  #vlan(): FilterTest {
    const depth = this.#tags++
    const id = /^\d+$/.test(this.#tokens.peek()?.text ?? '') ? this.#number() : null
    return ({ info }) => {
      const tag = info.vlans[depth]
      return tag !== undefined && (id === null || tag.vid === id)
    }
  }

  #number(): number {
    const { text } = this.#tokens.next()
    if (!/^(0x[\da-f]+|\d+)$/i.test(text)) throw new FilterError()
    return Number(text)
  }

  #primitive(): FilterTest {
    const tokens = this.#tokens
    const proto = this.#proto()
    if (proto !== null) {
      const group = tokens.accept('broadcast', 'multicast')
      if (group !== null) return this.#behindTags(groupTest(proto, group as 'broadcast' | 'multicast'), proto)
    }
    const dir = this.#direction()
    const type = tokens.accept(...TYPES) as Qualifiers['type'] | null
    if (proto !== null && dir === null && type === null) return this.#protocol(proto)
    const plain = proto === null && dir === null && type === null
    const q = plain ? this.#last : { proto, dir: dir ?? 'either', type: type ?? 'host' }
    if (this.#isReserved()) throw new FilterError()
    const used: Qualifiers = q ?? { proto: null, dir: 'either', type: 'host' }
    this.#last = used
    const id = tokens.next()
    if (id.kind !== 'word') throw new FilterError()
    const mask = used.type === 'net' && tokens.accept('mask') !== null ? tokens.next().text : null
    if (!this.#endsHere()) throw new FilterError()
    return this.#behindTags(primitive(used, id.text, mask), used.type === 'proto' ? null : used.proto)
  }

  #endsHere(): boolean {
    const text = this.#tokens.peek()?.text
    return text === undefined || ['and', 'or', '&&', '||', ')'].includes(text)
  }

  #isReserved(): boolean {
    return NO_NAME.has(this.#tokens.peek()?.text ?? '')
  }

  /** A protocol's name, unless it is the operand of `proto`, which comes later. */
  #proto(): string | null {
    const text = this.#tokens.peek()?.text
    if (text === undefined || (!ETHER_LIKE.has(text) && protocolTest(text) === null)) return null
    this.#tokens.next()
    return text
  }

  #protocol(name: string): FilterTest {
    const test = protocolTest(name)
    if (test === null) throw new FilterError()
    return this.#behindTags(test)
  }

  #direction(): Qualifiers['dir'] | null {
    const tokens = this.#tokens
    const first = tokens.accept('src', 'dst')
    if (first === null) return null
    const joined = tokens.peek()?.text
    const second = tokens.peek(1)?.text
    const isPair =
      (joined === 'or' || joined === 'and') && (second === 'src' || second === 'dst') && second !== first
    if (!isPair) return first as 'src' | 'dst'
    tokens.next()
    tokens.next()
    return joined === 'or' ? 'either' : 'both'
  }

  /** Without `vlan` before it a test does not look behind tags; one of Ethernet addresses need not. */
  #behindTags(test: FilterTest, proto: string | null = null): FilterTest {
    if (proto !== null && ETHER_LIKE.has(proto)) return test
    const tags = this.#tags
    return (packet: FilterPacket) =>
      (packet.info.vlans.length === tags || packet.info.vlans.length === 0) && test(packet)
  }
}

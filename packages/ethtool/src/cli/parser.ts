import type { BitsetChange } from '../bitset.ts'
import { CliExit } from './line.ts'
import type { RequestLayout } from './layout.ts'

/** The words of a command line, and where complaints about them go. @kernel none */
export interface Words {
  readonly args: readonly string[]
  err(text: string): void
}

/** A parameter of a set command: its word, and how its value is read. */
export interface Param<G extends string = string> {
  readonly word: string
  /** The request it belongs to, for commands that send several. */
  readonly group?: G
  /** The name of the attribute, as refusals call it. */
  readonly attr: string
  /** The field it fills. */
  readonly key: string
  readonly read: (reader: ArgReader, attr: string, layout: RequestLayout) => unknown
}

/** What was on the command line: fields by request. */
export type Parsed<G extends string = string> = ReadonlyMap<G, Readonly<Record<string, unknown>>>

/** Walks along the words of a command line. @kernel none */
export class ArgReader {
  readonly #cli: Words
  readonly #cmd: string
  #at = 0
  /** The parameter whose value is being read. */
  param = ''

  constructor(cli: Words, cmd: string) {
    this.#cli = cli
    this.#cmd = cmd
  }

  get left(): number {
    return this.#cli.args.length - this.#at
  }

  peek(ahead = 0): string | undefined {
    return this.#cli.args[this.#at + ahead]
  }

  next(): string {
    return this.#cli.args[this.#at++] ?? ''
  }

  /** Complains and ends the command. */
  fail(text: string): never {
    this.#cli.err(`ethtool (${this.#cmd}): ${text}\n`)
    throw new CliExit(1)
  }

  invalid(value: string): never {
    return this.fail(`invalid value '${value}' for parameter '${this.param}'`)
  }
}

/**
 * Reads the parameters of a set command; each may come once.
 *
 * `layoutOf` gives the message a group's attributes go into, in the order they were written.
 *
 * @kernel none
 */
export function parseParams<G extends string>(
  cli: Words,
  cmd: string,
  params: readonly Param<G>[],
  layoutOf: (group: G) => RequestLayout,
): Parsed<G> {
  const reader = new ArgReader(cli, cmd)
  const seen = new Set<Param<G>>()
  const parsed = new Map<G, Record<string, unknown>>()
  while (reader.left > 0) {
    const word = reader.next()
    reader.param = word
    const param = params.find((p) => p.word === word)
    if (param === undefined) return reader.fail(`unknown parameter '${word}'`)
    if (seen.has(param)) return reader.fail(`duplicate parameter '${word}'`)
    if (reader.left < 1) return reader.fail(`no value for parameter '${word}'`)
    seen.add(param)
    const group = param.group ?? ('' as G)
    const fields = parsed.get(group) ?? {}
    parsed.set(group, fields)
    fields[param.key] = param.read(reader, param.attr, layoutOf(group))
  }
  return parsed
}

/** A number of 32 bits, decimal or with `0x`. @kernel none */
export function u32(reader: ArgReader, attr: string, layout: RequestLayout): number {
  const value = number(reader, 0xffffffff)
  layout.put(attr, 4)
  return value
}

/** A number of 8 bits. @kernel none */
export function u8(reader: ArgReader, attr: string, layout: RequestLayout): number {
  const value = number(reader, 0xff)
  layout.put(attr, 1)
  return value
}

function number(reader: ArgReader, max: number): number {
  const word = reader.next()
  const value = parseU32(word)
  return value === undefined || value > max ? reader.invalid(word) : value
}

function parseU32(word: string): number | undefined {
  const hex = /^0[xX]([0-9a-fA-F]+)$/.exec(word)?.[1]
  const value = hex !== undefined ? parseInt(hex, 16) : /^\+?\d+$/.test(word) ? Number(word) : NaN
  return value <= 0xffffffff ? value : undefined
}

/** `on` or `off`. @kernel none */
export function bool(reader: ArgReader, attr: string, layout: RequestLayout): boolean {
  const word = reader.next()
  if (word !== 'on' && word !== 'off') return reader.invalid(word)
  layout.put(attr, 1)
  return word === 'on'
}

/** One word of a list. @kernel none */
export function oneOf<T>(words: Readonly<Record<string, T>>, bytes = 1): Param['read'] {
  return (reader, attr, layout) => {
    const word = reader.next()
    if (!Object.hasOwn(words, word)) return reader.invalid(word)
    layout.put(attr, bytes)
    return words[word]
  }
}

/** Six bytes with colons. @kernel none */
export function bytes6(reader: ArgReader, attr: string, layout: RequestLayout): Uint8Array {
  const word = reader.next()
  const parts = word.split(':')
  if (parts.length !== 6 || parts.some((part) => !/^[0-9a-fA-F]{1,2}$/.test(part)))
    return reader.invalid(word)
  layout.put(attr, 6)
  return Uint8Array.from(parts, (part) => parseInt(part, 16))
}

/** Bits: a number, a number and its mask, or names each with `on` or `off`. @kernel none */
export function bitset(options: { readonly forceHex: boolean; readonly nomask?: boolean }): Param['read'] {
  return (reader, attr, layout): BitsetChange => {
    const word = reader.peek() ?? ''
    if (isNumeric(word)) return numericBits(reader, attr, layout, options.forceHex)
    return namedBits(reader, attr, layout, options.nomask === true)
  }
}

function isNumeric(word: string): boolean {
  return /^0[xX]/.test(word) || (word !== '' && /^[0-9a-fA-F]*(?:\/(?:0[xX])?[0-9a-fA-F]*)?$/.test(word))
}

function numericBits(
  reader: ArgReader,
  attr: string,
  layout: RequestLayout,
  forceHex: boolean,
): BitsetChange {
  const word = reader.next()
  const [valueText = '', maskText] = word.split('/')
  const value = bitsOf(reader, word, valueText, forceHex)
  const mask = maskText === undefined ? undefined : bitsOf(reader, word, maskText, forceHex)
  const widest = [value, mask ?? 0n].map((bits) => bits.toString(2).length)
  layout.putNumeric(attr, Math.ceil(Math.max(...widest) / 32), mask !== undefined)
  return mask === undefined ? { value } : { value, mask }
}

function bitsOf(reader: ArgReader, word: string, text: string, forceHex: boolean): bigint {
  const hex = /^0[xX]/.test(text)
  if (!forceHex && !hex && /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff) return BigInt(text)
  const digits = hex ? text.slice(2) : text
  return /^[0-9a-fA-F]+$/.test(digits) ? BigInt(`0x${digits}`) : reader.invalid(word)
}

/** Reads names to the end, or to `--`. @kernel none */
export function namedBits(
  reader: ArgReader,
  attr: string,
  layout: RequestLayout,
  nomask: boolean,
): BitsetChange {
  const bits: { name: string; value: boolean }[] = []
  while (reader.left > 0) {
    const name = reader.next()
    if (name === '--') break
    if (nomask) {
      bits.push({ name, value: true })
      continue
    }
    const state = reader.peek()
    if (state !== 'on' && state !== 'off') {
      return reader.fail(`flag '${name}' for parameter '${reader.param}' is not followed by 'on' or 'off'`)
    }
    bits.push({ name, value: reader.next() === 'on' })
  }
  layout.putBits(attr, bits, nomask)
  return nomask ? { bits, nomask: true } : { bits }
}

/** Bits as letters: `pg` for exactly these, `+p-g` to change some, `d` for none; or a number. @kernel none */
export function letterBits(letters: string, names: readonly string[], none: string): Param['read'] {
  const numeric = bitset({ forceHex: false })
  return (reader, attr, layout) => {
    const word = reader.peek() ?? ''
    const known = [...word].every((char) => letters.includes(char) || char === none || '+-'.includes(char))
    if (!known && isNumeric(word)) return numeric(reader, attr, layout)
    return letterList(reader, attr, layout, letters, names, none)
  }
}

function letterList(
  reader: ArgReader,
  attr: string,
  layout: RequestLayout,
  letters: string,
  names: readonly string[],
  none: string,
): BitsetChange {
  const word = reader.next()
  const nomask = !/^[+-]/.test(word)
  let bits: { name: string; value: boolean }[] = []
  let value = true
  for (const char of word) {
    const index = letters.indexOf(char)
    if (char === '+' || char === '-') {
      if (nomask) return reader.invalid(word)
      value = char === '+'
    } else if (char === none && nomask) {
      bits = []
    } else if (index < 0) {
      return reader.fail(`invalid char '${char}' in '${word}' for parameter '${reader.param}'`)
    } else {
      bits.push({ name: names[index]!, value })
    }
  }
  layout.nest(attr)
  return nomask ? { bits, nomask: true } : { bits }
}

import { IpError } from '@vnet/netdev'
import { duplicate, incomplete, wrongArgument } from './error.ts'

/**
 * The words of a command line, taken one after the other.
 *
 * @kernel none
 */
export class Words {
  readonly #words: readonly string[]
  #next = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  get done(): boolean {
    return this.#next >= this.#words.length
  }

  /** The next word, without taking it; '' at the end. */
  get peek(): string {
    return this.#words[this.#next] ?? ''
  }

  /** Takes a word. @throws IpError when there is none */
  take(): string {
    const word = this.#words[this.#next++]
    if (word === undefined) throw incomplete()
    return word
  }

  /** Takes the next word when it is this one. */
  accept(...names: readonly string[]): boolean {
    if (this.done || !names.includes(this.peek)) return false
    this.#next++
    return true
  }
}

/** True when the word is a beginning of one of the names, as iproute2 shortens them. @kernel matches() none */
export function matches(word: string, ...names: readonly string[]): boolean {
  return word !== '' && names.some((name) => name.startsWith(word))
}

/** A number of C, also hexadecimal and octal. @throws IpError @kernel get_unsigned() none */
export function unsigned(word: string, what: string, max = 0xffffffff): number {
  const value = parseNumber(word)
  if (value === null || value < 0 || value > max) throw wrongArgument(word, `Invalid "${what}" value`)
  return value
}

/** @throws IpError @kernel get_integer() none */
export function integer(word: string, what: string): number {
  const value = parseNumber(word)
  if (value === null || value < -0x80000000 || value > 0x7fffffff) {
    throw wrongArgument(word, `Invalid "${what}" value`)
  }
  return value
}

function parseNumber(word: string): number | null {
  if (!/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(word)) return null
  const sign = word.startsWith('-') ? -1 : 1
  const digits = word.replace(/^[+-]/, '')
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  return Number.isNaN(value) ? null : sign * value
}

/** `on` or `off`. @throws IpError @kernel parse_on_off() none */
export function onOff(what: string, word: string): boolean {
  if (word === 'on' || word === 'off') return word === 'on'
  throw new IpError(255, `Error: argument of "${what}" must be one of "on" or "off", not "${word}"`)
}

/** Gives a value once. @throws IpError the second time */
export function once<T>(known: T | undefined, value: T, key: string, word: string): T {
  if (known !== undefined) throw duplicate(key, word)
  return value
}

/** A link-layer address in hexadecimal. @throws IpError @kernel ll_addr_a2n() none */
export function lladdr(text: string): Uint8Array {
  const bytes = text.split(':').map((part) => {
    if (!/^[0-9a-f]{1,2}$/i.test(part)) throw new IpError(1, `"${part}" is invalid lladdr.`)
    return Number.parseInt(part, 16)
  })
  return Uint8Array.from(bytes)
}

import { FilterError } from './packet.ts'
import type { Token } from './lexer.ts'

/** The tokens of an expression, and how far they are read. */
export class Tokens {
  readonly #list: readonly Token[]
  position = 0

  constructor(list: readonly Token[]) {
    this.#list = list
  }

  get done(): boolean {
    return this.position >= this.#list.length
  }

  peek(ahead = 0): Token | undefined {
    return this.#list[this.position + ahead]
  }

  /** @throws FilterError at the end */
  next(): Token {
    const token = this.#list[this.position]
    if (token === undefined) throw new FilterError()
    this.position++
    return token
  }

  /** Takes the next one if it is one of these. */
  accept(...texts: readonly string[]): string | null {
    const text = this.peek()?.text
    if (text === undefined || !texts.includes(text)) return null
    this.position++
    return text
  }

  /** @throws FilterError unless the next one is this */
  expect(text: string): void {
    if (this.next().text !== text) throw new FilterError()
  }
}

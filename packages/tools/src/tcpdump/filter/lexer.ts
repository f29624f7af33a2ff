import { FilterError } from './packet.ts'

/** A piece of an expression: a word, a number or a name, or an operator. */
export interface Token {
  readonly kind: 'word' | 'op'
  readonly text: string
}

const OPERATORS = ['&&', '||', '==', '!=', '<=', '>=', '<<', '>>', ...'()[]:!=<>&|+-*/%^']
/** Addresses, networks and names. Inside brackets `:` stands between offset and size. */
const WORD = /\\?[\w.][\w.:/-]*|::[\w.:/]*/y
const NAME_IN_BRACKETS = /[A-Za-z_][\w-]*|\d\w*/y

/** Cuts an expression into tokens. @throws FilterError */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let brackets = 0
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const word = wordAt(text, at, brackets > 0 || isArithmetic(tokens))
    const token: Token =
      word === null ? { kind: 'op', text: operatorAt(text, at) } : { kind: 'word', text: word }
    if (token.text === '[') brackets++
    if (token.text === ']') brackets--
    tokens.push(token.kind === 'word' ? { kind: 'word', text: token.text.replace(/^\\/, '') } : token)
    at += token.text.length
  }
  return tokens
}

/** Behind an operator of arithmetic stands a number or a name, in which `-` may be a minus. */
function isArithmetic(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1)
  return last?.kind === 'op' && !['(', ')', '!', '&&', '||'].includes(last.text)
}

function wordAt(text: string, at: number, arithmetic: boolean): string | null {
  const pattern = arithmetic ? NAME_IN_BRACKETS : WORD
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? null
}

function operatorAt(text: string, at: number): string {
  const found = OPERATORS.find((operator) => text.startsWith(operator, at))
  if (found === undefined) throw new FilterError()
  return found
}

import { Errno } from './errno.ts'

/** The flags of a debug site, in the order the control file shows them. @kernel opt_array lib/dynamic_debug.c */
export const DEBUG_FLAGS = 'pmfslt'

/** One parsed query: which sites it means, and what it does to their flags. */
export interface DebugQuery {
  readonly module: string | undefined
  readonly file: string | undefined
  readonly func: string | undefined
  readonly format: string | undefined
  readonly class: string | undefined
  /** 0: any line. */
  readonly firstLine: number
  readonly lastLine: number
  readonly op: '+' | '-' | '='
  /** Letters out of `pmfslt`. */
  readonly flags: string
}

interface Word {
  readonly text: string
  readonly at: number
}

type Spec = { -readonly [K in Exclude<keyof DebugQuery, 'op' | 'flags'>]: DebugQuery[K] }

const MAX_WORDS = 9
const MAX_LINE = 0xffffffff

/** A query found in a text, or why there is none. */
export type QueryResult = { readonly query: DebugQuery } | { readonly error: Errno }

/**
 * Parses what may be written to the dynamic debug control file: queries, separated by `;` or newline.
 *
 * A bad query does not stop those after it, as in the kernel. Errors are EINVAL and name the character
 * (counted from 0) and what is wrong there.
 *
 * @kernel ddebug_exec_queries() lib/dynamic_debug.c
 */
export function parseDebugQueries(text: string): QueryResult[] {
  const results: QueryResult[] = []
  let start = 0
  for (const part of text.split(/[;\n]/)) {
    const trimmed = part.trimStart()
    if (trimmed !== '' && !trimmed.startsWith('#')) results.push(parseOne(part, start))
    start += part.length + 1
  }
  return results
}

function parseOne(part: string, start: number): QueryResult {
  try {
    return { query: parseQuery(part, start) }
  } catch (error) {
    if (error instanceof Errno) return { error }
    throw error
  }
}

function bad(at: number, what: string): Errno {
  return new Errno('EINVAL', `${what} at character ${at}`)
}

/** The flags stand last and are checked first, so what is left are pairs of keyword and value. */
function parseQuery(part: string, start: number): DebugQuery {
  const words = tokenize(part, start)
  const last = words.pop()
  if (last === undefined) throw bad(start, 'empty query')
  const { op, flags } = parseFlags(last)
  if (words.length % 2 !== 0) throw bad(words.at(-1)!.at, 'expecting pairs of match-spec <value>')
  const spec: Spec = {
    module: undefined,
    file: undefined,
    func: undefined,
    format: undefined,
    class: undefined,
    firstLine: 0,
    lastLine: 0,
  }
  for (let i = 0; i < words.length; i += 2) parsePair(spec, words[i]!, words[i + 1]!)
  return { ...spec, op, flags }
}

/**
 * Splits a query into words. A word may stand in single or double quotes; a `#` at the start of a word begins a comment.
 *
 * @kernel ddebug_tokenize() lib/dynamic_debug.c
 */
function tokenize(part: string, start: number): Word[] {
  const words: Word[] = []
  let at = 0
  for (;;) {
    while (at < part.length && isSpace(part[at]!)) at++
    if (at >= part.length || part[at] === '#') return words
    if (words.length === MAX_WORDS) throw bad(start + at, `too many words, legal max <=${MAX_WORDS}`)
    const quote = part[at]
    if (quote === '"' || quote === "'") {
      const end = part.indexOf(quote, at + 1)
      if (end < 0) throw bad(start + at, 'unclosed quote')
      words.push({ text: part.slice(at + 1, end), at: start + at + 1 })
      at = end + 1
    } else {
      let end = at
      while (end < part.length && !isSpace(part[end]!)) end++
      words.push({ text: part.slice(at, end), at: start + at })
      at = end
    }
  }
}

function isSpace(char: string): boolean {
  return ' \t\r\v\f\n'.includes(char)
}

/** @kernel ddebug_parse_flags() lib/dynamic_debug.c */
function parseFlags(word: Word): Pick<DebugQuery, 'op' | 'flags'> {
  const op = word.text[0]
  if (op !== '+' && op !== '-' && op !== '=') {
    throw bad(word.at, `bad flag-op ${op ?? ''}, at start of ${word.text}`)
  }
  let flags = ''
  for (let i = 1; i < word.text.length; i++) {
    const flag = word.text[i]!
    if (flag === '_') continue
    if (!DEBUG_FLAGS.includes(flag)) throw bad(word.at + i, `unknown flag '${flag}'`)
    flags += flag
  }
  return { op, flags }
}

/** @kernel ddebug_parse_query() lib/dynamic_debug.c */
function parsePair(spec: Spec, keyword: Word, value: Word): void {
  switch (keyword.text) {
    case 'module':
    case 'func':
    case 'class':
      setOnce(spec, keyword.text, value)
      break
    case 'format':
      setOnce(spec, 'format', { text: unescape(value.text), at: value.at })
      break
    case 'line':
      parseLineRange(spec, value)
      break
    case 'file':
      parseFile(spec, value)
      break
    default:
      throw bad(keyword.at, `unknown keyword "${keyword.text}"`)
  }
}

function setOnce(spec: Spec, key: 'module' | 'func' | 'class' | 'format' | 'file', value: Word): void {
  const before = spec[key]
  if (before !== undefined) throw bad(value.at, `match-spec:${key} val:${before} overridden by ${value.text}`)
  spec[key] = value.text
}

/** `file name.c`, or with a function or a range of lines after a colon. */
function parseFile(spec: Spec, value: Word): void {
  const colon = value.text.indexOf(':')
  if (colon < 0) {
    setOnce(spec, 'file', value)
    return
  }
  setOnce(spec, 'file', { text: value.text.slice(0, colon), at: value.at })
  const rest = { text: value.text.slice(colon + 1), at: value.at + colon + 1 }
  if (/^[A-Za-z*?]/.test(rest.text)) setOnce(spec, 'func', rest)
  else parseLineRange(spec, rest)
}

/** `12`, `10-20`, `-20`, `10-`. @kernel parse_linerange() lib/dynamic_debug.c */
function parseLineRange(spec: Spec, value: Word): void {
  if (spec.firstLine !== 0 || spec.lastLine !== 0) throw bad(value.at, 'match-spec: line used 2x')
  const dash = value.text.indexOf('-')
  const first = parseLine(dash < 0 ? value.text : value.text.slice(0, dash), value.at)
  let last = first
  if (dash >= 0) {
    last = parseLine(value.text.slice(dash + 1), value.at + dash + 1)
    if (last === 0) last = MAX_LINE
    if (last < first) throw bad(value.at, `last-line:${last} < 1st-line:${first}`)
  }
  spec.firstLine = first
  spec.lastLine = last
}

function parseLine(text: string, at: number): number {
  if (text === '') return 0
  const line = /^\+?\d+$/.test(text) ? Number(text) : NaN
  if (!(line <= MAX_LINE)) throw bad(at, `bad line-number: ${text}`)
  return line
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  f: '\f',
  a: '\x07',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
}

/** Lets a format be searched that holds blanks, quotes or octal escapes: `format nfsd:\040SETATTR`. */
function unescape(text: string): string {
  return text.replace(/\\(?:([0-7]{1,3})|([nrtvfae"\\]))/g, (_, octal?: string, letter?: string) =>
    octal === undefined ? ESCAPES[letter!]! : String.fromCharCode(parseInt(octal, 8) & 0xff),
  )
}

import { layers } from './contract.ts'
import type { Backend } from './contract.ts'
import type { BackendCounters } from './counters.ts'

/**
 * One layer's books: `in + made = out + dropped + held`.
 *
 * @kernel none
 */
export interface LayerAccount {
  readonly name: string
  /** Frames that entered this layer, from above and from below. */
  readonly in: number
  /** Frames that began in it. */
  readonly made: number
  /** Frames that left it, upwards and downwards. */
  readonly out: number
  readonly dropped: number
  readonly held: number
}

/**
 * The books of a chain.
 *
 * @kernel none
 */
export interface Accounts {
  /** From the card downwards. */
  readonly layers: readonly LayerAccount[]
  /** The chain as one: what passes between its layers is neither in nor out. */
  readonly total: LayerAccount
  /** Frames the card was offered and missed; they are part of `total.out`. */
  readonly missed: number
  /** Empty when everything adds up; else what does not, one sentence each. */
  readonly problems: readonly string[]
}

/**
 * Adds up a backend and what it wraps, and says what does not balance.
 *
 * Call it at any time, also while frames are on their way, but not from inside `transmit`.
 *
 * @kernel none
 * @rule STAT-13
 */
export function accounts(backend: Backend): Accounts {
  const chain = layers(backend)
  const books = chain.map(account)
  const problems: string[] = []
  for (const book of books) checkLayer(book, problems)
  for (let i = 1; i < chain.length; i++) checkSeam(chain[i - 1]!, chain[i]!, problems)
  const top = chain[0]!.counters
  const bottom = chain[chain.length - 1]!.counters
  const total: LayerAccount = {
    name: chain.map((layer) => layer.name).join(' > '),
    in: top.txFrames + bottom.upFrames,
    made: sum(chain, 'made'),
    out: top.rxFrames + bottom.downFrames,
    dropped: sum(chain, 'dropped'),
    held: sum(chain, 'held'),
  }
  return { layers: books, total, missed: top.rxMissed, problems }
}

function account(backend: Backend): LayerAccount {
  const c = backend.counters
  return {
    name: backend.name,
    in: c.txFrames + c.upFrames,
    made: c.made,
    out: c.rxFrames + c.downFrames,
    dropped: c.dropped,
    held: c.held,
  }
}

function checkLayer(book: LayerAccount, problems: string[]): void {
  const entered = book.in + book.made
  const left = book.out + book.dropped + book.held
  if (entered === left) return
  problems.push(
    `${book.name}: ${book.in} in + ${book.made} made is not ${book.out} out + ${book.dropped} dropped + ${book.held} held`,
  )
}

function checkSeam(upper: Backend, lower: Backend, problems: string[]): void {
  const [above, below] = [upper.counters, lower.counters]
  if (above.downFrames !== below.txFrames) {
    problems.push(`${upper.name} sent ${above.downFrames} frames down, ${lower.name} took ${below.txFrames}`)
  }
  if (above.upFrames !== below.rxFrames) {
    problems.push(`${lower.name} sent ${below.rxFrames} frames up, ${upper.name} took ${above.upFrames}`)
  }
}

function sum(chain: readonly Backend[], key: keyof BackendCounters): number {
  return chain.reduce((total, layer) => total + layer.counters[key], 0)
}

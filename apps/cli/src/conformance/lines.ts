import type { Outcome } from '@vnet/conformance'
import { paint, type Screen } from '../ui/style.ts'

const MARKS = { pass: ['green', 'ok  '], fail: ['red', 'FAIL'], skip: ['dim', 'skip'] } as const

/** One line for a rule, and for a failure what showed it. */
export function printOutcome(screen: Screen, { check, status, broken, reason }: Outcome): void {
  const [colour, mark] = MARKS[status]
  const why = status === 'skip' ? paint(screen, 'dim', ` (${reason})`) : ''
  screen.write(`${paint(screen, colour, mark)}  ${check.id.padEnd(7)}  ${check.title}${why}\n`)
  if (status !== 'fail') return
  for (const { id, message } of broken) screen.write(`      ${paint(screen, 'red', id)}: ${message}\n`)
}

/** A line that is written over and over on a terminal; nothing elsewhere. */
export class Ticker {
  private readonly shown = process.stderr.isTTY === true

  at(text: string): void {
    if (this.shown) process.stderr.write(`\r\u001B[K${text}`)
  }

  end(): void {
    if (this.shown) process.stderr.write('\r\u001B[K')
  }
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchWildcard } from '../src/wildcard.ts'

/** The meaning, written the slow way. */
function slow(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] === '*') return slow(pattern.slice(1), text) || (text !== '' && slow(pattern, text.slice(1)))
  return (
    text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && slow(pattern.slice(1), text.slice(1))
  )
}

describe('matchWildcard', () => {
  it('agrees with its definition', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (p, t) => matchWildcard(p, t) === slow(p, t)),
      { numRuns: 2000 },
    )
  })

  it('stays quick on a pattern that would explode', () => {
    expect(matchWildcard('*a'.repeat(40) + 'b', 'a'.repeat(4000))).toBe(false)
  })
})

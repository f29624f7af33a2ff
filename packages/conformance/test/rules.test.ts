import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NO_MUTANT, NOT_APPLICABLE, RULES, allChecks, allMutants } from '../src/index.ts'

/** The rows of docs/driver-rules.md: id, level, sentence, section. */
function documented(): readonly unknown[] {
  let section = ''
  return readFileSync(new URL('../../../docs/driver-rules.md', import.meta.url), 'utf8')
    .split('\n')
    .flatMap((line) => {
      section = /^## \d+\. (.*)$/.exec(line)?.[1] ?? section
      const row = /^\| <a id="[^"]*"><\/a>([A-Z]+-\d+) \| ([MS]) \| (.*?) \| .* \|$/.exec(line)
      return row === null ? [] : [{ id: row[1], level: row[2], sentence: row[3], section }]
    })
}

const ids = RULES.map((rule) => rule.id)
const place = (id: string): number => ids.indexOf(id)

describe('the list of rules', () => {
  it('is docs/driver-rules.md, word for word', () => {
    expect(RULES).toHaveLength(192)
    expect(RULES).toEqual(documented())
  })

  it('knows every id that checks, mutants and exceptions name', () => {
    const named = [...allChecks, ...allMutants]
      .map((x) => x.id)
      .concat(Object.keys(NO_MUTANT), Object.keys(NOT_APPLICABLE))
    expect(named.filter((id) => place(id) < 0)).toEqual([])
  })

  it('is the order of checks and mutants', () => {
    for (const list of [allChecks, allMutants]) {
      const places = list.map((x) => place(x.id))
      expect(places).toEqual([...places].sort((a, b) => a - b))
    }
  })
})

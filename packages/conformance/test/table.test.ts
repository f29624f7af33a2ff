import { describe, expect, it } from 'vitest'
import {
  NO_MUTANT,
  NOT_APPLICABLE,
  RULES,
  allChecks,
  allMutants,
  conformanceTable,
  formatTable,
} from '../src/index.ts'

const checked = new Set(allChecks.map((check) => check.id))
const broken = new Set(allMutants.map((mutant) => mutant.id))

describe('the account of the kit', () => {
  it('has an entry for each of the 192 rules', () => {
    expect(RULES.map((rule) => rule.id).filter((id) => !checked.has(id) && !(id in NOT_APPLICABLE))).toEqual(
      [],
    )
    expect(
      RULES.map((rule) => rule.id).filter((id) => checked.has(id) && !broken.has(id) && !(id in NO_MUTANT)),
    ).toEqual([])
  })

  it('has no reason for what is done', () => {
    expect(Object.keys(NOT_APPLICABLE).filter((id) => checked.has(id) || broken.has(id))).toEqual([])
    expect(Object.keys(NO_MUTANT).filter((id) => broken.has(id) || !checked.has(id))).toEqual([])
  })

  it('checks 150 rules at least, and has a mutant of 110 at least', () => {
    expect(checked.size).toBeGreaterThanOrEqual(150)
    expect(broken.size).toBeGreaterThanOrEqual(110)
  })

  it('says of each rule whether it is checked and its mutants are caught', () => {
    const seen: string[] = []
    const table = conformanceTable({
      only: ['CTX-05', 'TXQ-01', 'LINK-07'],
      onMutant: (m, r) => seen.push(`${m.id} ${r.caught}`),
    })
    expect(seen).toEqual(['TXQ-01 true'])
    expect(table).toMatchObject({ rules: 3, checked: 2, caught: 1, notApplicable: 1 })
    const lines = formatTable(table).split('\n')
    expect(lines.slice(0, 3)).toEqual([
      `CTX-05   checked, no mutant: ${NO_MUTANT['CTX-05']}`,
      'TXQ-01   checked, mutant caught: stops the queue only when a frame comes that has no room',
      `LINK-07  not applicable: ${NOT_APPLICABLE['LINK-07']}`,
    ])
    expect(lines.at(-2)).toBe('rules 3: 2 checked, 1 with a mutant caught, 1 not applicable')
    expect(JSON.parse(JSON.stringify(table))).toEqual(table)
  })
})

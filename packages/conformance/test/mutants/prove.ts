import { describe, expect, it } from 'vitest'
import { NO_MUTANT, NOT_APPLICABLE, runConformance, type Mutant } from '../../src/index.ts'

/** One test a mutant: the kit must blame exactly the rule it breaks. A file a section, so that they run side by side. */
export function proveMutants(name: string, mutants: readonly Mutant[]): void {
  describe(`mutants: ${name}`, () => {
    it('are of rules that a driver can break', () => {
      expect(mutants.filter(({ id }) => id in NO_MUTANT || id in NOT_APPLICABLE)).toEqual([])
    })

    it.each(mutants.map((m) => [m.id, m.fault, m] as const))('%s is caught: %s', (id, _fault, { spec }) => {
      expect(Object.fromEntries(runConformance(spec).broken)).toEqual({ [id]: expect.any(String) })
    })
  })
}

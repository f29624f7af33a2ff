import { allChecks } from './checks/index.ts'
import { runCheck } from './check.ts'
import type { DriverSpec } from './spec.ts'

/** What the kit needs of a test runner: vitest, node:test, mocha, jest and others have both. @kernel none */
export interface Runner {
  describe(name: string, fn: () => void): unknown
  it(name: string, fn: () => void): unknown
}

/**
 * Runs every rule as a test of its own, in any runner with `describe` and `it`.
 *
 * @kernel none
 */
export function testDriver(runner: Runner, spec: DriverSpec, seed = 1): void {
  runner.describe(`${spec.name} keeps the rules`, () => {
    for (const check of allChecks) {
      runner.it(`${check.id} ${check.title}`, () => {
        const { broken } = runCheck(spec, check, seed)
        if (broken.length > 0) throw new Error(broken.map((b) => `${b.id}: ${b.message}`).join('\n'))
      })
    }
  })
}

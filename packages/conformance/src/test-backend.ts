import { backendChecks } from './backend-checks.ts'
import type { BackendSpec } from './backend-spec.ts'
import { BackendTestbed } from './backend-testbed.ts'
import type { Runner } from './test-driver.ts'

/** Runs all checks on a backend; what it breaks, one sentence each. @kernel none */
export function runBackend(spec: BackendSpec): string[] {
  return backendChecks.flatMap((check) => {
    if (check.needs?.(spec) === false) return []
    try {
      check.run(new BackendTestbed(spec))
      return []
    } catch (error) {
      return [`${check.title}: ${(error as Error).message}`]
    }
  })
}

/**
 * Runs every check as a test of its own, in any runner with `describe` and `it`.
 *
 * @kernel none
 */
export function testBackend(runner: Runner, spec: BackendSpec): void {
  runner.describe(`the backend contract: ${spec.name}`, () => {
    for (const check of backendChecks) {
      if (check.needs?.(spec) === false) continue
      runner.it(check.title, () => check.run(new BackendTestbed(spec)))
    }
  })
}

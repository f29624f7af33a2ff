import { RuleViolation } from '@vnet/kernel'

/** Runs `fn`, which must break a rule in strict mode, and says which: `'CTX-02 …'`. */
export function broken(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof RuleViolation) return `${error.rule} ${error.message}`
    throw error
  }
  throw new Error('no rule was broken')
}

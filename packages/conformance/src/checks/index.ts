import type { Check } from '../check.ts'
import { txqChecks } from './txq.ts'

/** Every check, in the order of the rules. @kernel none */
export const allChecks: readonly Check[] = [...txqChecks]

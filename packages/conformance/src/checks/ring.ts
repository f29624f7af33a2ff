import type { Check } from '../check.ts'

/** Checks of rings. @kernel none */
export const ringChecks: readonly Check[] = []

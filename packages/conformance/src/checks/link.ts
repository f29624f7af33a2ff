import type { Check } from '../check.ts'

/** Checks of carrier and operational state. @kernel none */
export const linkChecks: readonly Check[] = []

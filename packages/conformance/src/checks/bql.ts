import type { Check } from '../check.ts'

/** Checks of byte queue limits. @kernel none */
export const bqlChecks: readonly Check[] = []

import type { Check } from '../check.ts'

/** Checks of statistics. @kernel none */
export const statChecks: readonly Check[] = []

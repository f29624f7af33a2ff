import type { Check } from '../check.ts'

/** Checks of receive. @kernel none */
export const rxChecks: readonly Check[] = []

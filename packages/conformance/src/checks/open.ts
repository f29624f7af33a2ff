import type { Check } from '../check.ts'

/** Checks of open and stop. @kernel none */
export const openChecks: readonly Check[] = []

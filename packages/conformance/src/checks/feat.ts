import type { Check } from '../check.ts'

/** Checks of features and checksums. @kernel none */
export const featChecks: readonly Check[] = []

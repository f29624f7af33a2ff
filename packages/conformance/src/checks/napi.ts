import type { Check } from '../check.ts'

/** Checks of NAPI. @kernel none */
export const napiChecks: readonly Check[] = []

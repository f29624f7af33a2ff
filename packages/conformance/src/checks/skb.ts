import type { Check } from '../check.ts'

/** Checks of buffers. @kernel none */
export const skbChecks: readonly Check[] = []

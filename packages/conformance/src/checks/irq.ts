import type { Check } from '../check.ts'

/** Checks of interrupts and coalescing. @kernel none */
export const irqChecks: readonly Check[] = []

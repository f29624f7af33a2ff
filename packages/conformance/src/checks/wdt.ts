import type { Check } from '../check.ts'

/** Checks of the transmit watchdog. @kernel none */
export const wdtChecks: readonly Check[] = []

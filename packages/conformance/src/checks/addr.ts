import type { Check } from '../check.ts'

/** Checks of addresses, MTU, frames. @kernel none */
export const addrChecks: readonly Check[] = []

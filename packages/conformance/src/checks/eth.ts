import type { Check } from '../check.ts'

/** Checks of ethtool. @kernel none */
export const ethChecks: readonly Check[] = []

import type { Mutant } from './mutant.ts'

/** Drivers that get ethtool wrong. @kernel none */
export const ethMutants: readonly Mutant[] = []

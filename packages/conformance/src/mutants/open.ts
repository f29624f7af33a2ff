import type { Mutant } from './mutant.ts'

/** Drivers that open and stop wrongly. @kernel none */
export const openMutants: readonly Mutant[] = []

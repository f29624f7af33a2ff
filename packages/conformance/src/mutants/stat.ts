import type { Mutant } from './mutant.ts'

/** Drivers that count wrongly. @kernel none */
export const statMutants: readonly Mutant[] = []

import type { Mutant } from './mutant.ts'

/** Drivers that receive wrongly. @kernel none */
export const rxMutants: readonly Mutant[] = []

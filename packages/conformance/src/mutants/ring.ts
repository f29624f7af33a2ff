import type { Mutant } from './mutant.ts'

/** Drivers with broken rings. @kernel none */
export const ringMutants: readonly Mutant[] = []

import type { Mutant } from './mutant.ts'

/** Drivers that report wrongly to the byte queue limits. @kernel none */
export const bqlMutants: readonly Mutant[] = []

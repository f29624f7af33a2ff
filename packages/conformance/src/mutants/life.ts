import type { Mutant } from './mutant.ts'

/** Drivers that get the life of a device wrong. @kernel none */
export const lifeMutants: readonly Mutant[] = []

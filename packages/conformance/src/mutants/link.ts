import type { Mutant } from './mutant.ts'

/** Drivers that get the carrier wrong. @kernel none */
export const linkMutants: readonly Mutant[] = []

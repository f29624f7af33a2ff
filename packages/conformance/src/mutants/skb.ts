import type { Mutant } from './mutant.ts'

/** Drivers that get buffers wrong. @kernel none */
export const skbMutants: readonly Mutant[] = []

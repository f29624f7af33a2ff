import type { Mutant } from './mutant.ts'

/** Drivers that get features and checksums wrong. @kernel none */
export const featMutants: readonly Mutant[] = []

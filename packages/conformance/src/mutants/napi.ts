import type { Mutant } from './mutant.ts'

/** Drivers that get NAPI wrong. @kernel none */
export const napiMutants: readonly Mutant[] = []

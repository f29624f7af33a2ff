import type { Mutant } from './mutant.ts'

/** Drivers that get queues and messages wrong. @kernel none */
export const mqMutants: readonly Mutant[] = []

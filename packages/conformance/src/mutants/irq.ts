import type { Mutant } from './mutant.ts'

/** Drivers that get interrupts and coalescing wrong. @kernel none */
export const irqMutants: readonly Mutant[] = []

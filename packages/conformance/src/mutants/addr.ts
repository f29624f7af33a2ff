import type { Mutant } from './mutant.ts'

/** Drivers that get addresses and MTU wrong. @kernel none */
export const addrMutants: readonly Mutant[] = []

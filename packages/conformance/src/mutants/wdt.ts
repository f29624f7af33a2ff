import type { Mutant } from './mutant.ts'

/** Drivers that get the watchdog wrong. @kernel none */
export const wdtMutants: readonly Mutant[] = []

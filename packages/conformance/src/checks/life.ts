import type { Check } from '../check.ts'

/** Checks of the life of a device. @kernel none */
export const lifeChecks: readonly Check[] = []

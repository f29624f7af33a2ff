import type { Check } from '../check.ts'

/** Checks of queues, steering, messages. @kernel none */
export const mqChecks: readonly Check[] = []

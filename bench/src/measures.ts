/** What is measured alone, each in a process of its own. */

/** One figure, perhaps with a demand on it. */
export interface Measure {
  readonly id: string
  readonly label: string
  readonly value: number
  readonly unit: string
  readonly target?: string
  readonly limit?: number
  readonly met?: boolean
  /** How to read it. */
  readonly note?: string
}

/** A process to be run. */
export interface MeasureProcess {
  readonly id: string
  readonly title: string
  /** For V8. */
  readonly flags: readonly string[]
}

/** A semi-space so large that nothing is collected while allocation is measured. */
const NO_SCAVENGE = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

/** These run on one processor: threads that help with a collection would wait for it, and the pause with them. */
const ONE_PROCESSOR = ['--single-threaded-gc']

export const measures: readonly MeasureProcess[] = [
  { id: 'alloc', title: 'Allocation: bytes of heap over many packets', flags: NO_SCAVENGE },
  { id: 'gc', title: 'Garbage collection during the same', flags: ONE_PROCESSOR },
  { id: 'latency', title: 'Latency of one packet at half load', flags: ONE_PROCESSOR },
  { id: 'devices', title: '10,000 devices', flags: ['--expose-gc'] },
  { id: 'machines', title: '1,000 machines', flags: ['--expose-gc'] },
  { id: 'skbs', title: '1,000,000 sk_buffs in flight', flags: ['--expose-gc', '--max-old-space-size=4096'] },
  { id: 'switch', title: 'Virtual time: 100 hosts on a switch', flags: [] },
  { id: 'parallel', title: 'Machines on several workers', flags: [] },
  { id: 'queues', title: 'Queues of a card on several workers', flags: [] },
  { id: 'startup', title: 'Start-up', flags: [] },
]

/** A figure that may be at most `limit`. */
export function atMost(m: Omit<Measure, 'met' | 'limit'>, limit: number): Measure {
  return { ...m, limit, met: m.value <= limit }
}

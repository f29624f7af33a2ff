import { Session } from 'node:inspector'
import { setFlagsFromString } from 'node:v8'

/** A function, what it allocated itself, and what it called. */
export interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly selfSize: number
  readonly children: readonly ProfileNode[]
}

// V8 often, but not always, leaves out an object that does not outlive a call. The code may not depend on it.
setFlagsFromString('--no-turbo-escape')

/** Who allocates how much while `run` runs; also what is collected meanwhile. */
export function heapProfile(run: () => void): ProfileNode {
  const session = new Session()
  session.connect()
  const options = {
    samplingInterval: 256,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  }
  let head: ProfileNode | null = null
  session.post('HeapProfiler.startSampling', options)
  run()
  session.post('HeapProfiler.stopSampling', (error, result) => {
    if (error !== null) throw error
    head = result.profile.head as unknown as ProfileNode
  })
  session.disconnect()
  if (head === null) throw new Error('no profile')
  return head
}

const ROUNDS = 8

/** The least of some rounds: how soon V8 has compiled everything depends on what else the machine does. */
export function leastOf(measure: () => number, enough: number): number {
  let least = Infinity
  for (let round = 0; round < ROUNDS && least >= enough; round++) least = Math.min(least, measure())
  return least
}

import { Netns } from '@vnet/linux'
import { tapProblem } from '../src/support.ts'

export { host, until } from '../../linux/test/host.ts'
export { hashOf, transfer } from '../../linux/test/tcp-stream.ts'

/** A namespace of the test's own, or why there is none. It has no name, so nothing is left behind however the test ends. */
export function ownNamespace(): Netns | string {
  const problem = tapProblem()
  if (problem !== null) return problem
  try {
    return Netns.create()
  } catch (error) {
    return (error as Error).message
  }
}

/** Why real-interface tests cannot run here, printed once; false when they can. */
export function skipReason(): string | false {
  const own = ownNamespace()
  if (typeof own === 'string') {
    console.warn(`skipped, real TAPs: ${own}`)
    return own
  }
  own.close()
  return false
}

/** A namespace for one test. */
export function namespace(): Netns {
  const own = ownNamespace()
  if (typeof own === 'string') throw new Error(own)
  return own
}

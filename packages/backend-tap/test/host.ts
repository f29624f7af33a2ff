import { execFileSync } from 'node:child_process'
import { Netns } from '@vnet/linux'
import { tapProblem } from '../src/support.ts'

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

/** Runs a command of the host inside. */
export function host(netns: Netns, command: string): string {
  const [program, ...args] = command.split(' ')
  return netns.run(() =>
    execFileSync(program!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

/** Waits until something is so. The limit is for what never comes, not for what is slow. */
export async function until(done: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000
  while (!done()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

import { spawnSync } from 'node:child_process'

/** What stands before a command so that a call which slips past the shim sees an empty network. */
export interface Isolation {
  readonly prefix: readonly string[]
  readonly userNamespace: boolean
  /** Why there is none. */
  readonly problem: string | null
}

/** In the host's network namespace. */
export const SHARED: Isolation = { prefix: [], userNamespace: false, problem: null }

/**
 * Finds out what this user may do: root needs no user namespace, others do. There they stay who they are where unshare
 * can do that: a program that takes itself for root, like tcpdump, would try to become somebody else. But for a file
 * with capabilities they become root, who gains nothing by them, so that the loader keeps the shim.
 */
export function isolation(uid: number, withCapabilities: boolean): Isolation {
  const tries = uid === 0 ? ['-n', '-rn'] : withCapabilities ? ['-rn'] : ['-cn', '-rn']
  let problem = ''
  for (const flags of tries) {
    const { status, stderr, error } = spawnSync('unshare', [flags, '--', 'true'], { encoding: 'utf8' })
    if (status === 0)
      return { prefix: ['unshare', flags, '--'], userNamespace: flags !== '-n', problem: null }
    problem = error?.message ?? stderr.trim()
  }
  return { prefix: [], userNamespace: false, problem }
}

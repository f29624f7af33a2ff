import { Errno } from '@vnet/kernel'
import { ethtoolSubscribe } from '../src/index.ts'
import type { Rig } from './devices.ts'

/** The refusal a call ends with. */
export function refused(fn: () => unknown): Errno {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno) return error
    throw error
  }
  throw new Error('was not refused')
}

/** The notices sent from now on, by name. */
export function notices(rig: Rig): string[] {
  const list: string[] = []
  ethtoolSubscribe(rig.kernel, (notice) => list.push(notice.cmd))
  return list
}

/** The code, the sentence and the attribute of a refusal. */
export function parts(error: Errno): readonly [string, string | undefined, string | undefined] {
  return [error.code, error.extack, error.badAttr]
}

import { closeFd, libc, O, sys } from '@vnet/linux'
import { Errno } from '@vnet/kernel'
import { explainTapRefusal } from './refusals.ts'

/**
 * Says why this machine cannot have a TAP at all, or null. Nothing is made, so the right to make one is not tested.
 *
 * @kernel none
 */
export function tapProblem(): string | null {
  try {
    libc()
    closeFd(
      sys('open', ['/dev/net/tun', O.RDWR | O.CLOEXEC, 0], (n) => explainTapRefusal(n, 'tap%d', 'open')),
    )
    return null
  } catch (error) {
    return error instanceof Errno ? error.message : String(error)
  }
}

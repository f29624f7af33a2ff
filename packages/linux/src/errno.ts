import { Errno, errnoName } from '@vnet/kernel'
import type { ErrnoName } from '@vnet/kernel'

/** Error numbers a host answers with that the model has no name for, and the nearest it has. */
const NEAREST: Readonly<Record<number, ErrnoName>> = {
  77: 'ENODEV', // EBADFD: the descriptor no longer stands for a device
  122: 'ENOSPC', // EDQUOT
}

/**
 * Makes the error of a system call of the host, under the names the model uses.
 *
 * @param number - as the C library sets it, positive
 * @param sentence - what was refused and what to do about it; default the plain text of the error
 * @kernel none
 */
export function hostErrno(number: number, sentence?: string): Errno {
  const name = errnoName(number) ?? NEAREST[number]
  if (name !== undefined) return new Errno(name, sentence)
  return new Errno('EIO', sentence ?? `error ${number} of the host`)
}

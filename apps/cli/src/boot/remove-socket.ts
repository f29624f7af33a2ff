import { unlinkSync } from 'node:fs'

/**
 * Removes a socket's file, if there is one. Not with rmSync(), which looks at it first: Node 20 takes the last thing it
 * looked at for what it meets next when it follows links, and stops at sockets, so that no module is found any more.
 */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

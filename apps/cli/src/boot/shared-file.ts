import { closeSync, ftruncateSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Mapping } from '@vnet/linux'
import type { SharedFile } from '@vnet/machine'
import { isAlive } from './pid-file.ts'

/** Makes files in `dir` that the machine and a program map: the rings of AF_PACKET. */
export function sharedFiles(dir: string, mapping: typeof Mapping): (bytes: number) => SharedFile {
  let made = 0
  return (size) => {
    const path = join(dir, `ring-${process.pid}-${++made}`)
    const fd = openSync(path, 'wx+', 0o600)
    try {
      ftruncateSync(fd, size)
      const mapped = new mapping(fd, size)
      return {
        path,
        bytes: new Uint8Array(mapped.buffer),
        // Both see the same pages.
        flush: () => {},
        release: () => {
          mapped.unmap()
          rmSync(path, { force: true })
        },
      }
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(fd)
    }
  }
}

/** Removes what a machine that was killed has left. */
export function removeStaleRings(dir: string): void {
  for (const file of readdirSync(dir)) {
    const pid = /^ring-(\d+)-\d+$/.exec(file)?.[1]
    if (pid !== undefined && !isAlive({ pid: Number(pid), began: '' }))
      rmSync(join(dir, file), { force: true })
  }
}

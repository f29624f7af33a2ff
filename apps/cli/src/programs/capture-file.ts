import { closeSync, openSync, writeSync } from 'node:fs'
import { Errno, errnoName, strerror } from '@vnet/kernel'
import type { CaptureFile } from '@vnet/tools'

/** Where `vnet tcpdump -w FILE` writes to, on the host. @throws Errno as the host said */
export function captureFile(path: string): CaptureFile {
  const fd = asErrno(path, () => openSync(path, 'w', 0o644))
  return {
    write: (bytes) => void asErrno(path, () => writeSync(fd, bytes)),
    close: () => closeSync(fd),
  }
}

function asErrno<T>(path: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    const name = errnoName(Math.abs((error as NodeJS.ErrnoException).errno ?? 0))
    if (name === undefined) throw error
    throw new Errno(name, `${path}: ${strerror(name)}`)
  }
}

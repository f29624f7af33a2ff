import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { CaptureFeed } from '@vnet/backend'
import { CommandError } from '../errors.ts'

const CHUNK = 1 << 18

const OPEN_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; check the name',
  EACCES: 'you may not read it',
  EISDIR: 'it is a directory; name a pcap or pcapng file',
}

/** A capture file that is read as the replay goes, never as a whole. */
export class CaptureFile {
  readonly feed = new CaptureFeed()
  readonly size: number
  /** Bytes read so far, over all passes. */
  read = 0
  private readonly fd: number
  private done = false

  /** @throws CommandError when it cannot be opened or is empty */
  constructor(path: string) {
    this.fd = open(path)
    const stat = fstatSync(this.fd)
    this.size = stat.size
    if (stat.isDirectory()) throw this.refuse(path, OPEN_ERRORS['EISDIR']!)
    if (stat.isFile() && stat.size === 0)
      throw this.refuse(path, 'it is empty; a capture has at least a header')
  }

  /** Reads on until the feed has enough; false once the file is at its end. */
  pump(): boolean {
    while (!this.done) {
      const chunk = new Uint8Array(CHUNK)
      const n = readSync(this.fd, chunk)
      if (n === 0) {
        this.done = true
        this.feed.end()
        return false
      }
      this.read += n
      if (!this.feed.push(chunk.subarray(0, n))) return true
    }
    return false
  }

  close(): void {
    closeSync(this.fd)
  }

  private refuse(path: string, why: string): CommandError {
    this.close()
    return new CommandError(`vnet replay: ${path}: ${why}`)
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new CommandError(`vnet replay: ${path}: ${OPEN_ERRORS[code] ?? message}`)
  }
}

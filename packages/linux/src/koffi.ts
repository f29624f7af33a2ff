import { createRequire } from 'node:module'
import { Errno } from '@vnet/kernel'
import type koffi from 'koffi'

/** A function of a library. */
export interface ForeignFunction {
  (...args: (number | string | null)[]): number
  async(...args: [...(number | string | null)[], (error: Error | null, result: number) => void]): void
}

/** A descriptor watched on Node’s loop by koffi. */
export interface KoffiPoll {
  start(
    events: { readable: boolean; writable: boolean },
    ready: (status: number, events: { readable: boolean; writable: boolean }) => void,
  ): void
  stop(): void
  close(): void
  ref(): void
  unref(): void
}

/** What this package uses of koffi. */
export interface Koffi {
  load(path: null): {
    func(definition: string): ForeignFunction
    symbol(name: string): unknown
  }
  address(memory: ArrayBufferView | ArrayBufferLike): bigint
  view(address: bigint, bytes: number): ArrayBuffer
  errno(): number
  readonly node?: {
    poll(
      fd: number,
      events: { readable: boolean; writable: boolean },
      ready: (status: number, events: { readable: boolean; writable: boolean }) => void,
    ): KoffiPoll
  }
}

/**
 * Loads koffi, at the first call only: a program that needs no system call needs no koffi.
 *
 * @throws Errno EOPNOTSUPP on another system than Linux, ENOSYS when koffi is not there or has no binary for this one
 */
export function loadKoffi(platform: string = process.platform): Koffi {
  if (platform !== 'linux') {
    throw new Errno(
      'EOPNOTSUPP',
      `this needs the system calls of Linux, and this is ${platform}; over a socket (@vnet/backend-stream, -websocket, -udp) it works anywhere`,
    )
  }
  try {
    return createRequire(import.meta.url)('koffi') as typeof koffi as unknown as Koffi
  } catch (error) {
    const { arch, report } = process
    const header = (report.getReport() as { header?: { glibcVersionRuntime?: string } }).header
    const libc = header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`
    const why = error instanceof Error ? error.message.split('\n')[0]! : String(error)
    throw new Errno(
      'ENOSYS',
      `koffi, which makes the system calls, does not load on linux ${arch} with ${libc}: ${why}; try \`npm install koffi\` (it has binaries for glibc 2.25 or newer and for musl)`,
    )
  }
}

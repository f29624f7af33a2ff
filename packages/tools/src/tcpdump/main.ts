import { Errno } from '@vnet/kernel'
import type { Process, Program, Syscalls } from '../proc/process.ts'
import { capture } from './capture.ts'
import type { CaptureFile } from './capture.ts'
import { deviceList, devices, sorted } from './device.ts'
import { FilterError } from './filter/packet.ts'
import { parseOptions, TcpdumpError } from './options.ts'
import type { TcpdumpOptions } from './options.ts'
import { USAGE, VERSION } from './usage.ts'

/** How to make the file of `-w FILE`. @throws Errno */
export type CreateFile = (path: string) => CaptureFile

const EXIT_FAILURE = 1

/**
 * `tcpdump`: shows the packets of a device. Names are never looked up and files are not read.
 *
 * `-w -` writes pcapng to the standard output; other names need {@link tcpdumpWith}.
 *
 * @kernel none
 */
export const tcpdump: Program = tcpdumpWith(null)

/** `tcpdump` that can make files: where `-w FILE` writes to. @kernel none */
export function tcpdumpWith(create: CreateFile | null): Program {
  return function* main(process) {
    try {
      return yield* run(process, parseOptions(process.argv.slice(1)), create)
    } catch (error) {
      return failed(process, error)
    }
  }
}

function failed(process: Process, error: unknown): number {
  if (error instanceof TcpdumpError) {
    process.stderr(`tcpdump: ${error.message}\n`)
    if (error.usage) process.stderr(VERSION + USAGE)
  } else if (error instanceof FilterError || error instanceof Errno) {
    process.stderr(`tcpdump: ${error.message}\n`)
  } else throw error
  return EXIT_FAILURE
}

function* run(process: Process, options: TcpdumpOptions, create: CreateFile | null): Syscalls<number> {
  switch (options.action) {
    case 'version':
      process.stdout(VERSION)
      return 0
    case 'help':
      process.stdout(VERSION + USAGE)
      return 0
    case 'devices':
      process.stdout(deviceList(yield* devices(process)))
      return 0
    case 'links':
      process.stdout(
        `Data link types for ${yield* deviceOf(process, options)} (use option -y to set):\n  EN10MB (Ethernet)\n`,
      )
      return 0
    case 'capture':
      return yield* capture(
        process,
        options,
        yield* deviceOf(process, options),
        fileOf(process, options, create),
      )
  }
}

/** The device of -i, or else the first that is up. @throws TcpdumpError @kernel none */
function* deviceOf(process: Process, options: TcpdumpOptions): Syscalls<string> {
  if (options.device !== null && !/^\d+$/.test(options.device)) return options.device
  const list = sorted(yield* devices(process))
  if (options.device !== null)
    return byNumber(
      list.map(({ name }) => name),
      Number(options.device),
      options.device,
    )
  const [first] = list
  if (first === undefined) throw new TcpdumpError('no suitable device found')
  return first.name
}

/** `-i 1`: as -D numbers them. */
function byNumber(names: readonly string[], number: number, text: string): string {
  const name = names[number - 1]
  if (name === undefined) throw new TcpdumpError(`${text}: No such device exists\n(No such device exists)`)
  return name
}

function fileOf(process: Process, { write }: TcpdumpOptions, create: CreateFile | null): CaptureFile | null {
  if (write === null) return null
  if (write === '-') return { write: (bytes) => process.stdout(bytes), close: () => {} }
  if (create === null) throw new TcpdumpError(`${write}: only -w - can be written here`)
  return create(write)
}

import { CommandLine } from '@vnet/ethtool'
import { Errno, strerror } from '@vnet/kernel'
import { NlFailure, NlGarbage } from '../nl/failure.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { openEthtool } from './genl.ts'
import type { EthtoolSocket } from './genl.ts'

/** One run of the tool, with the sockets it opened for that. @kernel none */
export class EthtoolRun extends CommandLine {
  readonly process: Process
  #genl: EthtoolSocket | null = null

  constructor(process: Process) {
    super()
    this.process = process
  }

  override out(text: string | Uint8Array): void {
    this.process.stdout(text)
  }

  override err(text: string): void {
    this.process.stderr(text)
  }

  /** The netlink socket, opened when it is needed first. @throws NlFailure, NlGarbage, Errno */
  *genl(): Syscalls<EthtoolSocket> {
    this.#genl ??= yield* openEthtool(this.process)
    return this.#genl
  }

  /** Says what came back as an error to a netlink request. */
  netlinkError(error: unknown): void {
    if (error instanceof NlFailure) {
      const { extack, offset, errno } = error
      if (extack !== undefined) {
        this.err(`netlink error: ${extack}${offset === undefined ? '' : ` (offset ${offset})`}\n`)
      }
      this.err(`netlink error: ${strerror(errno)}\n`)
    } else if (error instanceof NlGarbage) {
      this.err(`netlink error: ${error.message}\n`)
    } else if (error instanceof Errno) {
      this.err(`netlink error: ${error.message}\n`)
    } else throw error
  }

  /** Runs a netlink request; a refusal is said and answered with `exitCode`. */
  *netlink(exitCode: number, request: () => Syscalls<void>): Syscalls<number> {
    try {
      yield* request()
      return 0
    } catch (error) {
      this.netlinkError(error)
      return exitCode
    }
  }

  /** Runs an ioctl; a refusal is said with `what` and ends the command with `exitCode`. */
  *ioctl<T>(what: string, exitCode: number, request: () => Syscalls<T>): Syscalls<T> {
    try {
      return yield* request()
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      return this.stop(`${what}: ${error.message}\n`, exitCode)
    }
  }
}

import { IFNAMSIZ } from '@vnet/netdev'

/** Ends a command with an exit code; what it had to say is said. @kernel none */
export class CliExit extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** A command line of ethtool: what it asks, and where the answers go. @kernel none */
export abstract class CommandLine {
  devname = ''
  args: readonly string[] = []
  json = false
  includeStatistics = false

  abstract out(text: string): void
  abstract err(text: string): void

  /** Ends a command that makes no sense. @throws CliExit */
  stop(text: string, exitCode = 1): never {
    this.err(text)
    throw new CliExit(exitCode)
  }

  /** Ends with the complaint about the arguments. @throws CliExit */
  badArgs(): never {
    return this.stop('ethtool: bad command line argument(s)\nFor more information run ethtool -h\n')
  }

  /** A command without arguments of its own got some. @throws CliExit */
  noArgs(): void {
    if (this.args.length > 0) this.badArgs()
  }

  /** An ioctl takes no long names, and its commands print no JSON. @throws CliExit */
  checkIoctl(): void {
    if (this.json) this.badArgs()
    if (this.devname.length < IFNAMSIZ) return
    this.err(`Device name longer than ${IFNAMSIZ - 1} characters\n`)
    this.badArgs()
  }
}

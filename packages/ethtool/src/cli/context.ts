import { Errno, strerror } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { devGetByName } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { RequestLayout } from './layout.ts'
import { CommandLine } from './line.ts'

/** One run of the tool, with what it has said so far. @kernel none */
export class Cli extends CommandLine {
  readonly kernel: Kernel
  readonly capNetAdmin: boolean
  stdout = ''
  stderr = ''

  constructor(kernel: Kernel, capNetAdmin: boolean) {
    super()
    this.kernel = kernel
    this.capNetAdmin = capNetAdmin
  }

  override out(text: string): void {
    this.stdout += text
  }

  override err(text: string): void {
    this.stderr += text
  }

  /** The device, as a netlink request finds it. */
  netlinkDev(): NetDevice<any> {
    const dev = devGetByName(this.kernel, this.devname)
    if (dev === undefined) throw new Errno('ENODEV', 'no device matches name', 'header/dev-name')
    return dev
  }

  /** The device, as an ioctl finds it. `admin`: the request needs rights. */
  ioctlDev(admin: boolean): NetDevice<any> {
    const dev = devGetByName(this.kernel, this.devname)
    if (dev === undefined) throw new Errno('ENODEV')
    if (admin) this.needAdmin()
    return dev
  }

  /**
   * Sets and actions are for administrators; so are the few gets that show secrets.
   *
   * @rule ETH-16
   */
  needAdmin(): void {
    if (!this.capNetAdmin) throw new Errno('EPERM')
  }

  /** Says what came back as an error to a netlink request. */
  netlinkError(error: Errno, layout = new RequestLayout(this.devname)): void {
    if (error.extack !== undefined) {
      const offset = error.badAttr === undefined ? undefined : layout.offset(error.badAttr)
      this.err(`netlink error: ${error.extack}${offset === undefined ? '' : ` (offset ${offset})`}\n`)
    }
    this.err(`netlink error: ${strerror(error.errno)}\n`)
  }

  /** Runs one netlink request; an `Errno` is said and answered with `exitCode`. */
  netlink(exitCode: number, request: () => void, layout?: RequestLayout): number {
    try {
      request()
      return 0
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      this.netlinkError(error, layout)
      return exitCode
    }
  }

  /** Runs one ioctl; an `Errno` is said with `what` and ends the command with `exitCode`. */
  ioctl<T>(what: string, exitCode: number, request: () => T): T {
    try {
      return request()
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      return this.stop(`${what}: ${strerror(error.errno)}\n`, exitCode)
    }
  }
}

/** The error if it is a refusal; anything else is thrown on. @kernel none */
export function asErrno(error: unknown): Errno {
  if (error instanceof Errno) return error
  throw error
}

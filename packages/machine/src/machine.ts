import {
  cancelWork,
  createKernel,
  prInfo,
  prNotice,
  scheduleWork,
  workSetup,
  type Kernel,
} from '@vnet/kernel'
import { inetOf, type Inet } from '@vnet/inet'
import {
  netlinkServer,
  syscallServer,
  type NetlinkServer,
  type SyscallHandler,
  type SyscallServer,
} from '@vnet/netlink'
import {
  devChangeFlags,
  devGetFlags,
  Iff,
  netOf,
  setDefaultQdisc,
  skbCacheDestroy,
  type NetDevice,
} from '@vnet/netdev'
import { builtinModules } from './builtin-modules.ts'
import { cablesOf } from './cable/cables.ts'
import { loopbackExit, loopbackInit } from './lo/loopback.ts'
import type { CommandOutput, MachineOptions } from './options.ts'
import { utsname, versionText } from './proc/system.ts'
import { rootTree } from './root.ts'
import { runCommand } from './run-command.ts'
import { startRtnl } from './rtnl/start.ts'
import { startSockets } from './sock/start.ts'
import { fileCalls } from './sysc/files.ts'
import { moduleCalls } from './sysc/modules.ts'
import { syslogCalls } from './sysc/syslog.ts'
import { systemCalls } from './sysc/system.ts'
import { Vfs } from './vfs/vfs.ts'

/**
 * A whole small computer: a kernel with `lo`, protocol stack, netlink, system calls and files.
 *
 * Programs reach it through {@link syscalls}, people through {@link run}. Make one with {@link bootMachine}.
 *
 * @kernel none
 */
export class Machine {
  readonly kernel: Kernel
  readonly inet: Inet
  readonly netlink: NetlinkServer
  readonly syscalls: SyscallServer
  readonly vfs: Vfs
  readonly name: string
  /** Called once, when everything has been taken apart. */
  onPoweroff: (() => void) | null = null
  readonly #lo: NetDevice<any>
  /** What takes apart what boot has put together, the last first. */
  readonly #undo: (() => void)[] = []
  #off = false

  constructor(options: MachineOptions) {
    this.name = options.name ?? 'vnet'
    this.kernel = createKernel({
      strict: options.strict ?? true,
      clock: options.clock ?? 'virtual',
      seed: options.seed ?? 1,
      ...(options.console !== undefined && { console: options.console }),
      ...(options.memoryBytes !== undefined && { memoryBytes: options.memoryBytes }),
    })
    prNotice(this.kernel, versionText(this.name))
    // As distributions set net.core.default_qdisc.
    setDefaultQdisc(this.kernel, 'fq_codel')
    this.syscalls = syscallServer(this.kernel)
    this.netlink = netlinkServer(this.kernel)
    prInfo(this.kernel, 'NET: Registered PF_NETLINK/PF_ROUTE protocol family')
    this.inet = inetOf(this.kernel)
    prInfo(this.kernel, 'NET: Registered PF_INET protocol family')
    prInfo(this.kernel, 'NET: Registered PF_INET6 protocol family')
    this.#undo.push(
      startRtnl(this.netlink, this.inet),
      startSockets(this.kernel, this.inet, options.host ?? {}, options.wallClock ?? 0n),
    )
    cablesOf(this.kernel).useHost(options.host ?? {})
    this.#lo = loopbackInit(this.kernel)
    this.vfs = new Vfs(rootTree(this.kernel, this.inet, this.name))
    this.#registerCalls(options)
    this.kernel.rtnl.run(() => devChangeFlags(this.#lo, devGetFlags(this.#lo) | Iff.UP))
  }

  /** True until {@link poweroff}. */
  get running(): boolean {
    return !this.#off
  }

  /**
   * Runs a command of `@vnet/tools` on this machine and waits for its end, on the machine's clock.
   *
   * @param command - a line, split at blanks as a shell splits it, or the words themselves
   * @throws Error when it waits for ever, or the machine is off
   */
  run(command: string | readonly string[]): CommandOutput {
    if (this.#off) throw new Error(`${this.name} is off`)
    return runCommand(this.syscalls, command)
  }

  /**
   * Switches it off: ends every program, removes modules, protocols and `lo`, and stops the clock.
   *
   * @throws whatever a module's exit throws; the machine is off all the same
   * @kernel kernel_power_off() kernel/reboot.c
   */
  poweroff(message = 'reboot: Power down'): void {
    if (this.#off) return
    this.#off = true
    const { kernel } = this
    try {
      this.syscalls.closeAll()
      this.#removeModules()
      for (const undo of this.#undo.splice(0).reverse()) undo()
      loopbackExit(this.#lo)
      endNet(kernel)
    } finally {
      prNotice(kernel, message)
      kernel.shutdown()
      this.onPoweroff?.()
    }
  }

  /** The newest first, so that nobody removes what another needs. */
  #removeModules(): void {
    for (const { name, def } of this.kernel.modules.list())
      if (def.exit !== undefined) this.kernel.modules.rmmod(name)
  }

  #registerCalls(options: MachineOptions): void {
    let message = ''
    const off = workSetup(this.kernel, () => this.poweroff(message), 'reboot')
    const tables: ReadonlyMap<number, SyscallHandler>[] = [
      fileCalls(this.vfs),
      moduleCalls(options.modules ?? builtinModules(options.host)),
      syslogCalls(this.kernel),
      systemCalls({
        uts: utsname(this.name),
        wallClock: options.wallClock ?? 0n,
        powerDown: (text) => {
          message = text
          scheduleWork(off)
        },
      }),
    ]
    for (const table of tables) for (const [op, handler] of table) this.syscalls.register(op, handler)
  }
}

/** What is left of networking when every device is gone: what was to be looked at later, and the memory of packets. */
function endNet(kernel: Kernel): void {
  const { work } = netOf(kernel).linkwatch
  if (work !== null) cancelWork(work)
  skbCacheDestroy(kernel)
}

/** Makes a machine and boots it: `lo` is up, no module is loaded. @kernel start_kernel() init/main.c */
export function bootMachine(options: MachineOptions = {}): Machine {
  return new Machine(options)
}

import { bootMachine, type Machine, type MachineHost } from '@vnet/machine'
import { dmesgLine } from '@vnet/kernel'
import { CommandError } from '../errors.ts'
import { removeStaleWires, serveWire, wirePath } from '../wire/server.ts'
import { hostCable } from './cables.ts'
import { inlineMore } from './inline-more.ts'
import { LogFile } from './log-file.ts'
import { hostModules } from './modules.ts'
import { claimPidFile, dropPidFile } from './pid-file.ts'
import { DEFAULT_MACHINE, type MachinePaths } from './runtime.ts'
import { serve, type ServedSocket } from './serve.ts'
import { removeStaleRings, sharedFiles } from './shared-file.ts'

/** How a machine is started. */
export interface BootOptions {
  readonly seed: number
  /** Gets each line of the log. */
  readonly console: (line: string) => void
  /** The machine listens. */
  readonly ready: () => void
  /** Puts into the machine what it begins with, before programs come. @throws CommandError: it is switched off again */
  readonly setUp?: (machine: Machine) => void
  /** What it gets beside what this host has. */
  readonly host?: MachineHost
}

/**
 * Is the machine, until it is powered off or told to end.
 *
 * @returns the exit code
 * @throws CommandError when a machine of that name runs already
 */
export async function runMachine(paths: MachinePaths, options: BootOptions): Promise<number> {
  const holder = claimPidFile(paths.pid)
  if (holder !== null)
    throw new CommandError(
      `vnet boot: machine "${paths.name}" is already running (pid ${holder.pid}); vnet poweroff ends it`,
    )
  inlineMore()
  const log = new LogFile(paths.log)
  process.on('exit', () => dropPidFile(paths.pid))
  try {
    return await live(paths, options, log)
  } finally {
    log.close()
  }
}

async function live(paths: MachinePaths, options: BootOptions, log: LogFile): Promise<number> {
  const console = (line: string): void => {
    log.line(line)
    options.console(line)
  }
  let bootedAt = 0n
  const end = new End(console)
  const host = { ...(await machineHost(paths)), ...options.host }
  const machine = bootMachine({
    name: paths.name === DEFAULT_MACHINE ? 'vnet' : paths.name,
    clock: 'real',
    strict: false,
    seed: options.seed,
    // Read when sockets are made, which is after the first line of the log.
    get wallClock() {
      return bootedAt
    },
    console: (record) => {
      if (bootedAt === 0n) bootedAt = hostNow() - BigInt(record.time)
      console(dmesgLine(record).trimEnd())
    },
    modules: hostModules(host),
    host,
  })
  end.of(machine)
  let served: ServedSocket | null = null
  try {
    machine.kernel.hold()
    setUp(machine, options)
    served = await serve(machine.syscalls, paths.socket)
    options.ready()
    return await end.code
  } finally {
    served?.close()
    machine.kernel.release()
  }
}

function setUp(machine: Machine, options: BootOptions): void {
  try {
    options.setUp?.(machine)
  } catch (error) {
    machine.poweroff()
    throw error
  }
}

/** Nanoseconds since 1970, to the microsecond. */
function hostNow(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n
}

/** What this host can give a machine; without koffi there are no shared rings. */
async function machineHost(paths: MachinePaths): Promise<MachineHost> {
  removeStaleRings(paths.dir)
  await removeStaleWires(paths)
  const wire: MachineHost['wire'] = (device, tap) => serveWire(wirePath(paths, device), device, tap)
  const cables = { cable: hostCable, wire }
  try {
    const { libc, Mapping } = await import('@vnet/linux')
    libc()
    return { ...cables, sharedFile: sharedFiles(paths.dir, Mapping) }
  } catch {
    return cables
  }
}

/** How the machine ends: powered off by somebody, told by a signal, or broken. */
class End {
  /** The exit code, when it has ended. */
  readonly code: Promise<number>
  readonly #console: (line: string) => void
  #resolve: (code: number) => void = () => {}
  #machine: Machine | null = null

  constructor(console: (line: string) => void) {
    this.#console = console
    this.code = new Promise((resolve) => (this.#resolve = resolve))
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => this.#stop(`vnet: ${signal}: powering off`, 0))
    process.on('uncaughtException', (error) =>
      this.#stop(`Kernel panic - not syncing: ${error.stack ?? String(error)}`, 1),
    )
  }

  of(machine: Machine): void {
    this.#machine = machine
    machine.onPoweroff = () => this.#resolve(0)
  }

  #stop(why: string, code: number): void {
    this.#console(why)
    // A signal may come while it boots.
    if (this.#machine === null) process.exit(code)
    this.#machine.onPoweroff = null
    try {
      this.#machine.poweroff()
    } catch (error) {
      this.#console(`vnet: poweroff failed: ${String(error)}`)
    }
    this.#resolve(code)
  }
}

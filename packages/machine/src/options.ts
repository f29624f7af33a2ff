import type { KernelOptions } from '@vnet/kernel'
import type { MachineHost } from './host.ts'
import type { ModuleSource } from './module-source.ts'

/** What `bootMachine()` takes; everything has a default. */
export interface MachineOptions {
  /** What `uname -n` prints. Default `'vnet'`. */
  readonly name?: string
  /** Who moves time. Default `'virtual'`. */
  readonly clock?: 'real' | 'virtual'
  /** Where chance starts. Default 1. */
  readonly seed?: number
  /** A broken rule throws. Default true. */
  readonly strict?: boolean
  /** Gets each line of the log as it is written. */
  readonly console?: KernelOptions['console']
  /** Where `insmod` finds modules. Default: `vnet` alone. */
  readonly modules?: ModuleSource
  readonly host?: MachineHost
  /** Nanoseconds since 1970 at boot: what the machine's calendar says. Default 0, which is 1970. */
  readonly wallClock?: bigint
  /** The most memory for packets. Default 256 MiB. */
  readonly memoryBytes?: number
}

/** What a command printed, and how it ended. */
export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

import { Errno, dmesg, type CensusEntry, type Kernel, type ModuleDefinition } from '@vnet/kernel'
import { devGetByName, devOpen, type NetDevice } from '@vnet/netdev'
import {
  createVnetModule,
  type VnetInstance,
  type VnetInstances,
  type VnetModuleOptions,
  type VnetPriv,
} from '@vnet/vnet'
import { CommandError } from './errors.ts'

/** How long an event may still rest after the last command: the link watch speaks once a second. */
const SETTLE_NS = 2e9

/** Loads a module as insmod(8) does. @throws CommandError with insmod's words and exit code */
export function insmod(
  kernel: Kernel,
  def: ModuleDefinition,
  args: readonly string[],
  file = `${def.name}.ko`,
): void {
  const from = kernel.log.records.length
  try {
    kernel.modules.insmod(def, args)
  } catch (error) {
    if (!(error instanceof Errno)) {
      throw new CommandError(
        `insmod: ERROR: could not insert module ${file}: its init failed: ${(error as Error).message}`,
      )
    }
    const said = kernel.log.records.slice(from).map((r) => `\n  dmesg: ${r.text}`)
    throw new CommandError(
      `insmod: ERROR: could not insert module ${file}: ${strerror(error)}${said.join('')}`,
    )
  }
}

/** insmod(8) calls EINVAL "Invalid parameters" and ENOENT "Unknown symbol in module". */
function strerror(error: Errno): string {
  if (error.code === 'EINVAL') return 'Invalid parameters'
  if (error.code === 'ENOENT') return 'Unknown symbol in module'
  return error.message
}

/** Loads vnet and hands out the cards and devices it made. */
export function insmodVnet(
  kernel: Kernel,
  options: VnetModuleOptions,
  args: readonly string[],
): readonly VnetInstance[] {
  const def = createVnetModule(options)
  let made: VnetInstances | undefined
  insmod(
    kernel,
    {
      ...def,
      init(ctx) {
        def.init(ctx)
        made = ctx.data as VnetInstances
      },
    },
    args,
  )
  return made!.all
}

/** Brings a device up, as `ip link set NAME up` does. */
export function linkUp(kernel: Kernel, name: string): NetDevice<VnetPriv> {
  const dev = devGetByName(kernel, name) as NetDevice<VnetPriv> | undefined
  if (dev === undefined) throw new CommandError(`Cannot find device "${name}"`)
  kernel.rtnl.run(() => devOpen(dev))
  return dev
}

/** Unloads every module, newest first. */
export function unloadAll(kernel: Kernel): void {
  for (const { name } of kernel.modules.list()) kernel.modules.rmmod(name)
}

/** What is still alive once everything is unloaded; the memory the kernel keeps for sk_buffs is its own. */
export function leftovers(kernel: Kernel): CensusEntry[] {
  if (!kernel.clock.real) kernel.runFor(SETTLE_NS)
  return kernel.census
    .take()
    .filter(
      (e) => !(e.module === null && (e.kind === 'memory' || (e.kind === 'work' && e.name === 'linkwatch'))),
    )
}

/** The lines of the kernel log. */
export function dmesgLines(kernel: Kernel): string[] {
  return dmesg(kernel)
    .split('\n')
    .filter((line) => line !== '')
}

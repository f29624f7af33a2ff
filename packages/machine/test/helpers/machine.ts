import { inetAddrAdd } from '@vnet/inet'
import { createVnetModule } from '@vnet/vnet'
import { devGetByName, type NetDevice } from '@vnet/netdev'
import { bootMachine, type Machine, type MachineOptions } from '../../src/index.ts'
import { setUp } from './tree.ts'

/** A machine with `vnet0` on a cable that takes everything and gives nothing. */
export function machineWithVnet(
  options: MachineOptions = {},
  args: readonly string[] = ['backend=null'],
): { machine: Machine; dev: NetDevice<any> } {
  const machine = bootMachine(options)
  machine.kernel.modules.insmod(createVnetModule(), args)
  return { machine, dev: devGetByName(machine.kernel, 'vnet0')! }
}

/** The same, up for a while and with 10.0.0.1/24, as in the recordings. */
export function configured(options: MachineOptions = {}): ReturnType<typeof machineWithVnet> {
  const made = machineWithVnet(options)
  const { machine, dev } = made
  setUp(dev, true)
  machine.kernel.rtnl.run(() =>
    inetAddrAdd(machine.inet, { dev, family: 2, local: Uint8Array.of(10, 0, 0, 1), prefixlen: 24, scope: 0 }),
  )
  machine.kernel.runFor(5.5e9)
  return made
}

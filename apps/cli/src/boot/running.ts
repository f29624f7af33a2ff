import { CommandError } from '../errors.ts'
import { isAlive, readPidFile } from './pid-file.ts'
import { DEFAULT_MACHINE, type MachinePaths } from './runtime.ts'

/** @throws CommandError that says what to do, when the machine does not run */
export function requireMachine({ name, pid }: MachinePaths): void {
  const holder = readPidFile(pid)
  if (holder !== null && isAlive(holder)) return
  throw new CommandError(
    name === DEFAULT_MACHINE
      ? 'vnet: no machine runs; start one: vnet boot -d'
      : `vnet: no machine "${name}" runs; start it: vnet --machine ${name} boot -d`,
  )
}

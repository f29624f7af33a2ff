import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, readPidFile, type ProcessId } from '../boot/pid-file.ts'
import { machinePaths } from '../boot/runtime.ts'
import { CommandError } from '../errors.ts'
import { LabNamespaces } from './namespaces.ts'
import { dropRecord, isUp, namespacesPath, readRecord, removeMachineFiles } from './record.ts'

const PATIENCE_MS = 10_000

/** @throws CommandError that says how to end the lab that has the name */
export function refuseIfUp(name: string): void {
  const record = readRecord(name)
  if (record !== null && isUp(record))
    throw new CommandError(`vnet lab: lab "${name}" is up already; vnet lab down ${name} ends it`)
}

/** `vnet lab down`: ends the lab's process, and removes what a killed one left. */
export async function labDown(name: string): Promise<number> {
  const record = readRecord(name)
  const namespaces = namespacesPath(name)
  if (record === null && !existsSync(namespaces))
    throw new CommandError(`vnet lab: there is no lab "${name}"; vnet lab list shows those there are`)
  if (record !== null && isUp(record)) await end(record.process)
  if (existsSync(namespaces)) new LabNamespaces(namespaces).remove()
  for (const machine of record?.machines ?? []) {
    const holder = readPidFile(machinePaths(machine).pid)
    // The name may be another machine's by now.
    if (holder === null || !isAlive(holder)) await removeMachineFiles(machine)
  }
  dropRecord(name)
  return 0
}

async function end(holder: ProcessId): Promise<void> {
  process.kill(holder.pid, 'SIGTERM')
  if (await gone(holder)) return
  process.kill(holder.pid, 'SIGKILL')
  await gone(holder)
}

async function gone(holder: ProcessId): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
    if (!isAlive(holder)) return true
    await sleep(20)
  }
  return false
}

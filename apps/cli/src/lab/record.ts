import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeSocket } from '../boot/remove-socket.ts'
import { isAlive, readPidFile, type ProcessId } from '../boot/pid-file.ts'
import { checkName, machinePaths, runtimeDir } from '../boot/runtime.ts'
import { removeStaleWires } from '../wire/server.ts'

/** The name of a lab when nobody says one. */
export const DEFAULT_LAB = 'lab'

/** A lab that was started, as it is written down for those who list it and clean up. */
export interface LabRecord {
  readonly name: string
  /** All of one process. */
  readonly machines: readonly string[]
  readonly namespaces: readonly string[]
  readonly process: ProcessId
  /** The file it was made from. */
  readonly file?: string
}

const END = '.lab'

function recordPath(name: string): string {
  return join(runtimeDir(), `${checkName(name)}${END}`)
}

/** Where the namespaces of a lab are written down. */
export function namespacesPath(name: string): string {
  return join(runtimeDir(), `${checkName(name)}.netns`)
}

/** Writes a lab of this process down, when it has the name of its first machine. */
export function writeRecord(record: Omit<LabRecord, 'process'>): void {
  const self = readPidFile(machinePaths(record.machines[0]!).pid) ?? { pid: process.pid, began: '' }
  writeFileSync(recordPath(record.name), JSON.stringify({ ...record, process: self }), { mode: 0o600 })
}

export function readRecord(name: string): LabRecord | null {
  try {
    return JSON.parse(readFileSync(recordPath(name), 'utf8')) as LabRecord
  } catch {
    // None, or written half: then nothing was begun.
    return null
  }
}

export function dropRecord(name: string): void {
  rmSync(recordPath(name), { force: true })
}

/** Every lab that was started and not taken down. */
export function labRecords(): LabRecord[] {
  return readdirSync(runtimeDir())
    .filter((file) => file.endsWith(END))
    .sort()
    .flatMap((file) => readRecord(file.slice(0, -END.length)) ?? [])
}

/** True while the process of a lab runs. */
export function isUp(record: LabRecord): boolean {
  return isAlive(record.process)
}

/** Removes the files that a machine of a lab has left. */
export async function removeMachineFiles(name: string): Promise<void> {
  const paths = machinePaths(name)
  await removeStaleWires(paths)
  removeSocket(paths.socket)
  for (const file of [paths.pid, paths.log, `${paths.log}.1`]) rmSync(file, { force: true })
}

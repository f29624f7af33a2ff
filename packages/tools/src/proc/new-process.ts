import { ProcessMemory } from './memory.ts'
import type { Process } from './process.ts'

/** What a process can be given besides its words. @kernel none */
export interface ProcessOptions {
  readonly stdout?: (text: string | Uint8Array) => void
  readonly stderr?: (text: string) => void
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly stdin?: string | Uint8Array
  readonly pid?: number
  readonly capNetAdmin?: boolean
}

/** A process with memory of its own. @kernel copy_process() kernel/fork.c */
export function newProcess(argv: readonly string[], options: ProcessOptions = {}): Process {
  return {
    argv,
    memory: new ProcessMemory(),
    stdout: options.stdout ?? (() => {}),
    stderr: options.stderr ?? (() => {}),
    env: options.env ?? {},
    interrupted: false,
    ...(options.columns === undefined ? {} : { columns: options.columns }),
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    ...(options.pid === undefined ? {} : { pid: options.pid }),
    ...(options.capNetAdmin === undefined ? {} : { capNetAdmin: options.capNetAdmin }),
  }
}

import type { Kernel } from '@vnet/kernel'
import { netlinkServer, syscallServer, textOf } from '@vnet/netlink'
import { localTransport, newProcess, programs, runProgram } from '../src/index.ts'
import type { Program, ProcessOptions, Transport } from '../src/index.ts'

export interface Result {
  stdout: string
  stderr: string
  exitCode: number
}

/** Runs a program over a transport; it must not wait. */
export function runOver(
  transport: Transport,
  argv: readonly string[],
  program: Program = programs[argv[0]!]!,
  options: ProcessOptions = {},
): Result {
  let stdout = ''
  let stderr = ''
  let exitCode: number | null = null
  const process = newProcess(argv, {
    ...options,
    stdout: (text) => (stdout += typeof text === 'string' ? text : textOf(text, 0, text.length)),
    stderr: (text) => (stderr += text),
  })
  runProgram(program, process, transport, (code) => (exitCode = code))
  if (exitCode === null) throw new Error(`${argv.join(' ')} waits`)
  return { stdout, stderr, exitCode }
}

/** Runs a command against a kernel in this process. */
export function run(kernel: Kernel, argv: readonly string[], options: ProcessOptions = {}): Result {
  netlinkServer(kernel)
  const server = syscallServer(kernel)
  let result: Result | null = null
  let stdout = ''
  let stderr = ''
  const process = newProcess(argv, {
    ...options,
    stdout: (text) => (stdout += typeof text === 'string' ? text : textOf(text, 0, text.length)),
    stderr: (text) => (stderr += text),
  })
  runProgram(
    programs[argv[0]!]!,
    process,
    localTransport(server),
    (exitCode) => (result = { stdout, stderr, exitCode }),
  )
  kernel.runUntil(() => result !== null, 3600e9)
  if (result === null) throw new Error(`${argv.join(' ')} waits`)
  return result
}

/** The words of a line; quotes keep an empty word. */
export function words(line: string): string[] {
  return line.split(/ +/).map((word) => (word === "''" ? '' : word))
}

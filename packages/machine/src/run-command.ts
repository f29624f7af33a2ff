import { Errno, NSEC_PER_SEC } from '@vnet/kernel'
import { localTransport, newProcess, programs, runProgram } from '@vnet/tools'
import { textOf } from '@vnet/netlink'
import type { SyscallServer } from '@vnet/netlink'
import type { CommandOutput } from './options.ts'

/** Kernel time after which a command is taken to wait for ever. */
const PATIENCE_NS = 3600 * NSEC_PER_SEC
/** What a shell answers for a command nobody has. */
const NOT_FOUND = 127

/**
 * Runs a command of this project on a machine in the same process, until it ends.
 *
 * @throws Error when it still waits after an hour of kernel time
 * @kernel none
 */
export function runCommand(server: SyscallServer, command: string | readonly string[]): CommandOutput {
  const argv = typeof command === 'string' ? splitWords(command) : [...command]
  const name = argv[0] ?? ''
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined
  if (program === undefined)
    return { stdout: '', stderr: `${name}: command not found\n`, exitCode: NOT_FOUND }
  let stdout = ''
  let stderr = ''
  let exitCode: number | null = null
  const process = newProcess(argv, {
    stdout: (text) => (stdout += typeof text === 'string' ? text : textOf(text, 0, text.length)),
    stderr: (text) => (stderr += text),
  })
  const running = runProgram(program, process, localTransport(server), (code) => (exitCode = code))
  const over = (): boolean => exitCode !== null
  const { kernel } = server
  if (!over() && !kernel.runUntil(over, PATIENCE_NS)) {
    running.interrupt()
    throw new Error(`${argv.join(' ')}: still waits after an hour`)
  }
  // What the command has begun and is due now, such as switching the machine off.
  kernel.runFor(0)
  return { stdout, stderr, exitCode: exitCode ?? 0 }
}

/**
 * Splits a line into words at blanks; quotes of either kind keep blanks, and a backslash the next character.
 *
 * @throws Errno EINVAL a quote that does not end
 * @kernel none
 */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (quote === '' && /\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (char === '\\' && quote !== "'" && at + 1 < line.length) word = (word ?? '') + line[++at]!
    else word = (word ?? '') + char
  }
  if (quote !== '') throw new Errno('EINVAL', 'unterminated quote')
  if (word !== null) words.push(word)
  return words
}

import { textOf } from '@vnet/netlink'
import type { Machine } from '@vnet/machine'
import { localTransport, newProcess, programs, runProgram } from '@vnet/tools'
import { CommandError } from '../../errors.ts'

/**
 * Runs a command on a machine of this process that does not wait for anything: other machines stand still meanwhile.
 *
 * @throws CommandError with what it said, when it was refused, or waits
 */
export function runNow(machine: Machine, words: readonly string[]): void {
  let said = ''
  let exitCode: number | null = null
  const task = newProcess(words, {
    stdout: () => {},
    stderr: (text: string | Uint8Array) =>
      (said += typeof text === 'string' ? text : textOf(text, 0, text.length)),
  })
  const running = runProgram(
    programs[words[0]!]!,
    task,
    localTransport(machine.syscalls),
    (code) => (exitCode = code),
  )
  if (exitCode === 0) return
  if (exitCode === null) running.interrupt()
  const why = exitCode === null ? 'it waits, which nothing here may' : said.trim()
  throw new CommandError(`vnet lab: ${machine.name}: ${words.join(' ')}: ${why}`)
}

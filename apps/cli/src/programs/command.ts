import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { requireMachine } from '../boot/running.ts'
import { machinePaths } from '../boot/runtime.ts'
import { CommandError } from '../errors.ts'

/** Runs one of our own programs against a machine; `words` are its name and what was typed after it. */
export async function programCommand(words: readonly string[], machine: string): Promise<number> {
  if (words[1] === '--help') {
    const { helpOf } = await import('@vnet/tools')
    const text = helpOf(words[0]!)
    if (text !== null) {
      process.stdout.write(text)
      return 0
    }
  }
  if (words[0] === 'modinfo' && words.length < 3) {
    const { modinfoHere } = await import('./modinfo.ts')
    if (await modinfoHere(words[1])) return 0
  }
  const paths = machinePaths(machine)
  requireMachine(paths)
  const { runOver } = await import('./run.ts')
  return await runOver(paths.socket, words[0] === 'insmod' ? absolute(words) : words)
}

/** The machine has another working directory, so a module's file goes by its whole path. */
function absolute(words: readonly string[]): string[] {
  const at = words.findIndex((word, i) => i > 0 && !word.startsWith('-'))
  return words.map((word, i) => {
    if (i !== at || !/[/]|\.[cm]?[jt]s$/.test(word)) return word
    const path = resolve(word)
    if (!existsSync(path) && !word.endsWith('.ko'))
      throw new CommandError(`insmod: ERROR: could not load module ${word}: No such file or directory`)
    return path
  })
}

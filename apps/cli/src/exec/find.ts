import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { CommandError } from '../errors.ts'

const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

/** The file a shell would run for a word. @throws CommandError with a shell's exit codes */
export function findProgram(word: string, who: string, path = process.env['PATH'] ?? ''): string {
  if (word.includes('/')) return runnable(word, who)
  for (const folder of path.split(delimiter)) {
    const file = join(folder === '' ? '.' : folder, word)
    if (isRunnable(file)) return file
  }
  throw new CommandError(`${who}: ${word}: command not found`, NOT_FOUND)
}

function runnable(file: string, who: string): string {
  let directory: boolean
  try {
    directory = statSync(file).isDirectory()
  } catch {
    throw new CommandError(`${who}: ${file}: No such file or directory`, NOT_FOUND)
  }
  if (directory) throw new CommandError(`${who}: ${file}: Is a directory`, NOT_EXECUTABLE)
  if (!isRunnable(file)) throw new CommandError(`${who}: ${file}: Permission denied`, NOT_EXECUTABLE)
  return file
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

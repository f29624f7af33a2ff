import { Errno } from '@vnet/kernel'
import type { Process, Syscalls } from '../proc/process.ts'

/** What is before the words of a command line: single letters, and what is left. */
export interface FileOptions {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly words: readonly string[]
  /** An option nobody knows. */
  readonly unknown: string | null
}

/**
 * Splits a command line into options and words.
 *
 * @param known - letters, with a colon behind those that take a value; long names by the letter they stand for
 * @kernel getopt_long() none
 */
export function parseOptions(
  argv: readonly string[],
  known: string,
  long: Readonly<Record<string, string>> = {},
): FileOptions {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const words: string[] = []
  let unknown: string | null = null
  const rest = argv.slice(1)
  const take = (letter: string, value: string | undefined): void => {
    const at = letter === ':' ? -1 : known.indexOf(letter)
    if (at < 0) unknown ??= letter
    else if (known[at + 1] === ':') values.set(letter, value ?? rest.shift() ?? '')
    else flags.add(letter)
  }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      words.push(...rest.splice(0))
    } else if (word.startsWith('--')) {
      const [name = '', value] = word.slice(2).split('=')
      take(long[name] ?? name, value)
    } else if (word.startsWith('-') && word !== '-') takeLetters(word.slice(1), known, take)
    else words.push(word)
  }
  return { flags, values, words, unknown }
}

function takeLetters(letters: string, known: string, take: (letter: string, value?: string) => void): void {
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i]!
    const hasValue = known[known.indexOf(letter) + 1] === ':' && known.includes(letter)
    if (!hasValue) take(letter)
    else {
      take(letter, letters.slice(i + 1) || undefined)
      return
    }
  }
}

/** The complaint about an option nobody knows, and its exit code. @kernel none */
export function badOption(process: Process, option: string, exitCode = 1): number {
  const name = process.argv[0] ?? ''
  process.stderr(`${name}: invalid option -- '${option}'\n`)
  return exitCode
}

/** Runs a step; a refusal is said with `what` in front and gives null. @kernel none */
export function* said<T>(process: Process, what: string, step: () => Syscalls<T>): Syscalls<T | null> {
  try {
    return yield* step()
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    process.stderr(`${what}: ${error.message}\n`)
    return null
  }
}

import type { Process, Syscalls } from '../proc/process.ts'
import { nanosleep } from '../proc/files.ts'

const NSEC_PER_SEC = 1e9
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `sleep SECONDS` on the machine's clock. @kernel none */
export function* sleep(process: Process): Syscalls<number> {
  let seconds = 0
  for (const word of process.argv.slice(1)) {
    const match = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(word)
    if (match === null) {
      process.stderr(`sleep: invalid time interval '${word}'\n`)
      return 1
    }
    seconds += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1)
  }
  yield* nanosleep(seconds * NSEC_PER_SEC)
  return 0
}

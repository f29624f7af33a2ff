import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly v8: string
  readonly gcc: string | null
  readonly pinned: boolean
  readonly priority: boolean
  readonly load: number
  readonly commit: string | null
}

/** First line of what a program prints, or null when there is none. */
export function firstLine(program: string, ...args: string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
    )[0]!
  } catch {
    return null
  }
}

const has = (program: string, ...args: string[]): boolean => firstLine(program, ...args) !== null

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    gcc: firstLine('gcc', '--version'),
    pinned: has('taskset', '-c', String(cpus().length - 1), 'true'),
    priority: has('nice', '-n', '-20', 'true') && firstLine('nice', '-n', '-20', 'nice') === '-20',
    load: loadavg()[0]!,
    commit: firstLine('git', 'describe', '--always', '--dirty'),
  }
}

import { spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { CommandError } from '../errors.ts'

/** The descriptor on which a process in the background tells that it is ready, or what went wrong. */
const READY_FD = 3
const READY = 'ready\n'
/** Nothing that is started takes so long, on a busy host either. */
const PATIENCE_MS = 60_000

/** Tells whoever started this process in the background: `null` that it is ready, else what is wrong. */
export function tellParent(problem: string | null): void {
  try {
    writeSync(READY_FD, problem ?? READY)
    closeSync(READY_FD)
  } catch {
    // Nobody waits any more.
  }
}

/**
 * Starts this command again in the background, and returns when it has told that it is ready.
 *
 * @param args - its words, of which one has it call `tellParent`
 * @param log - the file its errors go to
 * @throws CommandError with what it told instead
 */
export function startDetached(args: readonly string[], log: string): Promise<void> {
  const fd = openSync(log, 'a', 0o600)
  const { LD_PRELOAD: _, ...env } = process.env
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    detached: true,
    cwd: '/',
    env,
    stdio: ['ignore', 'ignore', fd, 'pipe'],
  })
  closeSync(fd)
  let said = ''
  const pipe = child.stdio[READY_FD]!
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  return new Promise((resolve, reject) => {
    pipe.on('data', (bytes: Buffer) => (said += bytes.toString()))
    child.on('error', reject)
    pipe.on('close', () => {
      clearTimeout(late)
      child.unref()
      if (said === READY) resolve()
      else reject(new CommandError(said === '' ? `vnet ${what(args)}: it did not start; see ${log}` : said))
    })
  })
}

/** The command among the words: what comes first that is no option, nor an option's value. */
function what(args: readonly string[]): string {
  return args[0] === '--machine' ? args[2]! : args[0]!
}

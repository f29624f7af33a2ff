import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isatty } from 'node:tty'

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const

/** Runs a command on this terminal in place of this process, as nearly as that goes: signals go through both ways. */
export function runInPlace(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [program, ...args] = command
  const child = spawn(program!, args, { stdio: 'inherit', env })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of FORWARDED) process.on(signal, forward)
  // From a terminal these reach the child by themselves. (Looking at process.stdin would make it nonblocking.)
  const fromKey = isatty(0) ? (): void => {} : forward
  process.on('SIGINT', fromKey)
  process.on('SIGQUIT', fromKey)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (signal === null) return resolve(code ?? 0)
      for (const name of [...FORWARDED, 'SIGINT', 'SIGQUIT'] as const) process.removeAllListeners(name)
      process.kill(process.pid, signal)
      // A signal that does not end us.
      setTimeout(() => resolve(128 + constants.signals[signal]), 100)
    })
  })
}

import { spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { CommandError } from '../errors.ts'
import { machinePaths, type MachinePaths } from './runtime.ts'

/** The descriptor on which a machine in the background tells that it is ready, or what went wrong. */
const READY_FD = 3
const READY = 'ready\n'

/** `vnet boot`: be the machine, or start one in the background and return when it can be used. */
export async function bootCommand(args: {
  machine: string
  detach: boolean
  seed: string
  tell: boolean
}): Promise<number> {
  const paths = machinePaths(args.machine)
  if (!/^\d{1,15}$/.test(args.seed)) throw new CommandError(`vnet boot: --seed=${args.seed} is no number`, 2)
  if (args.detach) return await bootDetached(paths, args.seed)
  const { runMachine } = await import('./machine-process.ts')
  const tell = args.tell ? tellParent : null
  try {
    const code = await runMachine(paths, {
      seed: Number(args.seed),
      console: tell === null ? printLine : () => {},
      ready: () => tell?.(READY),
    })
    // What other authors' modules left running must not keep a machine alive that is off.
    process.exit(code)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    tell?.(error.message)
    throw error
  }
}

function printLine(line: string): void {
  try {
    writeSync(1, `${line}\n`)
  } catch {
    // Nobody reads the console any more; the log file has it.
  }
}

function tellParent(text: string): void {
  try {
    writeSync(READY_FD, text)
    closeSync(READY_FD)
  } catch {}
}

function bootDetached(paths: MachinePaths, seed: string): Promise<number> {
  const log = openSync(paths.log, 'a', 0o600)
  const args = [
    ...process.execArgv,
    process.argv[1]!,
    '--machine',
    paths.name,
    'boot',
    '--seed',
    seed,
    '--tell',
  ]
  const { LD_PRELOAD: _, ...env } = process.env
  const child = spawn(process.execPath, args, {
    detached: true,
    cwd: '/',
    env,
    stdio: ['ignore', 'ignore', log, 'pipe'],
  })
  closeSync(log)
  let said = ''
  const pipe = child.stdio[READY_FD]!
  return new Promise((resolve, reject) => {
    pipe.on('data', (bytes: Buffer) => (said += bytes.toString()))
    child.on('error', reject)
    pipe.on('close', () => {
      child.unref()
      if (said === READY) resolve(0)
      else reject(new CommandError(said === '' ? `vnet boot: it did not start; see ${paths.log}` : said))
    })
  })
}

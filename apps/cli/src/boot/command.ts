import { writeSync } from 'node:fs'
import { CommandError } from '../errors.ts'
import { startDetached, tellParent } from './detached.ts'
import { machinePaths } from './runtime.ts'

/** `vnet boot`: be the machine, or start one in the background and return when it can be used. */
export async function bootCommand(args: {
  machine: string
  detach: boolean
  seed: string
  tell: boolean
}): Promise<number> {
  const paths = machinePaths(args.machine)
  if (!/^\d{1,15}$/.test(args.seed)) throw new CommandError(`vnet boot: --seed=${args.seed} is no number`, 2)
  if (args.detach) {
    await startDetached(['--machine', paths.name, 'boot', '--seed', args.seed, '--tell'], paths.log)
    return 0
  }
  const { runMachine } = await import('./machine-process.ts')
  const tell = args.tell ? tellParent : null
  try {
    const code = await runMachine(paths, {
      seed: Number(args.seed),
      console: tell === null ? printLine : () => {},
      ready: () => tell?.(null),
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

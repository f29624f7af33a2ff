import { usage } from '../errors.ts'
import { machinePaths, uid, type MachinePaths } from '../boot/runtime.ts'
import { requireMachine } from '../boot/running.ts'
import { findProgram } from './find.ts'
import { givesCapabilities, guard, refusePrivileged } from './guard.ts'
import { isolation, SHARED } from './namespace.ts'
import { runInPlace } from './run.ts'
import { shimFile } from './shim-file.ts'

const HELP = `Run a program of this host on the network of a machine (vnet exec [-v] [--no-admin] [--] COMMAND …)

  -v          say what is done
  --no-admin  the program may look, but change nothing
  --shared    leave it in the host's network namespace; what slips past the shim would then see the host's network
`

/** What stood before the command. */
export interface ExecOptions {
  readonly verbose: boolean
  readonly admin: boolean
  readonly isolated: boolean
}

/** `vnet exec`: takes the raw words after it. */
export async function execCommand(words: readonly string[], machine: string): Promise<number> {
  const { options, command } = parse(words)
  if (command === null) {
    process.stdout.write(HELP)
    return 0
  }
  return await execProgram(command, machine, options)
}

function parse(words: readonly string[]): { options: ExecOptions; command: readonly string[] | null } {
  const options = { verbose: false, admin: true, isolated: true }
  for (const [i, word] of words.entries()) {
    if (word === '-v' || word === '--verbose') options.verbose = true
    else if (word === '--no-admin') options.admin = false
    else if (word === '--shared') options.isolated = false
    else if (word === '-h' || word === '--help') return { options, command: null }
    else if (word.startsWith('-') && word !== '--')
      throw usage(`vnet exec: there is no option ${word}; see vnet exec --help`)
    else {
      const command = words.slice(word === '--' ? i + 1 : i)
      if (command.length > 0) return { options, command }
    }
  }
  throw usage('vnet exec: which command? vnet exec -- ip link')
}

/** Runs a program of the host with the shim in it. */
export async function execProgram(
  command: readonly string[],
  machine: string,
  options: ExecOptions,
  more: NodeJS.ProcessEnv = {},
): Promise<number> {
  const paths = machinePaths(machine)
  requireMachine(paths)
  const shim = shimFile(paths.dir)
  const file = findProgram(command[0]!, 'vnet exec')
  const program = guard(file)
  const apart = options.isolated ? isolation(uid(), givesCapabilities(program, uid())) : SHARED
  if (!apart.userNamespace) refusePrivileged(program, uid(), process.getgid?.() ?? -1)
  if (options.verbose) {
    const how =
      apart.prefix.length > 0 ? apart.prefix.slice(0, 2).join(' ') : 'in the host’s network namespace'
    process.stderr.write(`vnet exec: ${file} on machine ${machine}, ${how}, shim ${shim}\n`)
    if (apart.problem !== null) process.stderr.write(`vnet exec: no namespace of its own: ${apart.problem}\n`)
  }
  return await runInPlace([...apart.prefix, ...command], environment(paths, shim, options, more))
}

function environment(
  paths: MachinePaths,
  shim: string,
  { admin }: ExecOptions,
  more: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const { VNET_CAPS: _, ...env } = process.env
  const before = env['LD_PRELOAD']
    ?.split(/[\s:]+/)
    .filter((file) => !file.endsWith('/vnet-shim.so') && file !== '')
  return {
    ...env,
    LD_PRELOAD: [shim, ...(before ?? [])].join(':'),
    VNET_SOCKET: paths.socket,
    VNET_MACHINE: paths.name,
    ...(admin ? {} : { VNET_CAPS: 'none' }),
    ...more,
  }
}

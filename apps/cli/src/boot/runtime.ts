import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, usage } from '../errors.ts'

/** The machine that is meant when nobody says a name. */
export const DEFAULT_MACHINE = 'default'

/** What a Unix socket's path may have, its end mark included. */
const SUN_PATH = 108

/** Where one machine keeps its things. */
export interface MachinePaths {
  readonly name: string
  readonly dir: string
  readonly socket: string
  readonly pid: string
  readonly log: string
}

/** The user this process runs as; -1 where there are no numbers for that. */
export function uid(): number {
  return process.getuid?.() ?? -1
}

/** The folder of this user's machines: made when it is missing. @throws CommandError when it is not ours alone */
export function runtimeDir(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_RUNTIME_DIR']
  const dir = base !== undefined && base.startsWith('/') ? join(base, 'vnet') : join('/tmp', `vnet-${uid()}`)
  try {
    mkdirSync(dir, { mode: 0o700 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new CommandError(`vnet: cannot make ${dir}: ${message}`)
  }
  refuseForeign(dir)
  return dir
}

/** A folder somebody else could change would let him stand in for the machine. */
function refuseForeign(dir: string): void {
  const {
    mode,
    uid: owner,
    isDirectory,
  } = ((s) => ({ mode: s.mode, uid: s.uid, isDirectory: s.isDirectory() }))(lstatSync(dir))
  if (!isDirectory) throw new CommandError(`vnet: ${dir} is no folder; remove it, or set XDG_RUNTIME_DIR`)
  if (owner !== uid())
    throw new CommandError(`vnet: ${dir} belongs to user ${owner}, not to you; set XDG_RUNTIME_DIR`)
  if ((mode & 0o077) !== 0) chmodSync(dir, 0o700)
}

/** Checks the name of a machine. @throws CommandError */
export function checkName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(name))
    throw usage(`vnet: "${name}" is no name for a machine: letters, digits, _ . - and at most 32 of them`)
  return name
}

/** The files of a machine. @throws CommandError when a socket could not have that path */
export function machinePaths(name: string, env: NodeJS.ProcessEnv = process.env): MachinePaths {
  const dir = runtimeDir(env)
  const file = (end: string): string => join(dir, `${checkName(name)}.${end}`)
  const socket = file('sock')
  if (Buffer.byteLength(socket) >= SUN_PATH)
    throw new CommandError(`vnet: ${socket} is too long for a socket; set XDG_RUNTIME_DIR to a shorter path`)
  return { name, dir, socket, pid: file('pid'), log: file('log') }
}

import { spawnSync } from 'node:child_process'
import { realpathSync, statSync } from 'node:fs'
import { CommandError } from '../errors.ts'
import { ELF_MACHINE, readExecutable } from './elf.ts'
import { findProgram } from './find.ts'

const WHO = 'vnet exec'
/** As many interpreters as the host's kernel follows. */
const MAX_SCRIPTS = 4
const NOT_RUNNABLE = 126

/** How the program will be started, as far as it decides whether the shim gets into it. */
export interface Surroundings {
  readonly uid: number
  readonly gid: number
  /** In a user namespace of its own where nobody gains privileges by running a file. */
  readonly userNamespace: boolean
}

/**
 * Makes sure that a program will be run with the shim in it: without, it would speak to the host's kernel.
 *
 * @throws CommandError that says why it would not
 */
export function guard(file: string, around: Surroundings): void {
  const path = lastInterpreter(realpathSync(file))
  const head = readExecutable(path)
  if (head.kind !== 'elf') refuse(path, 'it is no program', 'Exec format error')
  if (head.bits === 32 || head.machine !== ELF_MACHINE[process.arch])
    refuse(path, `it is made for another processor than ${process.arch}`)
  if (!head.dynamic)
    refuse(
      path,
      'it is linked statically',
      'it would talk to the host; take a dynamically linked build of it',
    )
  if (!around.userNamespace) refusePrivileged(path, around)
}

function refuse(path: string, why: string, more = 'it would talk to the host'): never {
  throw new CommandError(
    `${WHO}: ${path}: ${why}, so it cannot be given the machine's network: ${more}`,
    NOT_RUNNABLE,
  )
}

/** The program that a script is run by, and that program's if it is a script too. */
function lastInterpreter(file: string): string {
  let path = file
  for (let depth = 0; depth <= MAX_SCRIPTS; depth++) {
    const head = readExecutable(path)
    if (head.kind !== 'script') return path
    path = realpathSync(interpreterOf(path, head.interpreter, head.argument))
  }
  refuse(file, 'its interpreter is a script of a script', 'Exec format error')
}

/** `env` looks its program up; the word after options and settings is it. */
function interpreterOf(script: string, interpreter: string, argument: string): string {
  if (!/(^|\/)env$/.test(interpreter)) return findProgram(interpreter, `${WHO}: ${script}`)
  const word = argument.split(/\s+/).find((part) => !part.startsWith('-') && !part.includes('='))
  return findProgram(word ?? interpreter, `${WHO}: ${script}`)
}

/** The loader ignores a preload where running the file changes who one is. */
function refusePrivileged(path: string, { uid, gid }: Surroundings): void {
  const { mode, uid: owner, gid: group } = statSync(path)
  const setuid = (mode & 0o4000) !== 0 && owner !== uid
  const setgid = (mode & 0o2010) === 0o2010 && group !== gid
  if (setuid || setgid) refuse(path, `it is set${setuid ? 'u' : 'g'}id`)
  if (uid !== 0 && hasCapabilities(path)) refuse(path, 'it has file capabilities')
}

function hasCapabilities(path: string): boolean {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
  const { status, stdout } = spawnSync('getcap', [path], { env, encoding: 'utf8' })
  return status === 0 && stdout.trim() !== ''
}

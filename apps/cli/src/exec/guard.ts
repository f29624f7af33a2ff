import { spawnSync } from 'node:child_process'
import { realpathSync, statSync } from 'node:fs'
import { CommandError } from '../errors.ts'
import { ELF_MACHINE, readExecutable } from './elf.ts'
import { findProgram } from './find.ts'

const WHO = 'vnet exec'
/** As many interpreters as the host's kernel follows. */
const MAX_SCRIPTS = 4
const NOT_RUNNABLE = 126

/**
 * Makes sure that the shim can get into a program: without, it would speak to the host's kernel.
 *
 * @returns the program that will run: the file, or the interpreter of a script
 * @throws CommandError that says why it cannot
 */
export function guard(file: string): string {
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
  return path
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

/**
 * Refuses what makes its user somebody else, or gives him capabilities: the loader then leaves the shim out.
 *
 * @throws CommandError
 */
export function refusePrivileged(path: string, uid: number, gid: number): void {
  const { mode, uid: owner, gid: group } = statSync(path)
  const setuid = (mode & 0o4000) !== 0 && owner !== uid
  const setgid = (mode & 0o2010) === 0o2010 && group !== gid
  if (setuid || setgid) refuse(path, `it is set${setuid ? 'u' : 'g'}id`)
  if (givesCapabilities(path, uid)) refuse(path, 'it has file capabilities')
}

/** True if the file gives this user capabilities that he has not, as Debian's `ping` does. */
export function givesCapabilities(path: string, uid: number): boolean {
  if (uid === 0) return false
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
  const { status, stdout } = spawnSync('getcap', [path], { env, encoding: 'utf8' })
  return status === 0 && stdout.trim() !== ''
}

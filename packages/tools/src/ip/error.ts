import { Errno, strerror } from '@vnet/kernel'
import { IpError } from '@vnet/netdev'
import { NlFailure, NlGarbage } from '../nl/failure.ts'
import type { Process, Syscalls } from '../proc/process.ts'

/** The command line ended too early. @kernel none */
export function incomplete(): IpError {
  return new IpError(255, 'Command line is not complete. Try option "help"')
}

/** A word that is no value for what it is given for. @kernel none */
export function wrongArgument(word: string, why: string): IpError {
  return new IpError(255, `Error: argument "${word}" is wrong: ${why}\n`)
}

/** The same thing said twice. @kernel none */
export function duplicate(key: string, word: string): IpError {
  return new IpError(255, `Error: duplicate "${key}": "${word}" is the second value.`)
}

/** A device that is not there, for a command that would change something. @kernel none */
export function noDevice(name: string): IpError {
  return new IpError(1, `Cannot find device "${name}"`)
}

/** Runs a tool of iproute2: a refusal of the kernel or of its own is said, and becomes the exit code. @kernel none */
export function* answering(process: Process, run: (process: Process) => Syscalls<number>): Syscalls<number> {
  try {
    return yield* run(process)
  } catch (error) {
    const failure = failureText(error)
    if (failure === null) throw error
    process.stderr(failure.stderr)
    return failure.exitCode
  }
}

function failureText(error: unknown): { stderr: string; exitCode: number } | null {
  if (error instanceof IpError) return { stderr: `${error.message}\n`, exitCode: error.exitCode }
  if (error instanceof NlFailure) return { stderr: refusal(error), exitCode: 2 }
  if (error instanceof NlGarbage) return { stderr: `${error.message}\n`, exitCode: 1 }
  if (error instanceof Errno) {
    return { stderr: `Cannot talk to rtnetlink: ${error.message}\n`, exitCode: 1 }
  }
  return null
}

function refusal({ extack, errno }: NlFailure): string {
  if (extack === undefined) return `RTNETLINK answers: ${strerror(errno)}\n`
  return `Error: ${extack}${/[.?!]$/.test(extack) ? '' : '.'}\n`
}

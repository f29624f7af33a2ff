import type { Kernel } from '@vnet/kernel'
import { findCommand, takeFlags } from './commands.ts'
import type { CommandName } from './commands.ts'
import { Cli } from './context.ts'
import * as get from './gets.ts'
import * as ioctl from './ioctls.ts'
import { CliExit } from './line.ts'
import * as rxfh from './rxfh.ts'
import * as set from './sets.ts'
import * as settings from './settings.ts'

/** What a program printed and how it ended. */
export interface EthtoolOutput {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** Who runs the tool. */
export interface RunEthtoolOptions {
  /** False: an ordinary user, who may look but not change. Default true. */
  readonly capNetAdmin?: boolean
}

/** A function is called as its command is. */
const COMMANDS: Readonly<Record<CommandName, (cli: Cli) => number>> = {
  ...get,
  ...ioctl,
  ...rxfh,
  ...set,
  ...settings,
}

/**
 * Answers a command line of ethtool(8) 6.1: the same text, the same complaints, the same exit code.
 *
 * `argv` is what stands behind the program's name: `['-g', 'vnet0']`. Process context; `-p` lets time pass.
 *
 * @kernel none
 * @rule ETH-16
 */
export function runEthtool(
  kernel: Kernel,
  argv: readonly string[],
  options: RunEthtoolOptions = {},
): EthtoolOutput {
  const cli = new Cli(kernel, options.capNetAdmin ?? true)
  const exitCode = answer(cli, [...argv])
  return { stdout: cli.stdout, stderr: cli.stderr, exitCode }
}

function answer(cli: Cli, words: string[]): number {
  try {
    takeFlags(cli, words)
    return COMMANDS[findCommand(cli, words)](cli)
  } catch (error) {
    if (error instanceof CliExit) return error.exitCode
    throw error
  }
}

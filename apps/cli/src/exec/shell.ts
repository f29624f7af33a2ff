import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { machinePaths, uid } from '../boot/runtime.ts'
import { requireMachine } from '../boot/running.ts'
import { execProgram } from './command.ts'
import { findProgram } from './find.ts'
import { givesCapabilities } from './guard.ts'
import { shimFile } from './shim-file.ts'

/** Commands about the kernel: the host's own would be about the host. */
const OURS = ['insmod', 'rmmod', 'lsmod', 'modinfo', 'dmesg', 'poweroff', 'vnet']
/** Commands of ours that stand in where the host has none. */
const STAND_INS = ['ip', 'ethtool', 'tc', 'ping', 'arping', 'tcpdump']

/** `vnet shell`: the user's shell on the machine's network. */
export async function shellCommand(words: readonly string[], machine: string): Promise<number> {
  const paths = machinePaths(machine)
  requireMachine(paths)
  // Where the shim can be loaded from, commands can be run from.
  const front = frontFolder(dirname(dirname(shimFile(paths.dir))), machine)
  const shell = process.env['SHELL'] ?? '/bin/sh'
  const prompt = `(vnet${machine === 'default' ? '' : ` ${machine}`}) `
  const command = words.length > 0 ? [shell, ...words] : [shell, ...promptArgs(shell, front, prompt)]
  return await execProgram(
    command,
    machine,
    { verbose: false, admin: true, isolated: true },
    {
      PATH: [front, process.env['PATH'] ?? ''].join(delimiter),
      PS1: `${prompt}${process.env['PS1'] ?? '\\$ '}`,
    },
  )
}

/** A folder of tiny commands to stand first in PATH. */
function frontFolder(base: string, machine: string): string {
  const front = join(base, `bin-${machine}`)
  mkdirSync(front, { recursive: true, mode: 0o700 })
  const command = (name: string, words: string): void =>
    write(join(front, name), wrapper(words, machine), 0o700)
  for (const name of OURS) command(name, name === 'vnet' ? '' : name)
  for (const name of STAND_INS) {
    const file = onHost(name)
    if (file === null) command(name, name)
    // The shell has to run it as `vnet exec` would.
    else if (givesCapabilities(file, uid())) command(name, `exec -- ${quote(file)}`)
    else rmSync(join(front, name), { force: true })
  }
  return front
}

function onHost(name: string): string | null {
  try {
    return findProgram(name, '')
  } catch {
    return null
  }
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** The vnet command itself runs without the shim. */
function wrapper(command: string, machine: string): string {
  const vnet = [process.execPath, process.argv[1]!, '--machine', machine].map(quote).join(' ')
  return `#!/bin/sh\nunset LD_PRELOAD\nexec ${vnet} ${command} "$@"\n`
}

/** bash sets its prompt in its start-up file, so it gets one that says it afterwards. */
function promptArgs(shell: string, front: string, prompt: string): string[] {
  if (basename(shell) !== 'bash') return []
  const rc = join(front, '.bashrc')
  const user = existsSync(join(process.env['HOME'] ?? '', '.bashrc')) ? '. ~/.bashrc\n' : ''
  write(rc, `${user}PATH=${quote(front)}:$PATH\nPS1=${quote(prompt)}"$PS1"\n`, 0o600)
  return ['--rcfile', rc, '-i']
}

function write(file: string, text: string, mode: number): void {
  writeFileSync(file, text, { mode })
  chmodSync(file, mode)
}

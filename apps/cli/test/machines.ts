import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cli, Ended, RunOptions } from './run.ts'

/** The user everybody else is. */
export const NOBODY = 65534
export const isRoot = process.getuid?.() === 0

/** True when the host has a program; a test that needs it says so in its title and is skipped. */
export function hostHas(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

/** Prints why tests are left out. */
export function skipUnless(reason: string, present: boolean): boolean {
  if (!present) process.stderr.write(`skipped: ${reason}\n`)
  return !present
}

/** Machines in a runtime folder of their own, all ended by `remove()`. */
export class Machines {
  readonly cli: Cli
  readonly runtime = mkdtempSync(join(tmpdir(), 'vnet-run-'))
  readonly uid: number | undefined

  constructor(cli: Cli, uid?: number) {
    this.cli = cli
    this.uid = uid
    chmodSync(this.runtime, 0o700)
    if (uid !== undefined) chownSync(this.runtime, uid, uid)
  }

  get env(): NodeJS.ProcessEnv {
    return {
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      XDG_RUNTIME_DIR: this.runtime,
      SHELL: '/bin/sh',
    }
  }

  get folder(): string {
    return join(this.runtime, 'vnet')
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  vnet(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const env = { ...this.env, ...options.env }
    return this.cli.run(args, { ...options, env, ...(this.uid === undefined ? {} : { uid: this.uid }) })
  }

  /** Runs a program of the host on a machine. */
  exec(...command: string[]): Promise<Ended> {
    return this.vnet(['exec', '--', ...command])
  }

  /** A command that goes on while the test does something. */
  start(args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [this.cli.file, ...args], { env: this.env })
  }

  pid(name = 'default'): number {
    return Number(readFileSync(this.file(`${name}.pid`), 'utf8').split(' ')[0])
  }

  async remove(): Promise<void> {
    const { stdout } = await this.vnet(['machines', '--json'])
    for (const { name } of JSON.parse(stdout || '[]') as { name: string }[])
      await this.vnet(['--machine', name, 'poweroff'])
    // The shim's folder may not be written to, which keeps nobody but root from emptying it.
    const folder = this.folder
    const found = existsSync(folder) ? readdirSync(folder) : []
    for (const name of found) if (name.startsWith('shim-')) chmodSync(join(folder, name), 0o700)
    rmSync(this.runtime, { recursive: true, force: true })
  }
}

/** Waits until something holds, ten seconds at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500 && !(await holds()); i++) await sleep(20)
  if (!(await holds())) throw new Error('it did not come to hold')
}

/** Reads a program's output until it holds a text. */
export function said(child: ChildProcessWithoutNullStreams, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = ''
    child.stdout.on('data', (bytes: Buffer) => {
      heard += bytes.toString()
      if (heard.includes(text)) resolve()
    })
    child.on('close', () => reject(new Error(`it ended without saying ${text}: ${heard}`)))
  })
}

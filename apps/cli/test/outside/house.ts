import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cli } from '../run.ts'

/** What a command printed, and how it ended. */
export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Why namespaces cannot be made here, or undefined. */
export function noNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  const name = `vnetprobe${process.pid}`
  const made = spawnSync('ip', ['netns', 'add', name])
  spawnSync('ip', ['netns', 'del', name])
  return made.status === 0 ? undefined : 'no network namespaces (iproute2, CAP_SYS_ADMIN)'
}

/** Namespaces, machines and programs of one test; `remove()` takes all of it away. */
export class House {
  readonly cli: Cli
  readonly folder = mkdtempSync(join(tmpdir(), 'vnet-out-'))
  readonly #namespaces: string[] = []
  readonly #children: ChildProcess[] = []

  constructor(cli: Cli) {
    this.cli = cli
  }

  /** A namespace with a loopback, of a name nobody else has. */
  async namespace(end: string): Promise<string> {
    const name = `vnet${process.pid}${end}`
    await this.host('ip', 'netns', 'add', name)
    this.#namespaces.push(name)
    await this.host('ip', '-n', name, 'link', 'set', 'lo', 'up')
    return name
  }

  /** Runs a program of the host; `namespace` says where. */
  host(program: string, ...words: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      execFile(program, words, { encoding: 'utf8', timeout: 100_000 }, (error, stdout, stderr) => {
        resolve({
          stdout,
          stderr,
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        })
      })
    })
  }

  inside(namespace: string, ...command: string[]): Promise<Ended> {
    return this.host('ip', 'netns', 'exec', namespace, ...command)
  }

  /** A program of the host that goes on until the end of the test. */
  start(namespace: string | null, ...command: string[]): ChildProcess {
    const words = namespace === null ? command : ['ip', 'netns', 'exec', namespace, ...command]
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.push(child)
    return child
  }

  /** The vnet command, in a namespace or not. */
  vnet(namespace: string | null, ...words: string[]): Promise<Ended> {
    const command = ['env', `XDG_RUNTIME_DIR=${this.folder}`, process.execPath, this.cli.file, ...words]
    return namespace === null
      ? this.host(command[0]!, ...command.slice(1))
      : this.inside(namespace, ...command)
  }

  /** A machine with vnet0 on a cable, an address, up. @throws Error with what was refused */
  async machine(
    namespace: string | null,
    name: string,
    cable: string,
    ...addresses: string[]
  ): Promise<void> {
    const must = async (...words: string[]): Promise<void> => {
      const { code, stderr } = await this.vnet(namespace, '--machine', name, ...words)
      if (code !== 0) throw new Error(`vnet ${words.join(' ')}: ${stderr}`)
    }
    await must('boot', '-d')
    await must('insmod', 'vnet', `backend=${cable}`)
    for (const address of addresses) await must('ip', 'addr', 'add', address, 'dev', 'vnet0')
    await must('ip', 'link', 'set', 'vnet0', 'up')
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    const { stdout } = await this.vnet(null, 'machines', '--json')
    for (const { name } of JSON.parse(stdout === '' ? '[]' : stdout) as { name: string }[])
      await this.vnet(null, '--machine', name, 'poweroff')
    for (const name of this.#namespaces) await this.host('ip', 'netns', 'del', name)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Waits until something holds, twenty seconds at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return
    await sleep(50)
  }
}

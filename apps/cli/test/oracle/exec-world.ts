import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { build } from 'esbuild'
import { Machines } from '../machines.ts'
import { Cli, ROOT } from '../run.ts'
import type { Output } from './records.ts'
import type { World } from './world.ts'

/** Programs of the host that are preloaded; everything else is our own command. */
const REAL = ['ip', 'ethtool', 'tc', 'ping', 'tcpdump']
const PATH = /\/lib\/modules\/(p\d)\/vnet_main\.ko/

/** A machine in a process of its own, on the real clock, with the host's unmodified tools. */
export class ExecWorld implements World {
  readonly #cli = new Cli()
  readonly #machines = new Machines(this.#cli)
  readonly #children: ChildProcess[] = []

  async boot(): Promise<void> {
    await this.#cli.build()
    mkdirSync(join(this.#cli.dir, 'modules'))
    for (const [phase, name] of [
      ['p6', 'vnetMain6'],
      ['p7', 'vnetMain7'],
    ]) {
      await build({
        stdin: {
          contents: `export { ${name} as default } from '@vnet/example-vnet-main'`,
          resolveDir: join(ROOT, 'apps/cli'),
        },
        outfile: this.#module(phase!),
        bundle: true,
        platform: 'node',
        format: 'esm',
        conditions: ['@vnet/source'],
        alias: { '@vnet/example-vnet-main': join(ROOT, 'examples/vnet-main/src/vnet-main.ts') },
        // Linked against the machine that loads it.
        external: ['@vnet/*'],
      })
    }
    const booted = await this.#machines.vnet(['boot', '-d'])
    if (booted.code !== 0) throw new Error(booted.stderr)
  }

  #module(phase: string): string {
    return join(this.#cli.dir, 'modules', `${phase}-vnet_main.mjs`)
  }

  async run(argv: readonly string[], stdin?: string): Promise<Output> {
    const words = argv.map((word) => word.replace(PATH, (_all, phase: string) => this.#module(phase)))
    const real = REAL.includes(words[0]!)
    const options = stdin === undefined ? {} : { input: stdin }
    const { stdout, stderr, code } = await this.#machines.vnet(
      real ? ['exec', '--', ...words] : words,
      options,
    )
    const back = (text: string): string =>
      text.replace(/\S*\/modules\/(p\d)-vnet_main\.mjs/g, '/lib/modules/$1/vnet_main.ko')
    return { stdout: back(stdout), stderr: back(stderr), exitCode: code ?? -1 }
  }

  async sleep(seconds: number): Promise<void> {
    await pause(seconds * 1000)
  }

  background(argv: readonly string[]): { done(): boolean; end(): Promise<Output> } {
    const child = this.#machines.start(['exec', '--', ...argv])
    this.#children.push(child)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
    return {
      done: () => child.exitCode !== null,
      end: async () => {
        if (child.exitCode === null) child.kill('SIGINT')
        return { exitCode: (await closed) ?? 0, stdout, stderr }
      },
    }
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await this.#machines.remove()
    this.#cli.remove()
  }
}

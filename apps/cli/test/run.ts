import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
export const CAPTURE = join(ROOT, 'fixtures', 'office.pcap')

/** What a command printed, and how it ended. */
export interface Ended {
  stdout: string
  stderr: string
  code: number | null
}

/** Bundles the command as `npm start` does, and gives a way to run it. */
export class Cli {
  readonly dir = mkdtempSync(join(tmpdir(), 'vnet-cli-'))
  // The demo looks for the capture three folders above the bundle.
  private readonly file = join(this.dir, 'apps', 'cli', 'dist', 'vnet.mjs')

  async build(): Promise<void> {
    await build({
      entryPoints: [join(ROOT, 'apps/cli/src/main.ts')],
      outfile: this.file,
      bundle: true,
      platform: 'node',
      target: 'node20.19',
      format: 'esm',
      conditions: ['@vnet/source'],
      logLevel: 'silent',
    })
  }

  /** Runs the command to its end; `signal` is sent as soon as `when` was printed. */
  run(
    args: readonly string[],
    interrupt?: { when: string; signal: NodeJS.Signals; on?: 'stderr' },
  ): Promise<Ended> {
    const child = spawn(process.execPath, [this.file, ...args], {
      env: { PATH: process.env['PATH'], NO_COLOR: '' },
    })
    const ended: Ended = { stdout: '', stderr: '', code: null }
    let sent = false
    const heard = (stream: 'stdout' | 'stderr', text: string): void => {
      ended[stream] += text
      if (interrupt === undefined || sent || stream !== (interrupt.on ?? 'stdout')) return
      if (!ended[stream].includes(interrupt.when)) return
      sent = true
      child.kill(interrupt.signal)
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => heard('stdout', text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => heard('stderr', text))
    return new Promise((resolve) => child.on('close', (code) => resolve({ ...ended, code })))
  }

  remove(): void {
    rmSync(this.dir, { recursive: true })
  }
}

export const capture = (): Buffer => readFileSync(CAPTURE)

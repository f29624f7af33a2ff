import { spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
export const CAPTURE = join(ROOT, 'fixtures', 'office.pcap')

/** What a command printed, and how it ended. */
export interface Ended {
  stdout: string
  stderr: string
  code: number | null
}

/** The repository's own script; it has no types. */
const { bundleCli } = (await import(join(ROOT, 'scripts/lib/build.mjs') as string)) as {
  bundleCli(outdir: string): Promise<void>
}

/** How a command is run. */
export interface RunOptions {
  /** `signal` is sent as soon as `when` was printed. */
  readonly interrupt?: { readonly when: string; readonly signal: NodeJS.Signals; readonly on?: 'stderr' }
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  /** Runs as this user; needs root. */
  readonly uid?: number
}

/** Bundles the command as `npm start` does, and gives a way to run it. */
export class Cli {
  readonly dir = mkdtempSync(join(tmpdir(), 'vnet-cli-'))
  // The demo looks for the capture three folders above the bundle.
  readonly file = join(this.dir, 'apps', 'cli', 'dist', 'vnet.mjs')

  async build(): Promise<void> {
    chmodSync(this.dir, 0o755)
    await bundleCli(dirname(this.file))
    // koffi stays outside of bundles; a copy, since another user may not be let into this checkout.
    const beside = dirname(realpathSync(join(ROOT, 'apps/cli/node_modules/koffi')))
    cpSync(beside, join(this.dir, 'apps/cli/node_modules'), { recursive: true, dereference: true })
  }

  /** Runs the command to its end. */
  run(
    args: readonly string[],
    options: RunOptions | NonNullable<RunOptions['interrupt']> = {},
  ): Promise<Ended> {
    const { interrupt, env, input, uid }: RunOptions = 'when' in options ? { interrupt: options } : options
    const child = spawn(process.execPath, [this.file, ...args], {
      env: { PATH: process.env['PATH'], NO_COLOR: '', ...env },
      ...(uid === undefined ? {} : { uid, gid: uid, cwd: '/' }),
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
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
    child.stdout.setEncoding('utf8').on('data', (text: string) => heard('stdout', text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => heard('stderr', text))
    return new Promise((resolve) => child.on('close', (code) => resolve({ ...ended, code })))
  }

  remove(): void {
    rmSync(this.dir, { recursive: true })
  }
}

export const capture = (): Buffer => readFileSync(CAPTURE)

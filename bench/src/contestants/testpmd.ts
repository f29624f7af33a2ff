import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { now, type RoundContestant } from '../real/round.ts'

const WINDOW_MS = 40
const PROMPT = 'testpmd> '

/** DPDK's own forwarder between two cards that are not there, each of which copies a frame in and out. */
export async function testpmd([length, burst]: readonly string[]): Promise<RoundContestant> {
  // Where DPDK leaves files.
  const folder = mkdtempSync(join(tmpdir(), 'vnet-dpdk-'))
  const card = `size=${length!},copy=1`
  const eal = ['--no-huge', '-m', '128', '--no-pci', '--no-telemetry', '--no-shconf', '--log-level', 'error']
  const cards = ['--vdev', `net_null0,${card}`, '--vdev', `net_null1,${card}`]
  // The first waits for commands, the second forwards.
  const cores = ['--lcores', `0@0,1@${availableParallelism() - 1}`]
  const own = ['-i', `--burst=${burst!}`, '--total-num-mbufs=4096']
  // What it prints would stay in a buffer until it ends.
  const child = spawn('stdbuf', ['-oL', 'dpdk-testpmd', ...eal, ...cards, ...cores, '--', ...own], {
    env: { ...process.env, RUNTIME_DIRECTORY: folder },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let [text, heard] = ['', (): void => {}]
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString()
    heard()
  })
  const gone = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`dpdk-testpmd ended (${code}):\n${text}`)))
  })
  gone.catch(() => {})

  const answer = async (): Promise<string> => {
    while (!text.endsWith(PROMPT)) await Promise.race([new Promise<void>((done) => (heard = done)), gone])
    const said = text
    text = ''
    return said
  }
  const tell = async (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`)
    return await answer()
  }
  /** Frames that came from either card so far, and when that was. */
  const count = async (): Promise<{ frames: number; at: number }> => {
    const shown = await tell('show port stats all')
    const received = [...shown.matchAll(/RX-packets: (\d+)/g)].map(([, n]) => Number(n))
    return { frames: received.reduce((sum, n) => sum + n, 0), at: now() }
  }

  const round = async (): Promise<number> => {
    await tell('start')
    const from = await count()
    await sleep(WINDOW_MS)
    const to = await count()
    await tell('stop')
    if (to.frames <= from.frames) throw new Error('dpdk-testpmd forwarded nothing')
    return (to.at - from.at) / (to.frames - from.frames)
  }
  const close = (): void => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await answer()
  } catch (error) {
    close()
    throw error
  }
  return { round, close }
}

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FaultOptions } from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import { devGetStats } from '@vnet/netdev'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Lab } from '../../src/lab/lab.ts'
import { ip, labProblem, LabNamespaces } from '../../src/lab/namespaces.ts'

const run = promisify(execFile)
const problem = labProblem()
const has = (tool: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const missing = problem ?? ['curl', 'python3', 'ping'].find((tool) => !has(tool))
const lacking = (tool: string): string | undefined => problem ?? (has(tool) ? undefined : `no ${tool}`)

const MEGABYTES = 100
const [A, B] = [`vnetlab${process.pid}-a`, `vnetlab${process.pid}-b`]

describe('the lab: two namespaces, two drivers, a cable', () => {
  let folder: string
  let kernel: Kernel
  let lab: Lab
  let spaces: LabNamespaces
  const children: ChildProcess[] = []

  function start(faults?: FaultOptions): void {
    spaces.make([A, B])
    kernel = createKernel({ clock: 'real', strict: false })
    kernel.hold()
    lab = new Lab(kernel, { namespaces: [A, B], ...(faults !== undefined && { faults }) })
    for (const [i, name] of [A, B].entries()) {
      ip('-n', name, 'addr', 'add', `10.78.0.${i + 1}/24`, 'dev', 'vnet0')
      ip('-n', name, 'addr', 'add', `fd78::${i + 1}/64`, 'dev', 'vnet0', 'nodad')
      ip('-n', name, 'link', 'set', 'vnet0', 'up')
    }
  }

  const inside = (name: string, ...words: string[]): Promise<{ stdout: string }> =>
    run('ip', ['netns', 'exec', name, ...words], { timeout: 100_000 })

  async function serve(name: string, ...words: string[]): Promise<void> {
    children.push(spawn('ip', ['netns', 'exec', name, ...words], { cwd: folder, stdio: 'ignore' }))
    await new Promise((resolve) => setTimeout(resolve, 700))
  }

  /** 100 MB over HTTP, compared byte for byte. */
  async function download(): Promise<void> {
    const bytes = Buffer.alloc(MEGABYTES << 20)
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i)
    const sum = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(folder, 'big'), bytes)
    await serve(B, 'python3', '-m', 'http.server', '8080')
    await inside(A, 'curl', '-sf', '--max-time', '90', '-o', join(folder, 'got'), 'http://10.78.0.2:8080/big')
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, 'got')))
        .digest('hex'),
    ).toBe(sum)
  }

  /** What one device sent is what the other received, or what the cable says it lost. */
  function expectAllAccountedFor(): void {
    const [a, b] = lab.sides.map(({ dev }) => devGetStats(dev)) as [
      ReturnType<typeof devGetStats>,
      ReturnType<typeof devGetStats>,
    ]
    const { dropped, made } = lab.faults?.counters ?? { dropped: 0, made: 0 }
    const sent = a.txPackets + b.txPackets
    const received = a.rxPackets + b.rxPackets + a.rxMissedErrors + b.rxMissedErrors
    expect(Number(sent) + made - dropped).toBe(Number(received))
    expect(lab.sides.map(({ stack }) => stack.dropped)).toEqual([0, 0])
  }

  /** The cable is empty and nobody sends. */
  async function quiet(): Promise<void> {
    for (const name of [A, B]) ip('-n', name, 'link', 'set', 'vnet0', 'down')
    await new Promise((resolve) => setTimeout(resolve, 300))
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vnet-lab-'))
    spaces = new LabNamespaces(join(folder, 'namespaces.json'))
  })

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    if (problem === null) {
      lab?.close()
      kernel?.release()
      const left = (): unknown[] => kernel.census.take().filter(({ kind }) => kind !== 'memory')
      for (let i = 0; i < 100 && left().length > 0; i++)
        await new Promise((resolve) => setTimeout(resolve, 20))
      expect(left()).toEqual([])
      expect(kernel.violations).toEqual([])
      kernel.shutdown()
      expect(spaces.remove()).toEqual([A, B])
    }
    rmSync(folder, { recursive: true, force: true })
  })

  it.skipIf(missing != null)(
    `ping, IPv6 too, and curl of ${MEGABYTES} MB cross it whole`,
    async () => {
      start()
      const v4 = await inside(A, 'ping', '-q', '-f', '-c', '1000', '10.78.0.2')
      expect(v4.stdout).toContain('1000 packets transmitted, 1000 received, 0% packet loss')
      const v6 = await inside(B, 'ping', '-q', '-c', '10', '-i', '0.01', 'fd78::1')
      expect(v6.stdout).toContain('10 packets transmitted, 10 received, 0% packet loss')
      await download()
      await quiet()
      expectAllAccountedFor()
    },
    120_000,
  )

  it.skipIf(missing != null)(
    'with loss, reordering and duplication TCP finishes, and each frame is accounted for',
    async () => {
      start({ drop: 0.01, reorder: 0.01, duplicate: 0.01, seed: 7 })
      await download()
      await quiet()
      expect(lab.faults!.counters.dropped).toBeGreaterThan(100)
      expectAllAccountedFor()
    },
    120_000,
  )

  it.skipIf(missing != null)(
    'a card that is stuck for 6 s is reset by the watchdog, and TCP goes on',
    async () => {
      start()
      const { dev, card } = lab.sides[1]!
      // In the middle of the transfer.
      const watch = setInterval(() => {
        if (devGetStats(dev).txBytes < 10_000_000n) return
        clearInterval(watch)
        card.hang({ forNs: 6e9, curedByReset: true })
      }, 5)
      await download()
      expect(dev.txq[0]!.txTimeouts).toBeGreaterThan(0)
    },
    120_000,
  )

  it.skipIf(lacking('iperf3') != null)(
    'iperf3 TCP and UDP',
    async () => {
      start()
      for (const words of [[], ['-u', '-b', '100M'], ['-R']]) {
        await serve(B, 'iperf3', '-s', '-1')
        const { stdout } = await inside(A, 'iperf3', '-c', '10.78.0.2', '-t', '1', '-J', ...words)
        const { end } = JSON.parse(stdout) as {
          end: Record<string, { bits_per_second: number; lost_percent?: number }>
        }
        const sum = end['sum_received'] ?? end['sum']!
        expect(sum.bits_per_second).toBeGreaterThan(10e6)
      }
    },
    60_000,
  )

  it('tells why it cannot be made', ({ skip }) => {
    if (missing != null) skip(missing)
    start()
    expect(() => new LabNamespaces(join(folder, 'other.json')).make([A])).toThrow(
      `there is a namespace ${A} already`,
    )
  })
})

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { streamClient } from '../src/client.ts'
import { streamServer } from '../src/server.ts'
import { unixDgram } from '../src/unix-dgram.ts'
import { send, StubCard, until } from '../../../test/lib/stub-card.ts'

const QEMU = 'qemu-system-x86_64'

/** Why there is no QEMU to talk to, printed; false when there is. */
function noQemu(): string | false {
  const { stdout } = spawnSync(QEMU, ['-machine', 'none', '-netdev', 'help'], { encoding: 'utf8' })
  // Null when there is no such program, whatever the types say.
  const listed: string | null = stdout
  const missing = ['stream', 'dgram', 'user', 'hubport'].filter((kind) => !(listed ?? '').includes(kind))
  if (missing.length === 0) return false
  const reason = `no ${QEMU} with netdevs ${missing.join(', ')}`
  console.warn(`skipped, QEMU: ${reason}`)
  return reason
}

/** An ARP request for the router QEMU's user network plays, 10.0.2.2. */
const WHO_HAS = Uint8Array.of(
  ...[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6],
  ...[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 15],
  ...[0, 0, 0, 0, 0, 0, 10, 0, 2, 2, ...new Uint8Array(18)],
)

describe.skipIf(noQemu())('QEMU', () => {
  let kernel: Kernel
  let folder: string
  const open: { close(): void }[] = []

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
    folder = mkdtempSync(join(tmpdir(), 'vnet-qemu-'))
  })

  afterEach(() => {
    for (const one of open.splice(0)) one.close()
    rmSync(folder, { recursive: true })
    kernel.shutdown()
  })

  /** Starts a QEMU whose user network is behind a netdev. */
  function qemu(netdev: string): void {
    const hub = (id: string, to: string): string[] => ['-netdev', `hubport,id=${id},hubid=0,netdev=${to}`]
    const child = spawn(
      QEMU,
      [
        ...['-machine', 'none', '-nodefaults', '-display', 'none'],
        ...['-netdev', `${netdev},id=n0`, ...hub('h0', 'n0')],
        ...['-netdev', 'user,id=n1,ipv6=off', ...hub('h1', 'n1')],
      ],
      { stdio: 'ignore' },
    )
    open.push({ close: () => child.kill('SIGKILL') })
  }

  /** Asks until answered, then many times without a loss. */
  async function converse(backend: Backend & { close(): void }): Promise<void> {
    open.push(backend)
    const card = new StubCard()
    backend.attach(card)
    await until(() => {
      if (backend.linkUp && card.frames.length === 0) send(backend, WHO_HAS)
      return card.frames.length > 0
    }, 'a first answer')
    await new Promise((resolve) => setTimeout(resolve, 20))
    card.frames.length = 0
    for (let n = 1; n <= 100; n++) {
      send(backend, WHO_HAS)
      await until(() => card.frames.length >= n, `answer ${n}`)
    }
    const answer = card.frames[0]!
    expect([...answer.subarray(0, 6)]).toEqual([2, 0, 0, 0, 0, 1])
    expect([...answer.subarray(12, 14), ...answer.subarray(28, 32)]).toEqual([8, 6, 10, 0, 2, 2])
  }

  it('is answered and answers as client of a Unix stream', async () => {
    const path = join(folder, 's')
    const server = streamServer(kernel, { path })
    await server.ready
    qemu(`stream,server=off,addr.type=unix,addr.path=${path}`)
    await converse(server)
    expect(server.stats).toMatchObject({ connects: 1, badLength: 0 })
  })

  it('is answered and answers as server of a TCP stream', async () => {
    const probe = streamServer(kernel, { port: 0 })
    await probe.ready
    const port = probe.listenPort
    probe.close()
    qemu(`stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`)
    const client = streamClient(kernel, { port }, { reconnectMs: 20 })
    await converse(client)
    expect(client.stats.badLength).toBe(0)
  })

  it('is answered and answers over Unix datagrams', async () => {
    const [ours, theirs] = [join(folder, 'a'), join(folder, 'b')]
    const cable = unixDgram(kernel, { local: ours, remote: theirs })
    qemu(`dgram,local.type=unix,local.path=${theirs},remote.type=unix,remote.path=${ours}`)
    await converse(cable)
    expect(cable.stats).toMatchObject({ txErrors: 0, rxErrors: 0 })
  })
})

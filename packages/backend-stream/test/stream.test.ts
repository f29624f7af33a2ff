import { mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_FRAME_BYTES } from '../src/frame-codec.ts'
import { streamClient } from '../src/client.ts'
import { streamServer } from '../src/server.ts'
import type { StreamBackend } from '../src/stream-backend.ts'
import { numbered, send, StubCard, until } from '../../../test/lib/stub-card.ts'

describe('a stream cable', () => {
  let kernel: Kernel
  let folder: string
  const open: { close(): void }[] = []

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
    folder = mkdtempSync(join(tmpdir(), 'vnet-stream-'))
  })

  afterEach(() => {
    for (const one of open.splice(0)) one.close()
    rmSync(folder, { recursive: true })
    expect(kernel.mem.allocated).toBe(0)
    kernel.shutdown()
  })

  const keep = <T extends { close(): void }>(one: T): T => {
    open.push(one)
    return one
  }
  const path = (): string => join(folder, 's')

  /** Server and client, each with a card, connected. */
  async function both(
    options = {},
  ): Promise<{ a: StreamBackend; b: StreamBackend; ca: StubCard; cb: StubCard }> {
    const [ca, cb] = [new StubCard(), new StubCard()]
    const a = keep(streamServer(kernel, { path: path() }, options))
    a.attach(ca)
    await a.ready
    const b = keep(streamClient(kernel, { path: path() }, { reconnectMs: 5, ...options }))
    b.attach(cb)
    await until(() => a.linkUp && b.linkUp, 'both ends')
    return { a, b, ca, cb }
  }

  /** A server, and a bare socket to it that may send what it likes. */
  async function bare(): Promise<{ server: StreamBackend; card: StubCard; socket: Socket }> {
    const server = keep(streamServer(kernel, { port: 0 }))
    const card = new StubCard()
    server.attach(card)
    await server.ready
    const socket = connect(server.listenPort, '127.0.0.1')
    socket.on('error', () => {})
    keep({ close: () => socket.destroy() })
    await until(() => server.linkUp, 'connected')
    return { server, card, socket }
  }

  it('carries frames of all lengths both ways, in order', async () => {
    const { a, b, ca, cb } = await both()
    const lengths = [0, 4, 14, 60, 61, 1514, 9014, 65_535, MAX_FRAME_BYTES]
    for (const length of lengths) {
      expect(send(a, length < 4 ? new Uint8Array(length) : numbered(length, length))).toBe(true)
      send(b, length < 4 ? new Uint8Array(length) : numbered(length + 1, length))
    }
    a.flush()
    b.flush()
    await until(() => ca.frames.length === lengths.length && cb.frames.length === lengths.length, 'all')
    expect(cb.frames.map((f) => f.length)).toEqual(lengths)
    expect(cb.frames[5]).toEqual(numbered(1514, 1514))
    expect(ca.frames[5]).toEqual(numbered(1515, 1514))
    for (const end of [a, b]) expect(accounts(end).problems).toEqual([])
  })

  it('sends without flush() too', async () => {
    const { a, cb } = await both()
    send(a, numbered(1))
    await until(() => cb.frames.length === 1, 'the frame')
    expect(cb.frames).toEqual([numbered(1)])
  })

  it('refuses when too much is on its way, and loses nothing', async () => {
    const { a, ca, cb } = await both({ batches: 2 })
    const total = 2000
    let next = 0
    let refusals = 0
    const pump = (): void => {
      while (next < total && send(a, numbered(next, 1514))) next++
      if (next < total) refusals++
      a.flush()
    }
    ca.onWritable = pump
    pump()
    expect(refusals).toBe(1)
    await until(() => cb.frames.length === total, 'all frames')
    expect(refusals).toBeGreaterThan(1)
    expect(ca.writables).toBe(refusals)
    cb.frames.forEach((frame, seq) => expect(new DataView(frame.buffer).getUint32(0)).toBe(seq))
    expect(accounts(a).problems).toEqual([])
  })

  it('comes back when the server does', async () => {
    const first = await both()
    first.a.close()
    await until(() => !first.b.linkUp, 'the link goes')
    send(first.b, numbered(1))
    expect(first.b.counters.dropped).toBe(1)
    const again = keep(streamServer(kernel, { path: path() }))
    again.attach(first.ca)
    await until(() => first.b.linkUp && again.linkUp, 'the link comes back')
    expect(first.cb.links).toEqual([true, false, true])
    send(first.b, numbered(2))
    await until(() => first.ca.frames.length === 1, 'a frame')
    expect(first.b.stats.connects).toBe(2)
  })

  it('waits for the next peer when one went, and sends away a second one', async () => {
    const { server, card, socket } = await bare()
    const port = (server as ReturnType<typeof streamServer>).listenPort
    const second = connect(port, '127.0.0.1')
    second.on('error', () => {})
    await new Promise((resolve) => second.once('close', resolve))
    expect(server.stats.turnedAway).toBe(1)
    expect(server.linkUp).toBe(true)
    socket.destroy()
    await until(() => !server.linkUp, 'the link goes')
    const third = connect(port, '127.0.0.1')
    await until(() => server.linkUp, 'the next one')
    third.destroy()
    expect(card.links.slice(0, 3)).toEqual([true, false, true])
  })

  it('counts a frame whose peer died in the middle of it', async () => {
    const { server, card, socket } = await bare()
    socket.end(Uint8Array.of(0, 0, 0, 60, 1, 2, 3))
    await until(() => !server.linkUp, 'the link goes')
    expect(server.stats.truncated).toBe(1)
    expect(card.frames).toEqual([])
  })

  it.each([
    ['2^31', [0x80, 0, 0, 0]],
    ['2^32 - 1', [255, 255, 255, 255]],
    ['an HTTP request', [...new TextEncoder().encode('GET / HTTP/1.1\r\n')]],
  ])('ends a connection whose length is %s, and takes the next', async (_, bytes) => {
    const { server, card, socket } = await bare()
    socket.write(Uint8Array.of(0, 0, 0, 2, 8, 9, ...bytes, 0, 0, 0, 1, 7))
    await until(() => server.stats.badLength === 1, 'it is noticed')
    expect(server.linkUp).toBe(false)
    expect(card.frames).toEqual([Uint8Array.of(8, 9)])
    const next = connect((server as ReturnType<typeof streamServer>).listenPort, '127.0.0.1')
    next.write(Uint8Array.of(0, 0, 0, 1, 5))
    await until(() => card.frames.length === 2, 'the next one is served')
    next.destroy()
  })

  it('lets a peer that floods have no more than its turn', async () => {
    const { server, card, socket } = await bare()
    card.takes = false
    const frame = Uint8Array.of(0, 0, 0, 60, ...numbered(1))
    const many = new Uint8Array(frame.length * 20_000)
    for (let i = 0; i < 20_000; i++) many.set(frame, i * frame.length)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    socket.write(many)
    await until(() => server.counters.rxMissed === 20_000, 'all were offered')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
    expect(accounts(server).problems).toEqual([])
  })

  it('drops what no peer takes', async () => {
    const { a } = await both()
    expect(send(a, new Uint8Array(MAX_FRAME_BYTES + 1))).toBe(true)
    expect(a.stats.txOversize).toBe(1)
    expect(a.counters.dropped).toBe(1)
  })

  it('takes over the socket of a server that is gone, and not of one that lives', async () => {
    const stale = createServer().listen(path())
    await new Promise((resolve) => stale.once('listening', resolve))
    const refused = keep(streamServer(kernel, { path: path() }))
    await expect(refused.ready).rejects.toMatchObject({ code: 'EADDRINUSE', message: /is taken by another/ })
    refused.close()
    // A file nobody listens at: what a killed server leaves.
    await new Promise((resolve) => stale.close(resolve))
    expect(existsSync(path())).toBe(false)
    const leftover = await abandonedSocket(join(folder, 'left'))
    const server = keep(streamServer(kernel, { path: leftover }))
    await server.ready
  })

  it('says what to do when it cannot listen', async () => {
    const server = keep(streamServer(kernel, { path: join(folder, 'no/such/folder') }))
    await expect(server.ready).rejects.toMatchObject({ code: 'ENOENT', message: /make it/ })
    writeFileSync(path(), '')
    const onFile = keep(streamServer(kernel, { path: path() }))
    await expect(onFile.ready).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(existsSync(path())).toBe(true)
  })

  it('refuses options that make no sense', () => {
    expect(() => streamServer(kernel, { path: 'x'.repeat(104) })).toThrow(/1 to 103 bytes/)
    expect(() => streamClient(kernel, { port: 65_536 })).toThrow(/port is 65536/)
    expect(() => streamClient(kernel, { port: 1 }, { batches: 1 })).toThrow(/batches is 1/)
    expect(() => streamClient(kernel, { port: 1 }, { reconnectMs: -1 })).toThrow(/reconnectMs is -1/)
  })

  it('tries once when told to', async () => {
    const client = keep(streamClient(kernel, { path: path() }, { reconnectMs: 0 }))
    await until(() => client.stats.connectErrors === 1, 'the attempt')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(client.stats.connectErrors).toBe(1)
  })
})

/** A socket file whose server was killed. */
async function abandonedSocket(path: string): Promise<string> {
  const { spawn } = await import('node:child_process')
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawn(process.execPath, ['-e', program])
  await new Promise((resolve) => child.once('exit', resolve))
  return path
}

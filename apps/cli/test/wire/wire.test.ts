import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose, nullBackend, type Backend, type BackendPort } from '@vnet/backend'
import { FRAME_HEADER_BYTES, FrameDecoder, MAX_FRAME_BYTES, putFrame } from '@vnet/backend-stream'
import { createKernel, dmesg, type Kernel } from '@vnet/kernel'
import { FrameTap } from '@vnet/machine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveWire } from '../../src/wire/server.ts'
import { until } from '../machines.ts'

/** A program at the other end of the wire. */
class Reader {
  readonly socket: Socket
  readonly frames: number[] = []
  readonly lengths: number[] = []
  closed = false
  readonly #decoder = new FrameDecoder(new Uint8Array(4 * MAX_FRAME_BYTES), 0, 4 * MAX_FRAME_BYTES)

  constructor(path: string) {
    this.socket = connect(path)
    this.socket.on('error', () => {})
    this.socket.on('close', () => (this.closed = true))
    this.socket.on('data', (piece: Uint8Array) => {
      this.#decoder.push(piece, 0, piece.length)
      this.#decoder.take(Infinity, (mem, offset, length) => {
        this.frames.push(mem[offset]!)
        this.lengths.push(length)
      })
    })
  }

  write(...frames: Uint8Array[]): void {
    for (const frame of frames) {
      const bytes = new Uint8Array(frame.length + FRAME_HEADER_BYTES)
      putFrame(bytes, 0, frame, 0, frame.length)
      this.socket.write(bytes)
    }
  }
}

describe('the wire of a device', () => {
  let folder: string
  let path: string
  let kernel: Kernel
  let tap: FrameTap
  let cable: Backend
  let unserve: () => void
  const readers: Reader[] = []
  const got: number[][] = []
  const card: BackendPort = {
    receive: (mem, offset, length) => got.push([...mem.subarray(offset, offset + length)]) > 0,
    linkChange: () => {},
    writable: () => {},
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vnet-wire-'))
    path = join(folder, 'm-vnet0.wire')
    kernel = createKernel({ clock: 'real' })
    tap = new FrameTap(kernel)
    cable = compose(nullBackend(), tap.middleware)
    cable.attach(card)
    unserve = serveWire(path, 'vnet0', tap)
    got.length = 0
  })

  afterEach(() => {
    for (const { socket } of readers.splice(0)) socket.destroy()
    unserve()
    kernel.shutdown()
    rmSync(folder, { recursive: true })
  })

  async function reader(): Promise<Reader> {
    const before = tap.clients
    const made = new Reader(path)
    readers.push(made)
    await until(() => tap.clients > before)
    return made
  }

  const send = (mark: number, length = 60): boolean =>
    cable.transmit(new Uint8Array(length).fill(mark), 0, length)

  it('every client reads what the card sends, of any length, and only this user may connect', async () => {
    await until(() => existsSync(path))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const [a, b] = [await reader(), await reader()]
    for (const [mark, length] of [
      [1, 1],
      [2, 60],
      [3, 9014],
      [4, 65_536],
    ] as const)
      send(mark, length)
    for (const { frames, lengths } of [a, b]) {
      await until(() => frames.length === 4)
      expect([frames, lengths]).toEqual([
        [1, 2, 3, 4],
        [1, 60, 9014, 65_536],
      ])
    }
  })

  it('offers the card what a client writes, in pieces of any size', async () => {
    const a = await reader()
    const b = await reader()
    a.write(new Uint8Array(60).fill(7), new Uint8Array(0), Uint8Array.of(1, 2, 3))
    await until(() => got.length === 3)
    b.socket.write(Uint8Array.of(0, 0))
    await new Promise((resolve) => setTimeout(resolve, 20))
    b.socket.write(Uint8Array.of(0, 2, 9))
    await new Promise((resolve) => setTimeout(resolve, 20))
    b.socket.write(Uint8Array.of(8))
    await until(() => got.length === 4)
    expect(got.slice(1)).toEqual([[], [1, 2, 3], [9, 8]])
    expect(a.frames).toEqual([])
  })

  it('a client that does not read stops neither the card nor the others; its losses are counted', async () => {
    const stuck = await reader()
    stuck.socket.pause()
    const other = await reader()
    const frames = 4000
    for (let i = 0; i < frames; i++) {
      expect(send(i & 0xff, 1500)).toBe(true)
      if (i % 32 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => other.frames.length === frames)
    expect(tap.lost).toBeGreaterThan(1000)
    stuck.socket.resume()
    await until(() => stuck.frames.length + tap.lost === frames)
    send(99)
    await until(() => stuck.frames.at(-1) === 99)
  }, 30_000)

  it('a length that no frame has ends that client alone, and is logged', async () => {
    const [bad, good] = [await reader(), await reader()]
    bad.write(Uint8Array.of(1))
    bad.socket.write(Uint8Array.of(0, 1, 16, 1))
    await until(() => bad.closed)
    expect(dmesg(kernel)).toContain('vnet0: wire: a client sent a length no frame has; it is closed')
    expect(got).toEqual([[1]])
    send(5)
    await until(() => good.frames.length === 1)
    expect(tap.clients).toBe(1)
  })

  it('the longest frame there is passes', async () => {
    const a = await reader()
    a.write(new Uint8Array(MAX_FRAME_BYTES).fill(3))
    await until(() => got.length === 1)
    expect(got[0]).toHaveLength(MAX_FRAME_BYTES)
  })

  it('clients come and go; the memory of those that left is free', async () => {
    for (let i = 0; i < 5; i++) {
      ;(await reader()).socket.destroy()
      await until(() => tap.clients === 0)
    }
    expect(kernel.mem.allocated).toBe(0)
    const half = await reader()
    half.write(Uint8Array.of(4))
    half.socket.end()
    await until(() => half.closed)
    expect(got).toEqual([[4]])
  })

  it('ends with the device: clients are closed, the file is gone', async () => {
    const a = await reader()
    unserve()
    await until(() => a.closed)
    expect(existsSync(path)).toBe(false)
    unserve()
  })

  it('takes the place of a socket whose machine was killed, and not that of one that answers', async () => {
    const other = join(folder, 'other.wire')
    const alive = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => alive.listen(other, resolve))
    const end = serveWire(other, 'vnet1', tap)
    await until(() => dmesg(kernel).includes('is taken by another machine'))
    end()
    expect(existsSync(other)).toBe(true)
    alive.close()
    const stale = join(folder, 'stale.wire')
    // A path that nobody listens at: what is no socket either is refused in the same way.
    writeFileSync(stale, '')
    const next = serveWire(stale, 'vnet2', tap)
    await until(() => statSync(stale).isSocket())
    readers.push(new Reader(stale))
    await until(() => tap.clients === 1)
    next()
    expect(existsSync(stale)).toBe(false)
  })

  it('says what to do when the path is too long for a socket', () => {
    const long = join(folder, `${'x'.repeat(120)}.wire`)
    serveWire(long, 'vnet0', tap)()
    expect(dmesg(kernel)).toContain('is too long for a socket: no wire; set XDG_RUNTIME_DIR')
  })
})

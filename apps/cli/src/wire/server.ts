import { readdirSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Errno, prErr, prInfo } from '@vnet/kernel'
import type { FrameTap } from '@vnet/machine'
import { listenPrivately } from '../boot/listen.ts'
import { removeSocket } from '../boot/remove-socket.ts'
import type { MachinePaths } from '../boot/runtime.ts'
import { WireClient } from './client.ts'

/** More readers than anybody has; the next ones are turned away. */
const MAX_CLIENTS = 64
/** What a Unix socket's path may have, its end mark included. */
const SUN_PATH = 108

/** Where the wire of a device is. */
export function wirePath({ dir, name }: Pick<MachinePaths, 'dir' | 'name'>, device: string): string {
  return join(dir, `${name}-${device}.wire`)
}

/**
 * Serves the wire of a device at a Unix socket: each connection carries frames as QEMU's stream netdev has them, with
 * their length in four bytes before them.
 *
 * @returns what ends it
 */
export function serveWire(path: string, device: string, tap: FrameTap): () => void {
  if (Buffer.byteLength(path) >= SUN_PATH) {
    prErr(
      tap.kernel,
      `${device}: ${path} is too long for a socket: no wire; set XDG_RUNTIME_DIR to a shorter path`,
    )
    return () => {}
  }
  const wire = new WireServer(path, device, tap)
  return () => wire.close()
}

class WireServer {
  readonly #path: string
  readonly #device: string
  readonly #tap: FrameTap
  readonly #clients = new Set<WireClient>()
  readonly #server: Server
  #closed = false

  constructor(path: string, device: string, tap: FrameTap) {
    this.#path = path
    this.#device = device
    this.#tap = tap
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.maxConnections = MAX_CLIENTS
    this.#server.on('error', (error: NodeJS.ErrnoException) => this.#failed(error))
    this.#listen()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const ours = this.#server.listening
    this.#server.close()
    for (const client of this.#clients) client.close()
    this.#clients.clear()
    if (ours) removeSocket(this.#path)
  }

  #listen(): void {
    listenPrivately(this.#server, this.#path, () => {})
  }

  /** A machine that was killed has left its socket; one that answers is another's. */
  #failed(error: NodeJS.ErrnoException): void {
    const { kernel } = this.#tap
    if (error.code !== 'EADDRINUSE') {
      prErr(kernel, `${this.#device}: wire: ${error.message}`)
      return
    }
    void someoneAnswers(this.#path).then((answered) => {
      if (this.#closed) return
      if (answered) {
        prErr(kernel, `${this.#device}: wire: ${this.#path} is taken by another machine`)
        return
      }
      removeSocket(this.#path)
      this.#listen()
    })
  }

  #accept(socket: Socket): void {
    const { kernel } = this.#tap
    try {
      const client = new WireClient(socket, this.#tap, () =>
        prErr(kernel, `${this.#device}: wire: a client sent a length no frame has; it is closed`),
      )
      this.#clients.add(client)
      socket.on('close', () => this.#clients.delete(client))
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      prInfo(kernel, `${this.#device}: wire: a client was turned away: ${error.message}`)
      socket.destroy()
    }
  }
}

function someoneAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
}

/** Removes the wires that a machine of this name left when it was killed. */
export async function removeStaleWires({ dir, name }: MachinePaths): Promise<void> {
  for (const file of readdirSync(dir)) {
    if (!file.startsWith(`${name}-`) || !file.endsWith('.wire')) continue
    const path = join(dir, file)
    // It may be that of a machine whose name goes on after the dash, and lives.
    if (!(await someoneAnswers(path))) removeSocket(path)
  }
}

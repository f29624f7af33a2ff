import { existsSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { dirname } from 'node:path'
import { Errno, ERRNO, prErr } from '@vnet/kernel'
import type { ErrnoName, Kernel } from '@vnet/kernel'
import { addressText, checkStream, netAddress } from './options.ts'
import type { StreamAddress, StreamOptions } from './options.ts'
import { StreamBackend } from './stream-backend.ts'

/**
 * A stream cable that waits for a peer, and for the next one when it went. Made by `streamServer()`.
 *
 * @kernel none
 */
export class StreamServer extends StreamBackend {
  /** Fulfilled when it listens. Rejected with an `Errno` that says what to do when it cannot. */
  readonly ready: Promise<void>
  readonly #address: StreamAddress
  readonly #server: Server

  constructor(kernel: Kernel, address: StreamAddress, options: StreamOptions) {
    checkStream(address, options)
    super(kernel, addressText(address), options)
    this.#address = address
    this.#server = createServer((socket) => this.#accept(socket))
    this.ready = this.#listen()
    // Who does not look at it finds it in the log.
    this.ready.catch((error: unknown) => prErr(this.kernel, `${this.name}: ${String(error)}`))
  }

  /** The TCP port it listens on; 0 for a path, and before `ready`. */
  get listenPort(): number {
    const address = this.#server.address() as AddressInfo | string | null
    return address === null || typeof address === 'string' ? 0 : address.port
  }

  protected override shut(): void {
    this.#server.close()
  }

  protected override lost(): void {}

  #accept(socket: Socket): void {
    if (this.linkUp || this.closed) {
      this.stats.turnedAway++
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    this.adopt(socket)
  }

  async #listen(): Promise<void> {
    try {
      await this.#bind()
    } catch (error) {
      if (!('path' in this.#address) || codeOf(error) !== 'EADDRINUSE') throw this.#refusal(error)
      if (!lstatSync(this.#address.path).isSocket() || (await someoneAnswers(this.#address.path))) {
        throw this.#refusal(error)
      }
      // The server before us ended without taking its socket away.
      unlinkSync(this.#address.path)
      await this.#bind()
    }
  }

  #bind(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(netAddress(this.#address), () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => prErr(this.kernel, `${this.name}: ${error.message}`))
        if (this.closed) this.#server.close()
        resolve()
      })
    })
  }

  #refusal(error: unknown): Error {
    const code = this.#folderMissing() ? 'ENOENT' : codeOf(error)
    if (!(code in ERRNO)) return error instanceof Error ? error : new Error(String(error))
    return new Errno(code as ErrnoName, WHAT_TO_DO[code]?.replace('$', addressText(this.#address)))
  }

  /** Node calls that EACCES, as on Windows. */
  #folderMissing(): boolean {
    return 'path' in this.#address && !existsSync(dirname(this.#address.path))
  }
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  EADDRINUSE: '$ is taken by another server, or is no socket: end it, or choose another address',
  EACCES: 'this user may not listen at $: choose a folder of your own, or a port of 1024 or above',
  ENOENT: 'the folder of $ is not there: make it',
  EADDRNOTAVAIL: 'no interface here has the address of $',
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code)
}

/** Says whether a server listens at a path, or only its file is there. */
function someoneAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'))
  })
}

/**
 * Makes a cable that waits for a peer: another vnet, or QEMU with
 * `-netdev stream,id=n0,server=off,addr.type=unix,addr.path=…`. One peer at a time; others are sent away.
 *
 * Listening begins at once; `ready` says when. Call `close()` when done.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel none
 */
export function streamServer(
  kernel: Kernel,
  address: StreamAddress,
  options: StreamOptions = {},
): StreamServer {
  return new StreamServer(kernel, address, options)
}

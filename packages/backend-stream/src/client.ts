import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { prInfo } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { addressText, checkStream, netAddress } from './options.ts'
import type { StreamAddress, StreamClientOptions } from './options.ts'
import { StreamBackend } from './stream-backend.ts'

/**
 * A stream cable that goes to a server, and tries again when it is lost. Made by `streamClient()`.
 *
 * @kernel none
 */
export class StreamClient extends StreamBackend {
  readonly #address: StreamAddress
  readonly #reconnectMs: number
  #attempt: Socket | null
  #timer: ReturnType<typeof setTimeout> | null
  /** The reason told last, so that the same is not told each second. */
  #told: string

  constructor(kernel: Kernel, address: StreamAddress, options: StreamClientOptions) {
    checkStream(address, options)
    super(kernel, addressText(address), options)
    this.#address = address
    this.#reconnectMs = options.reconnectMs ?? 1000
    this.#attempt = null
    this.#timer = null
    this.#told = ''
    this.#connect()
  }

  protected override shut(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#attempt?.destroy()
    this.#attempt = null
  }

  protected override lost(): void {
    this.#told = ''
    this.#again()
  }

  #connect(): void {
    const socket = connect(netAddress(this.#address))
    this.#attempt = socket
    const failed = (error: Error): void => {
      if (this.#attempt !== socket) return
      this.#attempt = null
      this.#failed(error)
    }
    socket.on('error', failed)
    socket.once('connect', () => {
      if (this.#attempt !== socket) return
      this.#attempt = null
      socket.off('error', failed)
      this.#told = ''
      this.adopt(socket)
    })
  }

  #failed(error: Error): void {
    this.stats.connectErrors++
    const reason = error.message
    if (reason !== this.#told) prInfo(this.kernel, `${this.name}: ${reason}${this.#plan()}`)
    this.#told = reason
    this.#again()
  }

  #plan(): string {
    return this.#reconnectMs > 0 ? `; trying again every ${this.#reconnectMs} ms` : ''
  }

  #again(): void {
    if (this.closed || this.#reconnectMs === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#connect()
    }, this.#reconnectMs)
  }
}

/**
 * Makes a cable to a stream server: another vnet, or QEMU with
 * `-netdev stream,id=n0,server=on,addr.type=unix,addr.path=…`.
 *
 * Call `close()` when done.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel none
 */
export function streamClient(
  kernel: Kernel,
  address: StreamAddress,
  options: StreamClientOptions = {},
): StreamClient {
  return new StreamClient(kernel, address, options)
}

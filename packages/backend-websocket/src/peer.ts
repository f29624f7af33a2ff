import { BaseBackend } from '@vnet/backend'
import { prInfo } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import type { WebSocketLike } from './socket.ts'
import { WebSocketStats } from './stats.ts'

/** The longest frame: 64 KiB and its headers. @kernel none */
export const MAX_FRAME_BYTES = 69_632
/** A WebSocket does not say when there is room again: it is asked this often. */
const DRAIN_MS = 4

/**
 * What both ends of a WebSocket cable have.
 *
 * @kernel none
 */
export interface WebSocketOptions {
  /** For logs. Default the address. */
  readonly name?: string
  /** Bytes that may be on their way before the card is refused. Default 1 MiB. */
  readonly maxBuffered?: number
}

/**
 * One end of a WebSocket cable: one binary message is one frame.
 *
 * The link is up while the connection is there; what is sent without one is dropped and counted.
 *
 * @kernel none
 */
export class WebSocketPeer extends BaseBackend {
  readonly stats: WebSocketStats
  /** Called when the connection went. */
  onDisconnect: (() => void) | null
  protected readonly kernel: Kernel
  readonly #maxBuffered: number
  #socket: WebSocketLike | null
  #refused: boolean
  #draining: ReturnType<typeof setTimeout> | null

  constructor(kernel: Kernel, name: string, options: WebSocketOptions) {
    super(options.name ?? name)
    this.stats = new WebSocketStats()
    this.onDisconnect = null
    this.kernel = kernel
    this.#maxBuffered = options.maxBuffered ?? 1 << 20
    this.#socket = null
    this.#refused = false
    this.#draining = null
  }

  override get linkUp(): boolean {
    return this.#socket !== null
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const socket = this.#socket
    if (socket !== null && socket.bufferedAmount > this.#maxBuffered) return this.#refuse()
    this.taken(length)
    if (socket === null || length > MAX_FRAME_BYTES) this.counters.dropped++
    else {
      // A copy: the socket keeps what it cannot send at once, and the card uses its memory again.
      const copy = new Uint8Array(length)
      copy.set(mem.subarray(offset, offset + length))
      socket.send(copy)
      this.counters.downFrames++
    }
    return true
  }

  /** Ends the connection. The card is unplugged first. */
  close(): void {
    this.attach(null)
    this.hangUp()
  }

  /** Takes a connection that is open into use. */
  adopt(socket: WebSocketLike): void {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onmessage = (event: { readonly data: unknown }) => {
      if (this.#socket === socket) this.#message(event.data)
    }
    // The reason is of no use: 'close' follows.
    socket.onerror = () => {}
    socket.onclose = () => {
      if (this.#socket === socket) this.#disconnected()
    }
    this.stats.connects++
    prInfo(this.kernel, `${this.name}: connected`)
    this.kernel.hardware(() => this.port?.linkChange(true))
  }

  /** Ends the connection there is. */
  protected hangUp(): void {
    const socket = this.#socket
    if (socket === null) return
    this.#disconnected()
    socket.close()
  }

  protected override stopped(): void {
    if (this.#draining !== null) clearTimeout(this.#draining)
    this.#draining = null
    this.#refused = false
  }

  #disconnected(): void {
    this.#socket = null
    this.stats.disconnects++
    prInfo(this.kernel, `${this.name}: disconnected`)
    this.kernel.hardware(() => this.port?.linkChange(false))
    this.#wake()
    this.onDisconnect?.()
  }

  #message(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      this.stats.rxText++
      return
    }
    if (data.byteLength > MAX_FRAME_BYTES) {
      this.stats.rxOversize++
      return
    }
    const frame = new Uint8Array(data)
    this.counters.upFrames++
    this.kernel.hostInterrupt(() => this.offer(frame, 0, frame.length))
  }

  // ── room again ──

  #refuse(): boolean {
    this.#refused = true
    this.stats.txFull++
    this.#draining ??= setTimeout(() => this.#look(), DRAIN_MS)
    return false
  }

  #look(): void {
    this.#draining = null
    if (this.#socket !== null && this.#socket.bufferedAmount > this.#maxBuffered / 2) {
      this.#draining = setTimeout(() => this.#look(), DRAIN_MS)
    } else this.#wake()
  }

  #wake(): void {
    if (!this.#refused) return
    this.#refused = false
    this.kernel.hardware(() => this.port?.writable())
  }
}

import type { Socket } from 'node:net'
import { BaseBackend } from '@vnet/backend'
import { prInfo } from '@vnet/kernel'
import type { Kernel, MemoryBlock } from '@vnet/kernel'
import { FrameDecoder, MAX_FRAME_BYTES } from './frame-codec.ts'
import type { StreamOptions } from './options.ts'
import { SendBatches } from './send-batch.ts'
import { StreamStats } from './stats.ts'

const DECODER_BYTES = 4 * MAX_FRAME_BYTES
const KEEPALIVE_MS = 10_000

/**
 * What server and client share: one peer at a time, frames to it in batches, frames from it one by one.
 *
 * The link is up while there is a peer. What a card sends without one is dropped and counted.
 *
 * @kernel none
 */
export abstract class StreamBackend extends BaseBackend {
  readonly stats: StreamStats
  protected readonly kernel: Kernel
  protected closed: boolean
  #socket: Socket | null
  readonly #block: MemoryBlock
  readonly #decoder: FrameDecoder
  readonly #batches: SendBatches
  readonly #budget: number
  #refused: boolean
  #flushing: ReturnType<typeof setImmediate> | null
  #taken: number
  readonly #takeSome = (): void => {
    this.#taken = this.#decoder.take(this.#budget, this.#bring)
  }
  readonly #bring = (mem: Uint8Array, offset: number, length: number): void => {
    this.counters.upFrames++
    this.offer(mem, offset, length)
  }

  constructor(kernel: Kernel, name: string, options: StreamOptions) {
    super(options.name ?? name)
    this.stats = new StreamStats()
    this.kernel = kernel
    this.closed = false
    this.#socket = null
    this.#block = kernel.mem.alloc(DECODER_BYTES, 64)
    this.#decoder = new FrameDecoder(this.#block.region.u8, this.#block.offset, DECODER_BYTES)
    this.#batches = new SendBatches(
      options.batches ?? 8,
      (bytes, written) => this.#write(bytes, written),
      () => this.#drained(),
    )
    this.#budget = options.budget ?? 64
    this.#refused = false
    this.#flushing = null
    this.#taken = 0
  }

  override get linkUp(): boolean {
    return this.#socket !== null
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.#socket === null || length > MAX_FRAME_BYTES) return this.#lose(length)
    if (!this.#batches.accepts(length)) {
      this.#refused = true
      this.stats.txFull++
      return false
    }
    this.taken(length)
    this.counters.held++
    this.#gone(this.#batches.add(mem, offset, length))
    // Who does not say where a burst ends gets it sent when the loop comes round.
    this.#flushing ??= setImmediate(() => this.flush())
    return true
  }

  flush(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    this.#flushing = null
    if (this.#socket !== null) this.#gone(this.#batches.submit())
  }

  /** Ends the connection and everything else. The card is unplugged first. */
  close(): void {
    if (this.closed) return
    this.attach(null)
    this.closed = true
    this.drop()
    this.shut()
    this.kernel.mem.free(this.#block)
  }

  /** Stops listening, or trying. */
  protected abstract shut(): void

  /** The peer went. */
  protected abstract lost(): void

  /** Takes a connection into use. */
  protected adopt(socket: Socket): void {
    this.#socket = socket
    this.#decoder.reset()
    this.stats.connects++
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEPALIVE_MS)
    socket.on('data', (piece) => {
      if (this.#socket === socket) this.#receive(piece)
    })
    // The reason is of no use: 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket === socket) this.#disconnected()
    })
    prInfo(this.kernel, `${this.name}: connected`)
    this.kernel.hardware(() => this.port?.linkChange(true))
  }

  /** Ends the connection there is. */
  protected drop(): void {
    const socket = this.#socket
    if (socket === null) return
    socket.destroy()
    this.#disconnected()
  }

  protected override stopped(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    this.#flushing = null
    this.#refused = false
    this.#discard()
  }

  #disconnected(): void {
    this.#socket = null
    this.stats.disconnects++
    if (this.#decoder.partial > 0) this.stats.truncated++
    this.#decoder.reset()
    this.#discard()
    if (this.closed) return
    prInfo(this.kernel, `${this.name}: disconnected`)
    this.kernel.hardware(() => this.port?.linkChange(false))
    this.#wake()
    this.lost()
  }

  // ── receive ──

  #receive(piece: Uint8Array): void {
    const socket = this.#socket
    for (let from = 0; from < piece.length && this.#socket === socket;) {
      const to = Math.min(piece.length, from + this.#decoder.room)
      this.#decoder.push(piece, from, to)
      from = to
      // A budget at a time: the card's interrupts and softirqs run after each, and empty its ring.
      do {
        this.kernel.hostInterrupt(this.#takeSome)
      } while (this.#taken === this.#budget && this.#socket === socket)
      if (this.#taken < 0 && this.#socket === socket) this.#damaged()
    }
  }

  #damaged(): void {
    this.stats.badLength++
    this.#decoder.reset()
    prInfo(this.kernel, `${this.name}: a length no frame has; the connection is closed`)
    this.drop()
  }

  // ── transmit ──

  #write(bytes: Uint8Array, written: () => void): void {
    this.#socket!.write(bytes, written)
  }

  #drained(): void {
    // What a full pool kept back goes first.
    if (this.#socket !== null && this.#flushing === null) this.#gone(this.#batches.submit())
    this.#wake()
  }

  #wake(): void {
    if (!this.#refused) return
    this.#refused = false
    this.kernel.hardware(() => this.port?.writable())
  }

  #gone(frames: number): void {
    this.counters.held -= frames
    this.counters.downFrames += frames
  }

  #discard(): void {
    const frames = this.#batches.discard()
    this.counters.held -= frames
    this.counters.dropped += frames
  }

  #lose(length: number): boolean {
    this.taken(length)
    this.counters.dropped++
    if (length > MAX_FRAME_BYTES) this.stats.txOversize++
    return true
  }
}

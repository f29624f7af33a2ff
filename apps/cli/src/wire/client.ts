import type { Socket } from 'node:net'
import { FRAME_HEADER_BYTES, FrameDecoder, MAX_FRAME_BYTES, putFrame } from '@vnet/backend-stream'
import type { FrameTap, FrameTapClient } from '@vnet/machine'

/** What is not yet read of a client's bytes. */
const DECODER_BYTES = 2 * (MAX_FRAME_BYTES + FRAME_HEADER_BYTES)
/** Frames offered before the card's interrupts and softirqs run, and empty its ring. */
const BUDGET = 64
/** A client that has so many bytes unread gets no more until it reads; its queue fills. */
const MAX_UNREAD = 256 << 10
/** Frames are written in pieces of about this. */
const PIECE = 64 << 10

/** One client of a card's wire: bytes of its socket to frames for the card, and back. */
export class WireClient {
  readonly #socket: Socket
  readonly #tap: FrameTap
  readonly #frames: FrameTapClient
  readonly #decoder = new FrameDecoder(new Uint8Array(DECODER_BYTES), 0, DECODER_BYTES)
  #sending: ReturnType<typeof setImmediate> | null = null
  #taken = 0
  readonly #offerSome = (): void => {
    this.#taken = this.#decoder.take(BUDGET, this.#offer)
  }
  readonly #offer = (mem: Uint8Array, offset: number, length: number): void => {
    this.#frames.offer(mem, offset, length)
  }

  /** @param damaged - called when it sends what is no frame; it is closed then */
  constructor(socket: Socket, tap: FrameTap, damaged: () => void) {
    this.#socket = socket
    this.#tap = tap
    this.#frames = tap.open(() => this.#sendSoon())
    socket.on('data', (piece: Uint8Array) => {
      if (this.#receive(piece)) return
      damaged()
      this.close()
    })
    socket.on('drain', () => this.#send())
    socket.on('end', () => this.close())
    socket.on('error', () => {})
    socket.on('close', () => this.close())
  }

  close(): void {
    if (this.#sending !== null) clearImmediate(this.#sending)
    this.#sending = null
    this.#frames.close()
    this.#socket.destroy()
  }

  /** @returns false: this is no stream of frames */
  #receive(piece: Uint8Array): boolean {
    for (let from = 0; from < piece.length;) {
      const to = Math.min(piece.length, from + this.#decoder.room)
      this.#decoder.push(piece, from, to)
      from = to
      do this.#tap.kernel.hostInterrupt(this.#offerSome)
      while (this.#taken === BUDGET)
      if (this.#taken < 0) return false
    }
    return true
  }

  /** The card is in the middle of sending: what it sends now goes out together. */
  #sendSoon(): void {
    this.#sending ??= setImmediate(() => this.#send())
  }

  #send(): void {
    this.#sending = null
    const socket = this.#socket
    while (this.#frames.waiting > 0 && socket.writableLength < MAX_UNREAD && !socket.destroyed)
      socket.write(this.#piece())
  }

  #piece(): Uint8Array {
    const bytes = Buffer.allocUnsafe(PIECE + FRAME_HEADER_BYTES + MAX_FRAME_BYTES)
    const written = { end: 0 }
    const put = (mem: Uint8Array, offset: number, length: number): void => {
      written.end += putFrame(bytes, written.end, mem, offset, length)
    }
    do this.#frames.take(put)
    while (written.end < PIECE && this.#frames.waiting > 0)
    return bytes.subarray(0, written.end)
  }
}

import { FrameStore, Wrapper } from '@vnet/backend'
import type { Backend, FrameStoreSize, Middleware } from '@vnet/backend'
import type { Kernel } from '@vnet/kernel'

/** Where a client is brought frames. Valid during the call. */
export type FrameTapSink = (mem: Uint8Array, offset: number, length: number) => void

/** Room for the frames of each client. */
const ROOM: FrameStoreSize = { frames: 256, bytes: 1 << 19 }

/**
 * A place beside a card, as a character device is: clients read copies of the frames the card sends, and offer it frames.
 *
 * It stays while cables change: its {@link middleware} goes around the cable that is plugged in now. Each client has a
 * bounded queue of its own; what does not fit is lost for that client and counted, so none stops the card or the others.
 *
 * @kernel none
 */
export class FrameTap {
  readonly kernel: Kernel
  readonly #size: FrameStoreSize
  readonly #clients: FrameTapClient[] = []
  #layer: TapLayer | null = null
  #lostBefore = 0

  constructor(kernel: Kernel, size: FrameStoreSize = ROOM) {
    this.kernel = kernel
    this.#size = size
  }

  /** Clients there are now. */
  get clients(): number {
    return this.#clients.length
  }

  /** Frames that clients, those gone too, had no room for. */
  get lost(): number {
    return this.#clients.reduce((sum, client) => sum + client.lost, this.#lostBefore)
  }

  /** Goes around the card's cable; around one cable at a time. */
  readonly middleware: Middleware = (lower) =>
    new TapLayer(lower, this.#clients, (layer, on) => {
      if (on) this.#layer = layer
      else if (this.#layer === layer) this.#layer = null
    })

  /**
   * Lets a client in.
   *
   * @param onReadable - called when its queue is no longer empty, in any context: read later, not from there
   * @throws Errno ENOMEM
   */
  open(onReadable: () => void = () => {}): FrameTapClient {
    const client = new FrameTapClient(this.kernel, this.#size, onReadable, {
      offer: (mem, offset, length) => this.#layer?.bring(mem, offset, length) ?? false,
      gone: (lost) => this.#gone(client, lost),
    })
    this.#clients.push(client)
    return client
  }

  /** Sends every client away. */
  close(): void {
    for (const client of [...this.#clients]) client.close()
  }

  #gone(client: FrameTapClient, lost: number): void {
    this.#lostBefore += lost
    this.#clients.splice(this.#clients.indexOf(client), 1)
  }
}

/** What a client needs of its tap. */
interface TapSide {
  offer(mem: Uint8Array, offset: number, length: number): boolean
  gone(lost: number): void
}

/** One reader and writer beside a card; made by `FrameTap.open()`. @kernel none */
export class FrameTapClient {
  /** Frames that there was no room for. */
  lost = 0
  readonly #store: FrameStore
  readonly #onReadable: () => void
  readonly #side: TapSide
  #open = true

  constructor(kernel: Kernel, size: FrameStoreSize, onReadable: () => void, side: TapSide) {
    this.#store = new FrameStore(kernel, size)
    this.#store.open()
    this.#onReadable = onReadable
    this.#side = side
  }

  /** Frames that wait to be read. */
  get waiting(): number {
    return this.#store.count
  }

  /** Reads one frame. @returns its length, or -1 when none waits */
  take(sink: FrameTapSink): number {
    const store = this.#store
    const slot = store.front()
    if (slot < 0) return -1
    const length = store.length(slot)
    sink(store.mem, store.offset(slot), length)
    store.shift()
    return length
  }

  /** Offers the card a frame, from within `kernel.hostInterrupt()`. @returns false: it missed it, or has no cable */
  offer(mem: Uint8Array, offset: number, length: number): boolean {
    return this.#open && this.#side.offer(mem, offset, length)
  }

  /** Keeps a copy for the client. */
  keep(mem: Uint8Array, offset: number, length: number): void {
    if (!this.#store.push(mem, offset, length)) this.lost++
    else if (this.#store.count === 1) this.#onReadable()
  }

  /** Leaves. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#store.close()
    this.#side.gone(this.lost)
  }
}

class TapLayer extends Wrapper {
  readonly #clients: readonly FrameTapClient[]
  readonly #inUse: (layer: TapLayer, on: boolean) => void

  constructor(
    lower: Backend,
    clients: readonly FrameTapClient[],
    inUse: (layer: TapLayer, on: boolean) => void,
  ) {
    super('tap', lower)
    this.#clients = clients
    this.#inUse = inUse
  }

  protected override opened(): void {
    this.#inUse(this, true)
  }

  protected override closed(): void {
    this.#inUse(this, false)
  }

  override transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (!super.transmit(mem, offset, length)) return false
    const clients = this.#clients
    for (let i = 0; i < clients.length; i++) clients[i]!.keep(mem, offset, length)
    return true
  }

  bring(mem: Uint8Array, offset: number, length: number): boolean {
    this.counters.made++
    return this.offer(mem, offset, length)
  }
}

import { BackendCounters, type Backend, type BackendPort } from '@vnet/backend'

/** A backend that copies every frame out into a buffer of its own, as a write to a file or a socket would. */
export class SinkBackend implements Backend {
  readonly name: string
  readonly counters: BackendCounters
  readonly linkUp: boolean
  /** Frames taken. */
  taken: number
  readonly #out: Uint8Array

  constructor() {
    this.name = 'sink'
    this.counters = new BackendCounters()
    this.linkUp = true
    this.taken = 0
    this.#out = new Uint8Array(2048)
  }

  attach(_port: BackendPort | null): void {}

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const out = this.#out
    if (length <= 64) for (let i = 0; i < length; i++) out[i] = mem[offset + i]!
    else out.set(mem.subarray(offset, offset + length))
    this.taken++
    return true
  }
}

export function sinkBackend(): SinkBackend {
  return new SinkBackend()
}

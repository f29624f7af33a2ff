import { BackendCounters, type Backend, type BackendPort } from '@vnet/backend'
import { FrameCopier, MemoryRegion } from '@vnet/kernel'

/** A backend that copies every frame out into a buffer of its own, as a write to a file or a socket would. */
export class SinkBackend implements Backend {
  readonly name: string
  readonly counters: BackendCounters
  readonly linkUp: boolean
  /** Frames taken. */
  taken: number
  readonly #out: MemoryRegion
  readonly #copier: FrameCopier

  constructor() {
    this.name = 'sink'
    this.counters = new BackendCounters()
    this.linkUp = true
    this.taken = 0
    this.#out = new MemoryRegion(0, new ArrayBuffer(2048))
    this.#copier = new FrameCopier()
  }

  attach(_port: BackendPort | null): void {}

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    // Where the frame lies in its buffer, so that words can be copied; of shared memory words of eight bytes.
    this.#copier.copy(this.#out, offset & 7, mem, offset, length)
    this.taken++
    return true
  }
}

export function sinkBackend(): SinkBackend {
  return new SinkBackend()
}

/** Of each byte, the remainder of the CRC-32 of Ethernet. */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320
  return crc
})

/** A cable that puts the frame check sequence behind each frame: some work for a card. */
export class FcsBackend extends SinkBackend {
  /** Of the last frame. */
  fcs: number

  constructor() {
    super()
    this.fcs = 0
  }

  override transmit(mem: Uint8Array, offset: number, length: number): boolean {
    let crc = -1
    for (let i = offset; i < offset + length; i++) crc = CRC[(crc ^ mem[i]!) & 0xff]! ^ (crc >>> 8)
    this.fcs = ~crc
    return super.transmit(mem, offset, length)
  }
}

import type { Kernel } from '@vnet/kernel'

/** The card's side of the plug; `BackendPort` of `@vnet/backend` has this shape. @kernel none */
export interface CablePort {
  receive(mem: Uint8Array, offset: number, length: number): boolean
  linkChange(up: boolean): void
  writable(): void
}

/**
 * The cable the kit plugs into a card. It has the shape of a `Backend` of `@vnet/backend`.
 *
 * @kernel none
 */
export class TestCable {
  readonly name = 'test-cable'
  /** For those who read a backend's counters; the kit itself does not. */
  readonly counters = {
    txFrames: 0, txBytes: 0, rxFrames: 0, rxBytes: 0, rxMissed: 0, dropped: 0, held: 0, upFrames: 0, downFrames: 0, made: 0,
  } // prettier-ignore
  /** Frames the card put on the wire. */
  readonly wire: Uint8Array[] = []
  /** Frames taken and missed, of those injected. */
  taken = 0
  missed = 0
  /** While true the cable takes nothing. */
  full = false
  /** Called for each frame on the wire, before it is kept. */
  onFrame: ((frame: Uint8Array) => void) | null = null
  private readonly kernel: Kernel
  private port: CablePort | null = null
  private up = true

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  get linkUp(): boolean {
    return this.up && this.port !== null
  }

  get attached(): boolean {
    return this.port !== null
  }

  attach(port: CablePort | null): void {
    this.port = port
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.full) return false
    const frame = mem.slice(offset, offset + length)
    this.counters.txFrames++
    this.counters.txBytes += length
    this.counters.downFrames++
    this.onFrame?.(frame)
    this.wire.push(frame)
    return true
  }

  /** Puts frames on the wire towards the card, all at one moment; says which were taken. */
  inject(...frames: readonly Uint8Array[]): boolean[] {
    const taken: boolean[] = []
    this.kernel.hardware(() => {
      for (const frame of frames) taken.push(this.injectNow(frame))
    })
    return taken
  }

  /** As {@link TestCable.inject}, for use at a preemption point: no interrupt is delivered before the point is left. */
  injectNow(frame: Uint8Array): boolean {
    const { port } = this
    if (port === null) return false
    const good = port.receive(frame, 0, frame.length)
    this.counters.rxFrames++
    this.counters.upFrames++
    if (good) this.taken++
    else this.missed++
    return good
  }

  /** Cuts or mends the cable. */
  setLink(up: boolean): void {
    if (up === this.up) return
    this.up = up
    this.kernel.hardware(() => this.port?.linkChange(up))
  }

  /** Takes frames again after `full`. */
  unblock(): void {
    this.full = false
    this.kernel.hardware(() => this.port?.writable())
  }
}

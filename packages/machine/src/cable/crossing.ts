import { BaseBackend, DelayLine } from '@vnet/backend'
import type { Backend, BackendPort } from '@vnet/backend'
import type { Kernel } from '@vnet/kernel'

/** Frames and bytes on their way between two kernels, each way; what does not fit is dropped. */
const ROOM = { frames: 256, bytes: 1 << 19 }

/**
 * Brings a card to a cable of another kernel in the same process: a frame waits for an event of the kernel it goes to,
 * so no kernel runs inside another one.
 *
 * @kernel none
 */
export class Crossing extends BaseBackend implements BackendPort {
  readonly lower: Backend
  readonly #kernel: Kernel
  readonly #down: DelayLine
  readonly #up: DelayLine

  /**
   * @param kernel - that of the card
   * @param far - that of `lower`
   */
  constructor(kernel: Kernel, far: Kernel, lower: Backend) {
    super(`${lower.name} crossing`)
    this.lower = lower
    this.#kernel = kernel
    const down = {
      deliver: (mem: Uint8Array, offset: number, length: number) => this.#pass(mem, offset, length),
      sliceDone: () => this.lower.flush?.(),
    }
    const up = {
      deliver: (mem: Uint8Array, offset: number, length: number) => {
        this.offer(mem, offset, length)
        return true
      },
      sliceDone: () => {},
    }
    this.#down = new DelayLine(far, this.name, this.counters, down, ROOM)
    this.#up = new DelayLine(kernel, this.name, this.counters, up, ROOM)
  }

  override get linkUp(): boolean {
    return this.lower.linkUp
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    this.taken(length)
    if (!this.#down.push(mem, offset, length)) this.counters.dropped++
    return true
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.counters.upFrames++
    if (!this.#up.push(mem, offset, length)) this.counters.dropped++
    return true
  }

  linkChange(up: boolean): void {
    this.#kernel.hardware(() => this.port?.linkChange(up))
  }

  writable(): void {
    this.#down.resume()
  }

  protected override started(): void {
    this.#down.open()
    this.#up.open()
    this.lower.attach(this)
  }

  protected override stopped(): void {
    this.lower.attach(null)
    this.#down.close()
    this.#up.close()
  }

  #pass(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.lower.transmit(mem, offset, length)) return false
    this.counters.downFrames++
    return true
  }
}

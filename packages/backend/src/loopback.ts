import type { Kernel } from '@vnet/kernel'
import { BaseBackend } from './base.ts'
import type { Backend } from './contract.ts'
import { DelayLine } from './delay-line.ts'
import type { DelayTarget } from './delay-line.ts'
import type { FrameStoreSize } from './frame-store.ts'

class Loopback extends BaseBackend implements DelayTarget {
  readonly #line: DelayLine
  #refused: boolean

  constructor(kernel: Kernel, size: FrameStoreSize) {
    super('loopback')
    this.#line = new DelayLine(kernel, this.name, this.counters, this, size)
    this.#refused = false
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.port === null || !this.#line.fits(length)) {
      this.counters.dropped++
    } else if (!this.#line.push(mem, offset, length)) {
      this.#refused = true
      return false
    }
    this.taken(length)
    return true
  }

  deliver(mem: Uint8Array, offset: number, length: number): boolean {
    this.offer(mem, offset, length)
    return true
  }

  sliceDone(): void {
    if (!this.#refused || !this.#line.roomy) return
    this.#refused = false
    this.port?.writable()
  }

  protected override started(): void {
    this.#line.open()
  }

  protected override stopped(): void {
    this.#line.close()
    this.#refused = false
  }
}

/**
 * Makes a plug that sends every frame back to the card it came from, from an event right after.
 *
 * When its store is full it refuses, so nothing is lost but frames larger than the store.
 *
 * @kernel none
 */
export function loopback(kernel: Kernel, size: FrameStoreSize = {}): Backend {
  return new Loopback(kernel, size)
}

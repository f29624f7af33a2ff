import { BaseBackend } from './base.ts'
import type { Backend, BackendPort } from './contract.ts'

/**
 * A backend around another one that passes everything through: override `transmit` and `receive` to change that,
 * `opened` and `closed` for what lives only while a card is plugged in.
 *
 * It is its lower backend's port, so plugging, link changes and back-pressure pass by themselves.
 *
 * @kernel none
 * @rule SKB-07
 */
export class Wrapper extends BaseBackend implements BackendPort {
  readonly lower: Backend

  constructor(name: string, lower: Backend) {
    super(name)
    this.lower = lower
  }

  override get linkUp(): boolean {
    return this.lower.linkUp
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.pass(mem, offset, length)) return false
    this.taken(length)
    return true
  }

  flush(): void {
    this.lower.flush?.()
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.counters.upFrames++
    return this.offer(mem, offset, length)
  }

  linkChange(up: boolean): void {
    this.port?.linkChange(up)
  }

  writable(): void {
    this.port?.writable()
  }

  /** Hands a frame to the lower backend and counts it if it was taken. */
  protected pass(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.lower.transmit(mem, offset, length)) return false
    this.counters.downFrames++
    return true
  }

  /** A card is being plugged in: take what is needed while it is. */
  protected opened(): void {}

  /** The card is gone, the lower backend knows it: drop what is held, cancel what is pending, give back what was taken. */
  protected closed(): void {}

  protected override started(): void {
    try {
      this.opened()
      this.lower.attach(this)
    } catch (error) {
      this.closed()
      throw error
    }
  }

  protected override stopped(): void {
    this.lower.attach(null)
    this.closed()
  }
}

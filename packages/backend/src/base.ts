import { Errno } from '@vnet/kernel'
import type { Backend, BackendPort } from './contract.ts'
import { BackendCounters } from './counters.ts'

/**
 * The part all backends share: the plug, the counters, offering a frame to the card.
 *
 * Extend it for a backend of your own: give `transmit`, and `started`/`stopped` for what runs only while a card is
 * plugged in. A backend that extends `Wrapper` instead also has a lower one.
 *
 * @kernel none
 */
export abstract class BaseBackend implements Backend {
  readonly name: string
  readonly counters: BackendCounters
  /** The card, or null while unplugged. */
  protected port: BackendPort | null

  constructor(name: string) {
    this.name = name
    this.counters = new BackendCounters()
    this.port = null
  }

  get linkUp(): boolean {
    return true
  }

  attach(port: BackendPort | null): void {
    if (port === null) {
      if (this.port === null) return
      this.port = null
      this.stopped()
      return
    }
    if (this.port !== null) throw new Errno('EBUSY', `${this.name}: a card is plugged in already`)
    this.port = port
    try {
      this.started()
    } catch (error) {
      this.port = null
      throw error
    }
  }

  abstract transmit(mem: Uint8Array, offset: number, length: number): boolean

  /** A card was plugged in. Do not call it from here. */
  protected started(): void {}

  /** The card is gone: drop what is held, cancel what is pending. */
  protected stopped(): void {}

  /** Offers a frame to the card and counts it. A frame for nobody is dropped. */
  protected offer(mem: Uint8Array, offset: number, length: number): boolean {
    const { port, counters } = this
    if (port === null) {
      counters.dropped++
      return false
    }
    counters.rxFrames++
    counters.rxBytes += length
    if (port.receive(mem, offset, length)) return true
    counters.rxMissed++
    return false
  }

  /** Counts a frame taken from the card. */
  protected taken(length: number): void {
    this.counters.txFrames++
    this.counters.txBytes += length
  }
}

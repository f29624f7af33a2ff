import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { BaseBackend } from './base.ts'
import type { Backend, BackendPort } from './contract.ts'

/**
 * The socket in a card's bracket: cables are plugged in and pulled out while the card runs.
 *
 * Empty, or with its cable cut, the link is down, and a frame sent is taken and dropped.
 *
 * @kernel none
 * @rule LINK-07
 */
export class Jack extends BaseBackend implements BackendPort {
  readonly #kernel: Kernel
  #cable: Backend | null = null
  #cut = false
  /** What the card was told last. */
  #told = false
  /** The card waits for `writable`. */
  #refused = false

  constructor(kernel: Kernel, name = 'jack', cable: Backend | null = null) {
    super(name)
    this.#kernel = kernel
    this.#cable = cable
  }

  /** What is plugged in, or null. */
  get plugged(): Backend | null {
    return this.#cable
  }

  /** True while the cable is cut. */
  get isCut(): boolean {
    return this.#cut
  }

  override get linkUp(): boolean {
    return this.#cable !== null && !this.#cut && this.#cable.linkUp
  }

  /** Plugs a cable in; it is whole. @throws Errno EBUSY when there is one, and what its `attach` refuses */
  plug(cable: Backend): void {
    if (this.#cable !== null)
      throw new Errno('EBUSY', `${this.name}: ${this.#cable.name} is plugged in already`)
    if (this.port !== null) cable.attach(this)
    this.#cable = cable
    this.#cut = false
    this.#announce()
  }

  /** Pulls the cable out: what it held is dropped. @returns what was plugged in, or null */
  unplug(): Backend | null {
    const cable = this.#cable
    if (cable === null) return null
    this.#cable = null
    if (this.port !== null) cable.attach(null)
    this.#announce()
    this.#release()
    return cable
  }

  /** Cuts the cable, or mends it. */
  setCut(cut: boolean): void {
    this.#cut = cut
    this.#announce()
    if (cut) this.#release()
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const cable = this.#cable
    if (cable === null || this.#cut) {
      this.taken(length)
      this.counters.dropped++
      return true
    }
    if (!cable.transmit(mem, offset, length)) {
      this.#refused = true
      return false
    }
    this.taken(length)
    this.counters.downFrames++
    return true
  }

  flush(): void {
    this.#cable?.flush?.()
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.counters.upFrames++
    if (!this.#cut) return this.offer(mem, offset, length)
    this.counters.dropped++
    return true
  }

  linkChange(): void {
    this.#tell()
  }

  writable(): void {
    this.#refused = false
    this.port?.writable()
  }

  protected override started(): void {
    this.#cable?.attach(this)
    this.#told = this.linkUp
  }

  protected override stopped(): void {
    this.#cable?.attach(null)
    this.#told = false
    this.#refused = false
  }

  /** Tells the card of the link, from where no hardware event runs. */
  #announce(): void {
    if (this.port !== null) this.#kernel.hardware(() => this.#tell())
  }

  #tell(): void {
    const up = this.linkUp
    if (up === this.#told) return
    this.#told = up
    this.port?.linkChange(up)
  }

  /** What the card still holds for a cable that is gone is asked for again, and dropped. */
  #release(): void {
    if (!this.#refused) return
    this.#refused = false
    this.#kernel.hardware(() => this.port?.writable())
  }
}

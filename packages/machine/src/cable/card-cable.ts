import { compose, faultInjector, layers, parseFaults } from '@vnet/backend'
import type { Backend, Middleware } from '@vnet/backend'
import { Errno, type Kernel, type Ktime } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import type { VnetCard } from '@vnet/vnet'
import type { FrameTap } from './frame-tap.ts'

/** Makes a cable by its name. @throws Errno with a sentence */
export type MakeCable = (spec: string) => Backend

/** Something that is, or was, plugged into a card. */
interface Plugged {
  readonly spec: string
  /** As `parseFaults` takes them; empty: none. */
  readonly faults: string
  /** What the spec names. */
  readonly cable: Backend
  /** What the card sees: the cable with everything around it. */
  readonly top: Backend
}

/** Whether frames can pass. `down`: also with nothing plugged in. */
export type CableState = 'up' | 'down' | 'cut'

/** Frames a cable carried, seen from the card. */
export interface CableCounts {
  readonly tx: number
  readonly rx: number
  /** Lost in the cable or its faults. */
  readonly dropped: number
  /** Offered to the card and not taken. */
  readonly missed: number
}

/**
 * What is plugged into one card, and how that changes while it runs.
 *
 * @kernel none
 */
export class CardCable {
  /** The place for clients beside the card; null where nobody serves it. */
  readonly tap: FrameTap | null
  readonly #kernel: Kernel
  readonly #make: MakeCable
  #card: VnetCard | null = null
  #dev: NetDevice<any> | null = null
  #plugged: Plugged | null = null
  #cut = false

  constructor(kernel: Kernel, make: MakeCable, tap: FrameTap | null) {
    this.#kernel = kernel
    this.#make = make
    this.tap = tap
  }

  /** The device's name now; empty before `bind()`. */
  get name(): string {
    return this.#dev?.name ?? ''
  }

  get dev(): NetDevice<any> | null {
    return this.#dev
  }

  /** What is plugged in; null: nothing. */
  get spec(): string | null {
    return this.#plugged?.spec ?? null
  }

  get faults(): string {
    return this.#plugged?.faults ?? ''
  }

  get state(): CableState {
    if (this.#cut) return 'cut'
    return this.#plugged !== null && this.#plugged.top.linkUp ? 'up' : 'down'
  }

  /** True while the card is hung. */
  get hung(): boolean {
    return this.#card?.hung ?? false
  }

  get counts(): CableCounts {
    if (this.#plugged === null) return { tx: 0, rx: 0, dropped: 0, missed: 0 }
    const { top } = this.#plugged
    const dropped = layers(top).reduce((sum, { counters }) => sum + counters.dropped, 0)
    const { txFrames, rxFrames, rxMissed } = top.counters
    return { tx: txFrames, rx: rxFrames, dropped, missed: rxMissed }
  }

  /** Makes what a new card is to be given. @throws Errno */
  first(spec: string, faults = ''): Backend {
    this.#plugged = this.#build(spec, faults, null)
    return this.#plugged.top
  }

  /** The card that was given it, and its device. */
  bind(card: VnetCard, dev: NetDevice<any>): void {
    this.#card = card
    this.#dev = dev
  }

  /**
   * Plugs a cable in, in the place of the one there is. When it cannot be made, the old one stays; with the same name
   * the old one is kept and only its faults change.
   *
   * @param faults - as `parseFaults` takes them
   * @throws Errno
   */
  plug(spec: string, faults = ''): void {
    const before = this.#plugged
    const same = before?.spec === spec ? before.cable : null
    const next = this.#build(spec, faults, same)
    try {
      this.#attach(next.top)
    } catch (error) {
      this.#attach(null)
      if (same === null) closeCable(next.cable)
      if (before !== null && !this.#cut) this.#attach(before.top)
      throw error
    }
    this.#plugged = next
    this.#cut = false
    if (before !== null && same === null) closeCable(before.cable)
  }

  /** Pulls the cable out. @throws Errno ENOLINK when there is none */
  unplug(): void {
    const { cable } = this.#need()
    this.#attach(null)
    this.#plugged = null
    this.#cut = false
    closeCable(cable)
  }

  /** Cuts the cable; it stays where it is. @throws Errno ENOLINK */
  cut(): void {
    this.#need()
    if (!this.#cut) this.#attach(null)
    this.#cut = true
  }

  /** Mends it. @throws Errno ENOLINK */
  repair(): void {
    const { top } = this.#need()
    if (this.#cut) this.#attach(top)
    this.#cut = false
  }

  /** Hangs the card, for ever or so long. */
  hang(forNs?: Ktime): void {
    this.#card?.hang(forNs === undefined ? {} : { forNs })
  }

  recover(): void {
    this.#card?.recover()
  }

  /** The card goes: everything is taken out and closed. */
  remove(): void {
    if (this.#card !== null) this.#attach(null)
    if (this.#plugged !== null) closeCable(this.#plugged.cable)
    this.#plugged = null
    this.#card = null
    this.tap?.close()
  }

  #need(): Plugged {
    if (this.#plugged === null) throw new Errno('ENOLINK', `${this.name}: nothing is plugged in`)
    return this.#plugged
  }

  /** Changes what the card sees; what that causes is delivered. */
  #attach(top: Backend | null): void {
    try {
      this.#card?.plugCable(top)
    } finally {
      this.#kernel.hardware(() => {})
    }
  }

  #build(spec: string, faults: string, have: Backend | null): Plugged {
    const around: Middleware[] = faults === '' ? [] : [faultInjector(this.#kernel, parseFaults(faults))]
    if (this.tap !== null) around.push(this.tap.middleware)
    const cable = have ?? this.#make(spec)
    return { spec, faults, cable, top: compose(cable, ...around) }
  }
}

/** Gives back what a cable of the host holds; those of the machine hold nothing. */
function closeCable(cable: Backend): void {
  const { close } = cable as { close?(): void }
  close?.call(cable)
}

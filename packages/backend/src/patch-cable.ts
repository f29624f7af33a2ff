import { Errno } from '@vnet/kernel'
import type { Kernel, Ktime } from '@vnet/kernel'
import { BaseBackend } from './base.ts'
import type { Backend } from './contract.ts'
import { DelayLine } from './delay-line.ts'
import type { DelayTarget } from './delay-line.ts'
import type { FrameStoreSize } from './frame-store.ts'

/**
 * How a patch cable is made.
 *
 * @kernel none
 */
export interface PatchCableOptions {
  /**
   * From one end to the other, in nanoseconds. Default 0: at once when a card sends from a hardware event, as cards do,
   * else at the next event.
   */
  readonly delayNs?: Ktime
  /**
   * Frames on the way in one direction before `transmit` refuses. Without it the cable never refuses, and drops what
   * its store has no room for.
   */
  readonly queueLimit?: number
  /** Room for frames on the way, for each direction. */
  readonly store?: FrameStoreSize
  /** The ends are called `name:a` and `name:b`. Default `cable`. */
  readonly name?: string
}

/**
 * A cable with two ends, each a backend.
 *
 * @kernel none
 */
export interface PatchCable {
  readonly a: Backend
  readonly b: Backend
  /** Cuts it: both links go down, frames on the way are dropped at the end they went to. */
  cut(): void
  /** Mends it. */
  repair(): void
}

class CableEnd extends BaseBackend implements DelayTarget {
  peer: CableEnd | null
  #cut: boolean
  #told: boolean
  readonly #kernel: Kernel
  readonly #delayNs: Ktime
  readonly #refuses: boolean
  /** True while a frame is handed straight to the other end. */
  #handing: boolean
  readonly #inbox: DelayLine
  #peerRefused: boolean

  constructor(kernel: Kernel, name: string, options: PatchCableOptions) {
    super(name)
    const limit = options.queueLimit
    this.peer = null
    this.#cut = false
    this.#told = false
    this.#kernel = kernel
    this.#delayNs = options.delayNs ?? 0
    this.#refuses = limit !== undefined
    this.#handing = false
    const size = limit === undefined ? options.store : { ...options.store, frames: limit }
    this.#inbox = new DelayLine(kernel, name, this.counters, this, size)
    this.#peerRefused = false
  }

  override get linkUp(): boolean {
    return !this.#cut && this.port !== null && this.peer!.port !== null
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.linkUp) {
      this.taken(length)
      this.counters.dropped++
      return true
    }
    const peer = this.peer!
    if (peer.#takesAtOnce()) return this.#handOver(peer, mem, offset, length)
    if (!peer.accept(mem, offset, length)) return false
    this.taken(length)
    this.counters.downFrames++
    return true
  }

  /** Nothing is on its way, and what the frame causes waits for the end of the hardware event: no copy is needed. */
  #takesAtOnce(): boolean {
    return (
      this.#delayNs === 0 &&
      !this.#refuses &&
      this.#kernel.cpu.hwDepth > 0 &&
      this.#inbox.count === 0 &&
      !this.#handing
    )
  }

  /** While it lasts, what the other card sends back waits for an event: this one is not entered again. */
  #handOver(peer: CableEnd, mem: Uint8Array, offset: number, length: number): boolean {
    this.taken(length)
    this.counters.downFrames++
    peer.counters.upFrames++
    this.#handing = true
    try {
      peer.offer(mem, offset, length)
    } finally {
      this.#handing = false
    }
    return true
  }

  /** A frame comes in from the other end. */
  accept(mem: Uint8Array, offset: number, length: number): boolean {
    const inbox = this.#inbox
    if (this.#delayNs > 0) inbox.due[0] = this.#kernel.clock.ktimeGet() + this.#delayNs
    if (!inbox.push(mem, offset, length)) {
      if (this.#refuses && inbox.fits(length)) {
        this.#peerRefused = true
        return false
      }
      this.counters.dropped++
    }
    this.counters.upFrames++
    return true
  }

  deliver(mem: Uint8Array, offset: number, length: number): boolean {
    this.offer(mem, offset, length)
    return true
  }

  sliceDone(): void {
    if (!this.#peerRefused || !this.#inbox.roomy) return
    this.#peerRefused = false
    this.peer!.port?.writable()
  }

  setCut(cut: boolean): void {
    this.#cut = cut
  }

  /** After both ends know of a cut. */
  settle(): void {
    if (this.#cut) this.#inbox.clear()
    this.announce()
  }

  /** Tells the card, if it knows otherwise. */
  announce(): void {
    const up = this.linkUp
    if (up === this.#told) return
    this.#told = up
    this.port?.linkChange(up)
  }

  protected override started(): void {
    this.#inbox.open()
    this.#told = this.linkUp
    this.#kernel.hardware(() => this.peer!.announce())
  }

  protected override stopped(): void {
    this.#told = false
    this.#kernel.hardware(() => {
      this.#inbox.close()
      this.peer!.announce()
    })
  }
}

/**
 * Makes a cable between two cards.
 *
 * The link is up while both ends have a card and the cable is whole; taking a card out takes the other's link down.
 * A frame sent while the link is down is taken and dropped, as on a real cable.
 *
 * @throws Errno EINVAL for a delay or limit that makes no sense
 * @kernel veth_newlink() drivers/net/veth.c
 * @rule LINK-07
 */
export function patchCable(kernel: Kernel, options: PatchCableOptions = {}): PatchCable {
  check('delayNs', options.delayNs, 0)
  check('queueLimit', options.queueLimit, 1)
  const name = options.name ?? 'cable'
  const a = new CableEnd(kernel, `${name}:a`, options)
  const b = new CableEnd(kernel, `${name}:b`, options)
  a.peer = b
  b.peer = a
  const set = (cut: boolean): void =>
    kernel.hardware(() => {
      a.setCut(cut)
      b.setCut(cut)
      a.settle()
      b.settle()
    })
  return { a, b, cut: () => set(true), repair: () => set(false) }
}

function check(what: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isFinite(value) && value >= least)) return
  throw new Errno('EINVAL', `patchCable: ${what} is ${value}, must be ${least} or more`, what)
}

import type { Backend, BackendPort } from '@vnet/backend'
import {
  FrameCopier,
  hwEventCancel,
  hwEventSetup,
  hwEventStart,
  type HwEvent,
  type Kernel,
  type Ktime,
  type MemoryRegion,
} from '@vnet/kernel'
import { ETH_HLEN } from '@vnet/netdev'
import { TxEngine } from './card-tx.ts'
import { CardVector } from './card-vector.ts'
import type { CardRing, Coalesce, HwCounters, RxFilter, VnetHw } from './hw.ts'
import { ALL_ONES, CAUSE_LINK } from './regs.ts'
import { FilterTable, isGroupAddress } from './rx-filter.ts'
import { steer } from './steer.ts'

/** What {@link createCard} needs to know. */
export interface CardOptions {
  /** Names the card in timers and interrupts. @defaultValue 'vnet-card' */
  name?: string
  /** Six bytes. @defaultValue 02:00:00:00:00:01 */
  macAddress?: Uint8Array
  /** Queue pairs. @defaultValue 1 */
  queues?: number
  /** The cable. @defaultValue none: the link is down */
  backend?: Backend
  /** Time from a doorbell to the first fetch, in ns. @defaultValue 1,000; 0 on a real clock */
  txLatencyNs?: number
  /** The memory that descriptors speak of, by region id. @defaultValue that of the kernel */
  regions?: readonly MemoryRegion[]
}

/** From a doorbell to the first fetch, on a virtual clock. */
const TX_LATENCY_NS = 1_000

/** One queue pair of the card. */
interface CardQueue {
  readonly vector: CardVector
  readonly tx: TxEngine
  rx: CardRing | null
}

const newCounters = (): HwCounters => ({
  rxMissed: 0,
  rxRunt: 0,
  rxOversize: 0,
  rxFiltered: 0,
  rxOff: 0,
  rxMulticast: 0,
  interrupts: 0,
  doorbells: 0,
})

/**
 * The card: it moves frames between the rings of a driver and a cable, and raises interrupts.
 *
 * It is hardware. It runs in its own time, after the doorbell; it may be slow, hang, or be pulled out; and it
 * knows no driver. Its registers are {@link VnetHw}, its socket for the cable is `BackendPort`.
 *
 * @kernel none
 */
export class VnetCard implements VnetHw, BackendPort {
  readonly queues: number
  readonly macAddress: Uint8Array
  readonly counters = newCounters()
  /** Called once when the card is pulled out, as a bus would. */
  onUnplug: (() => void) | null = null
  private readonly q: CardQueue[] = []
  private readonly filter: FilterTable
  private readonly recovery: HwEvent
  private readonly copier = new FrameCopier()
  private readonly regions: readonly MemoryRegion[]
  private backend: Backend | null = null
  private plugged = true
  private link = false
  private rxEnabled = false
  private maxFrame = 0
  private curedByReset = true

  constructor(kernel: Kernel, options: CardOptions) {
    const name = options.name ?? 'vnet-card'
    this.regions = options.regions ?? kernel.mem.regions
    this.queues = options.queues ?? 1
    this.macAddress = Uint8Array.from(options.macAddress ?? [2, 0, 0, 0, 0, 1])
    this.filter = new FilterTable(this.macAddress)
    this.recovery = hwEventSetup(kernel, () => this.recover(), name)
    for (let i = 0; i < this.queues; i++) {
      const vector = new CardVector(kernel, `${name}-${i}`, this.counters)
      const tx = new TxEngine(kernel, vector, this.regions, name)
      // Real time passes by itself.
      tx.latencyNs = options.txLatencyNs ?? (kernel.clock.real ? 0 : TX_LATENCY_NS)
      this.q.push({ vector, tx, rx: null })
    }
    if (options.backend) this.plugCable(options.backend)
  }

  // ── registers ──

  get linkUp(): boolean {
    return this.link && this.plugged
  }

  irq(queue: number): number {
    return this.q[queue]!.vector.line
  }

  setRings(queue: number, tx: CardRing | null, rx: CardRing | null): void {
    const q = this.q[queue]!
    q.tx.stop()
    q.tx.ring = tx
    q.rx = rx
  }

  enableTx(on: boolean): void {
    for (const { tx } of this.q) {
      tx.enabled = on && this.plugged
      if (!on) tx.stop()
    }
  }

  enableRx(on: boolean, maxFrame: number): void {
    this.rxEnabled = on && this.plugged
    this.maxFrame = maxFrame
  }

  setRxFilter(filter: RxFilter): void {
    this.filter.set(filter)
  }

  setCoalesce(coalesce: Coalesce): void {
    for (const { vector } of this.q) vector.setCoalesce(coalesce)
  }

  doorbell(queue: number): void {
    this.counters.doorbells++
    if (this.plugged) this.q[queue]!.tx.doorbell()
  }

  readCause(queue: number): number {
    return this.plugged ? this.q[queue]!.vector.readCause() : ALL_ONES
  }

  mask(queue: number): void {
    this.q[queue]!.vector.mask()
  }

  unmask(queue: number): void {
    if (this.plugged) this.q[queue]!.vector.unmask()
  }

  reset(): void {
    this.rxEnabled = false
    this.filter.reset()
    for (const q of this.q) {
      q.vector.reset()
      q.tx.stop()
      q.tx.enabled = false
      q.tx.ring = null
      q.rx = null
    }
    if (this.curedByReset) this.recover()
  }

  // ── the socket of the cable ──

  /**
   * Takes a frame off the cable: copies it into the next posted buffer of the queue its flow belongs to.
   *
   * @returns false when no buffer was posted (the frame is missed)
   * @kernel none
   * @rule RX-06 RX-07 RX-08 RX-09 RING-12
   */
  receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.rxEnabled) {
      this.counters.rxOff++
      return false
    }
    if (length < ETH_HLEN) {
      this.counters.rxRunt++
      return true
    }
    if (!this.filter.accepts(mem, offset)) {
      this.counters.rxFiltered++
      return true
    }
    if (length > this.maxFrame && length > this.maxFrame + vlanRoom(mem, offset)) {
      this.counters.rxOversize++
      return true
    }
    const q = this.q[this.queues === 1 ? 0 : steer(mem, offset, length, this.queues)]!
    return this.writeBack(q, mem, offset, length)
  }

  linkChange(up: boolean): void {
    if (up === this.link) return
    this.link = up
    if (this.plugged) this.q[0]!.vector.raise(CAUSE_LINK)
  }

  writable(): void {
    for (const { tx } of this.q) tx.writable()
  }

  private writeBack(q: CardQueue, mem: Uint8Array, offset: number, length: number): boolean {
    const ring = q.rx
    if (ring === null || q.tx.hung || ring.pending() === 0) {
      this.counters.rxMissed++
      return false
    }
    const { words } = ring
    // DESC_OFFSET, DESC_REGION, DESC_LENGTH, DESC_STATUS of a descriptor of DESC_WORDS.
    const d = (ring.cons & ring.mask) << 2
    const region = this.regions[words[d | 1]!]
    if (region === undefined || length > words[d | 2]!) {
      this.counters.rxOversize++
      return true
    }
    this.copier.copy(region, words[d]!, mem, offset, length)
    words[d | 2] = length
    words[d | 3] = 1 // STATUS_DONE
    if ((mem[offset]! & 1) !== 0 && isGroupAddress(mem, offset)) this.counters.rxMulticast++
    ring.complete(1)
    q.vector.received()
    return true
  }

  // ── what can happen to a card ──

  /** True while the card is hung. */
  get hung(): boolean {
    return this.q[0]!.tx.hung
  }

  /** Plugs a cable in, or pulls it out with `null`. */
  plugCable(backend: Backend | null): void {
    const old = this.backend
    this.backend = backend
    for (const { tx } of this.q) tx.backend = backend
    old?.attach(null)
    backend?.attach(this)
    this.linkChange(backend?.linkUp ?? false)
    if (backend !== null) this.writable()
  }

  /** Makes the card slow: each frame takes `frameNs` on the wire; 0 makes it fast again. */
  slow(frameNs: Ktime): void {
    for (const { tx } of this.q) tx.frameNs = frameNs
  }

  /**
   * Hangs the card: it sends and receives nothing until it recovers.
   *
   * @param options - `forNs`: recover by itself after that time; `curedByReset`: whether a reset helps (default true)
   */
  hang(options: { forNs?: Ktime; curedByReset?: boolean } = {}): void {
    this.curedByReset = options.curedByReset ?? true
    for (const { tx } of this.q) tx.hung = true
    if (options.forNs !== undefined) hwEventStart(this.recovery, options.forNs)
  }

  /** Ends a hang; what was waiting goes on. */
  recover(): void {
    hwEventCancel(this.recovery)
    this.curedByReset = true
    for (const { tx } of this.q) {
      if (!tx.hung) continue
      tx.hung = false
      if (tx.ring !== null) tx.doorbell()
    }
  }

  /** Pulls the card out of its slot: registers read all ones, nothing moves any more. */
  unplug(): void {
    if (!this.plugged) return
    this.reset()
    this.plugged = false
    this.onUnplug?.()
  }

  /** Takes the card apart: the cable is detached, the interrupt lines are given back. */
  destroy(): void {
    this.plugCable(null)
    this.reset()
    hwEventCancel(this.recovery)
    for (const { vector } of this.q) vector.free()
  }
}

/** Four more bytes are allowed when the frame carries a VLAN tag. */
function vlanRoom(mem: Uint8Array, offset: number): number {
  return mem[offset + 12] === 0x81 && mem[offset + 13] === 0 ? 4 : 0
}

/**
 * Makes a card.
 *
 * @kernel none
 */
export function createCard(kernel: Kernel, options: CardOptions = {}): VnetCard {
  return new VnetCard(kernel, options)
}

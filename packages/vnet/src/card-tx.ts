import type { Backend } from '@vnet/backend'
import {
  hwEventCancel,
  hwEventPending,
  hwEventSetup,
  hwEventStart,
  type HwEvent,
  type Kernel,
  type MemoryRegion,
} from '@vnet/kernel'
import type { CardVector } from './card-vector.ts'
import type { CardRing } from './hw.ts'

/** Descriptors fetched at one go before the engine lets others have a turn. */
const FETCH_BURST = 64
/** Stands for a region that is not there. */
const NO_MEMORY: Uint8Array = new Uint8Array(0)

/**
 * The transmit engine of a queue: fetches descriptors, hands the frames to the cable, writes back status.
 *
 * It runs some time after the doorbell, as a card does; on a real clock and with no latency set, right then.
 */
export class TxEngine {
  ring: CardRing | null = null
  enabled = false
  /** True while the engine is hung: it neither fetches nor completes. */
  hung = false
  /** Time from the doorbell to the first fetch, in ns. */
  latencyNs = 0
  /** Time on the wire for one frame, in ns; 0 sends a burst at once. */
  frameNs = 0
  backend: Backend | null = null
  private readonly kernel: Kernel
  private readonly regions: readonly MemoryRegion[]
  private readonly vector: CardVector
  private readonly event: HwEvent
  /** The cable was full: nothing moves until it says so. */
  private blocked = false

  constructor(kernel: Kernel, vector: CardVector, regions: readonly MemoryRegion[], owner: string) {
    this.kernel = kernel
    this.regions = regions
    this.vector = vector
    this.event = hwEventSetup(kernel, () => this.run(), owner)
  }

  doorbell(): void {
    if (hwEventPending(this.event)) return
    const delay = this.latencyNs + this.frameNs
    const { clock, cpu } = this.kernel
    // A real card may be at it before the driver's next step.
    if (delay === 0 && clock.real && cpu.hwDepth === 0) this.event.invoke()
    else hwEventStart(this.event, delay)
  }

  /** The cable takes frames again. */
  writable(): void {
    if (!this.blocked) return
    this.blocked = false
    this.doorbell()
  }

  stop(): void {
    hwEventCancel(this.event)
    this.blocked = false
  }

  private run(): void {
    const ring = this.ring
    if (ring === null || !this.enabled || this.hung || this.blocked) return
    const pending = ring.pending()
    const limit = this.frameNs > 0 ? 1 : FETCH_BURST
    const sent = this.fetch(ring, pending < limit ? pending : limit)
    if (sent > 0) {
      ring.complete(sent)
      this.backend?.flush?.()
      this.vector.sent(sent)
    }
    if (sent < pending && !this.blocked) hwEventStart(this.event, this.frameNs)
  }

  /** Sends up to `n` frames; fewer when the cable is full. */
  private fetch(ring: CardRing, n: number): number {
    const { regions, backend } = this
    const { words, mask } = ring
    const first = ring.cons | 0
    let id = -1
    let mem = NO_MEMORY
    for (let k = 0; k < n; k++) {
      // DESC_OFFSET, DESC_REGION, DESC_LENGTH, DESC_STATUS of a descriptor of DESC_WORDS.
      const d = ((first + k) & mask) << 2
      const offset = words[d]!
      const length = words[d | 2]!
      if (words[d | 1] !== id) {
        // Mostly they all lie in one.
        id = words[d | 1]!
        mem = regions[id]?.u8 ?? NO_MEMORY
      }
      if (backend === null || offset < 0 || length <= 0 || offset + length > mem.length) {
        words[d | 3] = 3 // STATUS_DONE | STATUS_ERROR
      } else if (backend.transmit(mem, offset, length)) {
        words[d | 3] = 1 // STATUS_DONE
      } else {
        this.blocked = true
        return k
      }
    }
    return n
  }
}

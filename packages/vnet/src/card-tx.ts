import type { Backend } from '@vnet/backend'
import type { DescRing } from '@vnet/core-ring'
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
import {
  DESC_LENGTH,
  DESC_OFFSET,
  DESC_REGION,
  DESC_STATUS,
  DESC_WORDS,
  STATUS_DONE,
  STATUS_ERROR,
} from './regs.ts'

/** Descriptors fetched at one go before the engine lets others have a turn. */
const FETCH_BURST = 64

/**
 * The transmit engine of a queue: fetches descriptors, hands the frames to the cable, writes back status.
 *
 * It runs some time after the doorbell, never inside it, as a card does.
 */
export class TxEngine {
  ring: DescRing | null = null
  enabled = false
  /** True while the engine is hung: it neither fetches nor completes. */
  hung = false
  /** Time from the doorbell to the first fetch, in ns. */
  latencyNs = 1_000
  /** Time on the wire for one frame, in ns; 0 sends a burst at once. */
  frameNs = 0
  backend: Backend | null = null
  private readonly regions: readonly MemoryRegion[]
  private readonly vector: CardVector
  private readonly event: HwEvent
  /** The cable was full: nothing moves until it says so. */
  private blocked = false

  constructor(kernel: Kernel, vector: CardVector, owner: string) {
    this.regions = kernel.mem.regions
    this.vector = vector
    this.event = hwEventSetup(kernel, () => this.run(), owner)
  }

  doorbell(): void {
    if (!hwEventPending(this.event)) hwEventStart(this.event, this.latencyNs + this.frameNs)
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
  private fetch(ring: DescRing, n: number): number {
    const { words, mask } = ring
    const first = ring.cons
    const { regions, backend } = this
    for (let k = 0; k < n; k++) {
      const d = Math.imul((first + k) & mask, DESC_WORDS)
      const offset = words[d + DESC_OFFSET]!
      const length = words[d + DESC_LENGTH]!
      const region = regions[words[d + DESC_REGION]!]
      if (region === undefined || offset < 0 || length <= 0 || offset + length > region.u8.length) {
        words[d + DESC_STATUS] = STATUS_DONE | STATUS_ERROR
      } else if (backend === null) {
        words[d + DESC_STATUS] = STATUS_DONE | STATUS_ERROR
      } else if (backend.transmit(region.u8, offset, length)) {
        words[d + DESC_STATUS] = STATUS_DONE
      } else {
        this.blocked = true
        return k
      }
    }
    return n
  }
}

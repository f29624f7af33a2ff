import { Rng } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import type { Backend } from './contract.ts'
import { FaultLane } from './fault-lane.ts'
import type { FaultCounts } from './fault-lane.ts'
import { checkFaults } from './fault-options.ts'
import type { FaultOptions } from './fault-options.ts'
import { Wrapper } from './wrapper.ts'

/** So that both directions do not meet the same luck. */
const RX_STREAM = 0x5bd1e995

/**
 * A wrapper that loses, damages, doubles, reorders and delays frames; made by `faultInjector()`.
 *
 * @kernel netem_enqueue() net/sched/sch_netem.c
 */
export class FaultInjector extends Wrapper {
  /** The seed in force, to run it again. */
  readonly seed: number
  readonly #tx: FaultLane | null
  readonly #rx: FaultLane | null
  #refused: boolean

  constructor(kernel: Kernel, lower: Backend, options: FaultOptions) {
    super('faults', lower)
    const { direction = 'both', seed = kernel.rng.u32() } = options
    const down = {
      retries: true,
      emit: (mem: Uint8Array, offset: number, length: number) => this.pass(mem, offset, length),
      idle: () => this.#txIdle(),
    }
    const up = {
      retries: false,
      emit: (mem: Uint8Array, offset: number, length: number) => this.offer(mem, offset, length),
      idle: () => {},
    }
    this.seed = seed
    const { counters, name } = this
    this.#tx = direction === 'rx' ? null : new FaultLane(kernel, name, options, counters, down, new Rng(seed))
    this.#rx =
      direction === 'tx'
        ? null
        : new FaultLane(kernel, name, options, counters, up, new Rng(seed ^ RX_STREAM))
    this.#refused = false
  }

  /** What was done to frames from the card; null when that direction is left alone. */
  get tx(): FaultCounts | null {
    return this.#tx === null ? null : this.#tx.counts
  }

  /** What was done to frames to the card; null when that direction is left alone. */
  get rx(): FaultCounts | null {
    return this.#rx === null ? null : this.#rx.counts
  }

  override transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.#tx === null) return super.transmit(mem, offset, length)
    if (this.#tx.blocked) {
      this.#refused = true
      return false
    }
    this.taken(length)
    this.#tx.take(mem, offset, length)
    return true
  }

  override receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.#rx === null || this.port === null) return super.receive(mem, offset, length)
    this.counters.upFrames++
    return this.#rx.take(mem, offset, length)
  }

  override writable(): void {
    if (this.#tx === null) super.writable()
    else this.#tx.resume()
  }

  protected override opened(): void {
    this.#tx?.open()
    this.#rx?.open()
  }

  protected override closed(): void {
    this.#tx?.close()
    this.#rx?.close()
    this.#refused = false
  }

  #txIdle(): void {
    if (this.port === null) return
    this.lower.flush?.()
    if (!this.#refused || !this.#tx!.roomy) return
    this.#refused = false
    this.port.writable()
  }
}

/**
 * Makes middleware that does to frames what bad cables do, by a seed: the same seed and the same frames give the same
 * result, byte for byte.
 *
 * For each frame chance is asked in this order: drop, corrupt, duplicate, reorder; then rate, delay and jitter say when
 * it goes on. The two directions draw from streams of their own. Frames are changed in a copy only.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel netem_enqueue() net/sched/sch_netem.c
 */
export function faultInjector(kernel: Kernel, options: FaultOptions): (lower: Backend) => FaultInjector {
  checkFaults(options)
  return (lower) => new FaultInjector(kernel, lower, options)
}

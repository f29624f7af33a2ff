import { Errno } from '@vnet/kernel'
import type { Ktime } from '@vnet/kernel'

/**
 * How much may pass in a second: bits of frames without the frame check sequence, or frames.
 *
 * @kernel none
 */
export type Rate = { readonly bitsPerSecond: number } | { readonly framesPerSecond: number }

/**
 * A rate, ready to say how long a frame takes.
 *
 * @kernel struct psched_ratecfg include/net/sch_generic.h
 */
export class Pace {
  readonly #perByte: number
  readonly #perFrame: number

  constructor(rate: Rate) {
    const bits = 'bitsPerSecond' in rate
    const value = bits ? rate.bitsPerSecond : rate.framesPerSecond
    const name = bits ? 'bitsPerSecond' : 'framesPerSecond'
    if (!(value > 0 && Number.isFinite(value)))
      throw new Errno('EINVAL', `rate: ${name} is ${value}, must be above 0`, 'rate')
    this.#perByte = bits ? 8e9 / value : 0
    this.#perFrame = bits ? 0 : 1e9 / value
  }

  /** Nanoseconds a frame of this length takes; not rounded, so that errors do not add up. */
  cost(length: number): Ktime {
    return length * this.#perByte + this.#perFrame
  }

  /** Nanoseconds a burst takes: of bytes for a rate in bits, else of frames. */
  burstNs(burst: number): Ktime {
    return burst * (this.#perByte + this.#perFrame)
  }
}

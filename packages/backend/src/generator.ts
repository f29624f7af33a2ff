import { Errno, hwEventCancel, hwEventSetup, hwEventStart } from '@vnet/kernel'
import type { HwEvent, Kernel, Ktime } from '@vnet/kernel'
import { BaseBackend } from './base.ts'
import { builtInFrames } from './built-in-frames.ts'
import type { BuiltInFrame, FrameAddresses } from './built-in-frames.ts'
import type { Backend } from './contract.ts'
import type { FrameSource } from './frame-source.ts'

const SMALLEST_UDP = 60
const LARGEST_FRAME = 65_549
const BUILT_IN: readonly string[] = ['hello', 'arp', 'icmp', 'udp', 'mix']

/**
 * What a generator sends, and when.
 *
 * @kernel none
 */
export interface GeneratorOptions extends FrameAddresses {
  /** Between two frames. Default one second; 0: as fast as it goes, `slice` frames each `gapNs`. */
  readonly everyNs?: Ktime
  /** Frames altogether. Default: no end. */
  readonly count?: number
  /** Default `hello`. */
  readonly frame?: BuiltInFrame | FrameSource
  /** Bytes of a `udp` frame without the frame check sequence, 60 to 65,549. Default 60. */
  readonly size?: number
  /** For `mix`. Default: drawn from `kernel.rng`. */
  readonly seed?: number
  /** Most frames in one event. Default 32. */
  readonly slice?: number
  /** From one slice to the next, so that the card gets a turn and time goes on. Default 1,000 ns. */
  readonly gapNs?: Ktime
  /** After the last frame, from its event. */
  readonly onDone?: () => void
}

/**
 * A backend that makes frames.
 *
 * @kernel none
 */
export interface FrameGenerator extends Backend {
  /** Frames offered so far. */
  readonly sent: number
  /** All are sent: `count` is reached, or the source has no more. */
  readonly done: boolean
}

class GeneratorBackend extends BaseBackend implements FrameGenerator {
  readonly #kernel: Kernel
  readonly #source: FrameSource
  readonly #everyNs: Ktime
  readonly #count: number
  readonly #slice: number
  readonly #gapNs: Ktime
  readonly #onDone: (() => void) | undefined
  readonly #event: HwEvent
  #sent: number
  #due: Ktime
  #done: boolean

  constructor(kernel: Kernel, options: GeneratorOptions) {
    super('generator')
    const { frame = 'hello' } = options
    this.#kernel = kernel
    this.#source =
      typeof frame === 'string'
        ? builtInFrames(frame, options, options.seed ?? kernel.rng.u32(), options.size ?? SMALLEST_UDP)
        : frame
    this.#everyNs = options.everyNs ?? 1e9
    this.#count = options.count ?? Infinity
    this.#slice = options.slice ?? 32
    this.#gapNs = options.gapNs ?? 1000
    this.#onDone = options.onDone
    this.#event = hwEventSetup(kernel, () => this.#run(), this.name)
    this.#sent = 0
    this.#due = 0
    this.#done = false
  }

  get sent(): number {
    return this.#sent
  }

  get done(): boolean {
    return this.#done
  }

  transmit(_mem: Uint8Array, _offset: number, length: number): boolean {
    this.taken(length)
    this.counters.downFrames++
    return true
  }

  protected override started(): void {
    this.#due = this.#kernel.clock.ktimeGet() + this.#everyNs
    if (!this.#done) hwEventStart(this.#event, this.#everyNs)
  }

  protected override stopped(): void {
    hwEventCancel(this.#event)
  }

  #run(): void {
    try {
      this.#burst(this.#kernel.clock.ktimeGet())
    } finally {
      // A rule broken by the card may be thrown through here; the generator goes on.
      if (this.port !== null && !this.#done) this.#rearm()
    }
    if (this.#done && this.#onDone !== undefined) this.#onDone()
  }

  #burst(now: Ktime): void {
    const source = this.#source
    for (let n = 0; n < this.#slice && this.#due <= now; n++) {
      if (this.#sent >= this.#count || !source.next(this.#sent)) {
        this.#done = true
        return
      }
      this.#sent++
      this.#due += this.#everyNs
      this.counters.made++
      this.offer(source.mem, source.offset, source.length)
      if (this.port === null) return
    }
    this.#done = this.#sent >= this.#count
  }

  #rearm(): void {
    const ahead = this.#due - this.#kernel.clock.ktimeGet()
    hwEventStart(this.#event, ahead > 0 ? ahead : this.#gapNs)
  }
}

/**
 * Makes a backend that sends frames to the card while one is plugged in: the first after `everyNs`, or at once for 0.
 *
 * Unplugging stops it; plugging in again goes on with the next number. Frames from the card are taken and counted.
 *
 * @throws Errno EINVAL for options that make no sense, RangeError for a bad address
 * @kernel none
 */
export function generator(kernel: Kernel, options: GeneratorOptions = {}): FrameGenerator {
  atLeast('everyNs', options.everyNs, 0)
  atLeast('gapNs', options.gapNs, 0)
  atLeast('slice', options.slice, 1)
  if (options.count !== Infinity) atLeast('count', options.count, 0)
  atLeast('size', options.size, SMALLEST_UDP)
  if ((options.size ?? 0) > LARGEST_FRAME) {
    throw new Errno('EINVAL', `generator: size is ${options.size}, must be ${LARGEST_FRAME} or less`, 'size')
  }
  if (typeof options.frame === 'string' && !BUILT_IN.includes(options.frame)) {
    throw new Errno(
      'EINVAL',
      `generator: no frame "${options.frame}"; known are ${BUILT_IN.join(', ')}`,
      'frame',
    )
  }
  return new GeneratorBackend(kernel, options)
}

function atLeast(what: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isFinite(value) && value >= least)) return
  throw new Errno('EINVAL', `generator: ${what} is ${value}, must be ${least} or more`, what)
}

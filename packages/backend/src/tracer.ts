import type { Kernel, Ktime, Tracepoint } from '@vnet/kernel'
import { formatFrame } from '@vnet/wire'
import type { FormatOptions } from '@vnet/wire'
import type { Backend } from './contract.ts'
import { Wrapper } from './wrapper.ts'

/**
 * What a tracer does besides its tracepoints.
 *
 * @kernel none
 */
export interface TracerOptions {
  /** Gets a line for each frame, as tcpdump prints it, with the kernel's time before it. */
  readonly print?: (line: string) => void
  /** Lines begin with the Ethernet addresses, as with tcpdump's -e. Default false. */
  readonly link?: boolean
}

class Tracer extends Wrapper {
  readonly #kernel: Kernel
  readonly #tx: Tracepoint
  readonly #rx: Tracepoint
  readonly #print: ((line: string) => void) | null
  readonly #format: FormatOptions

  constructor(kernel: Kernel, lower: Backend, options: TracerOptions) {
    super('tracer', lower)
    this.#kernel = kernel
    this.#tx = kernel.trace.point('backend:tx', ['len', 'taken'])
    this.#rx = kernel.trace.point('backend:rx', ['len', 'taken'])
    this.#print = options.print ?? null
    this.#format = { link: options.link ?? false }
  }

  override transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const taken = super.transmit(mem, offset, length)
    if (this.#tx.enabled) this.#tx.emit(this.lower.name, length, taken ? 1 : 0)
    if (taken && this.#print !== null) this.#line('>', mem, offset, length)
    return taken
  }

  override receive(mem: Uint8Array, offset: number, length: number): boolean {
    // Before the card sees it: what the card then does comes after it in the trace.
    if (this.#print !== null) this.#line('<', mem, offset, length)
    const taken = super.receive(mem, offset, length)
    if (this.#rx.enabled) this.#rx.emit(this.lower.name, length, taken ? 1 : 0)
    return taken
  }

  #line(arrow: string, mem: Uint8Array, offset: number, length: number): void {
    const text = formatFrame(mem, offset, length, this.#format)
    this.#print!(`${stamp(this.#kernel.clock.ktimeGet())} ${this.lower.name} ${arrow} ${text}`)
  }
}

/**
 * Makes middleware that shows every frame that passes: tracepoints `backend:tx` and `backend:rx` with the length and
 * whether it was taken, the lower backend's name as subject, and lines if `print` is given.
 *
 * @kernel none
 */
export function tracer(kernel: Kernel, options: TracerOptions = {}): (lower: Backend) => Backend {
  return (lower) => new Tracer(kernel, lower, options)
}

/** Seconds with microseconds, as in the kernel log. */
function stamp(now: Ktime): string {
  return (Math.floor(now / 1000) / 1e6).toFixed(6).padStart(12)
}

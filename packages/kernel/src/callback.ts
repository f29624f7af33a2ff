import { KernelEvent } from './heap.ts'
import type { Kernel } from './kernel.ts'

/**
 * What timers, hrtimers, hardware events, works and threads have in common: a function to be called at some time.
 *
 * Made once and armed as often as needed; arming allocates nothing.
 *
 * @kernel none
 */
export class Callback<Self> {
  readonly kernel: Kernel
  /** What it belongs to, for the census and the trace; usually a device's name. */
  readonly owner: string
  /** The module that set it up, and on whose behalf the function runs. */
  readonly module: string | null
  /** True while the function runs. */
  running = false
  /** The kernel's own part. */
  readonly event: KernelEvent
  readonly #fn: (self: Self) => void

  constructor(kernel: Kernel, kind: number, fn: (self: Self) => void, owner: string) {
    this.kernel = kernel
    this.owner = owner
    this.module = kernel.currentModule
    this.event = new KernelEvent(kind, this)
    this.#fn = fn
  }

  /** Calls the function in the present context; only the kernel does. */
  invoke(): void {
    const kernel = this.kernel
    const module = kernel.currentModule
    const point = kernel.events.points[this.event.kind]!
    if (point.enabled) point.emit(this.owner)
    kernel.currentModule = this.module
    this.running = true
    try {
      this.#fn(this as unknown as Self)
    } finally {
      this.running = false
      kernel.currentModule = module
    }
  }
}

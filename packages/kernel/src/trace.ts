import type { Context, Kernel, Ktime } from './kernel.ts'
import { matchWildcard } from './wildcard.ts'

/** What a tracepoint's listeners get. */
export interface TraceEvent {
  readonly time: Ktime
  readonly ctx: Context
  readonly name: string
  /** What it is about, usually a device's name. */
  readonly subject: string
  readonly fields: Readonly<Record<string, number | string>>
}

type TraceListener = (event: TraceEvent) => void

/**
 * A named place in the code that can be listened to.
 *
 * On a hot path write `if (tp.enabled) tp.emit(…)`: then it costs one read while nobody listens.
 *
 * @kernel DECLARE_TRACE() include/linux/tracepoint.h
 */
export class Tracepoint {
  readonly name: string
  readonly fields: readonly string[]
  /** True while somebody listens. Only `Tracing` writes it. */
  enabled = false
  readonly #kernel: Kernel
  #listeners: readonly TraceListener[] = []

  constructor(kernel: Kernel, name: string, fields: readonly string[]) {
    this.#kernel = kernel
    this.name = name
    this.fields = fields
  }

  /**
   * Tells the listeners. The values given fill the fields in order; those left `undefined` are skipped,
   * so a text in `d` may stand for the first field.
   */
  emit(subject: string, a?: number, b?: number, c?: number, d?: string): void {
    if (!this.enabled) return
    const event: TraceEvent = {
      time: this.#kernel.clock.ktimeGet(),
      ctx: this.#kernel.ctx,
      name: this.name,
      subject,
      fields: this.#record(a, b, c, d),
    }
    for (const listener of this.#listeners) listener(event)
  }

  #record(...values: (number | string | undefined)[]): Record<string, number | string> {
    const record: Record<string, number | string> = {}
    let at = 0
    for (const value of values) {
      const field = this.fields[at]
      if (value === undefined || field === undefined) continue
      record[field] = value
      at++
    }
    return record
  }

  /** Replaces the listeners; `Tracing` calls it. The list in use by a running `emit` stays as it was. */
  setListeners(listeners: readonly TraceListener[]): void {
    this.#listeners = listeners
    this.enabled = listeners.length > 0
  }
}

interface Subscription {
  readonly glob: string
  readonly fn: TraceListener
}

/**
 * All tracepoints of a kernel, and who listens to which.
 *
 * @kernel tracefs events/ kernel/trace/trace_events.c
 */
export class Tracing {
  readonly #kernel: Kernel
  readonly #points = new Map<string, Tracepoint>()
  #subscriptions: readonly Subscription[] = []

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** The tracepoint of this name; the first call makes it. Keep it: looking it up costs a map access. */
  point(name: string, fields: readonly string[]): Tracepoint {
    let point = this.#points.get(name)
    if (point === undefined) {
      point = new Tracepoint(this.#kernel, name, fields)
      this.#points.set(name, point)
      this.#connect(point)
    }
    return point
  }

  /** The names of all tracepoints made so far, sorted. */
  get names(): readonly string[] {
    return [...this.#points.keys()].sort()
  }

  /**
   * Calls `fn` at every tracepoint whose name fits, also at those made later. `*` and `?` are wildcards.
   *
   * @returns what ends it
   */
  on(glob: string, fn: TraceListener): () => void {
    const subscription: Subscription = { glob, fn }
    this.#subscriptions = [...this.#subscriptions, subscription]
    this.#reconnect()
    return () => {
      this.#subscriptions = this.#subscriptions.filter((s) => s !== subscription)
      this.#reconnect()
    }
  }

  #reconnect(): void {
    this.#kernel.watched = this.#kernel.checks || this.#subscriptions.length > 0
    for (const point of this.#points.values()) this.#connect(point)
  }

  #connect(point: Tracepoint): void {
    point.setListeners(this.#subscriptions.filter((s) => matchWildcard(s.glob, point.name)).map((s) => s.fn))
  }
}

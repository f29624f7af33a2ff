import { NSEC_PER_MSEC } from './clock.ts'
import type { Ktime } from './clock.ts'
import type { EventLoop, EventWatcher } from './events.ts'
import type { Kernel } from './kernel.ts'

// The only file that talks to the host's clock and timers.

/** A host timer or immediate; Node's can be told not to keep the process alive. */
interface HostHandle {
  unref?(): void
}

interface HostPort {
  onmessage: (() => void) | null
  postMessage(message: null): void
  close(): void
}

interface Host {
  readonly performance: { now(): number }
  setTimeout(fn: () => void, ms: number): HostHandle
  clearTimeout(handle: HostHandle): void
  setImmediate?(fn: () => void): HostHandle
  clearImmediate?(handle: HostHandle): void
  MessageChannel?: new () => { readonly port1: HostPort; readonly port2: HostPort }
}

const host = globalThis as unknown as Host

/** How long one slice of kernel work may keep the host's event loop waiting. */
const SLICE_NS = NSEC_PER_MSEC
/** A host timer cannot wait longer than this. */
const MAX_TIMEOUT_MS = 0x7fffffff

/** A clock that starts at 0 now and follows the host's monotonic clock. @kernel none */
export function hostClock(): () => Ktime {
  // Node makes what is global when it is asked for, and asks itself each time.
  const { performance } = host
  const start = performance.now()
  return () => Math.floor((performance.now() - start) * NSEC_PER_MSEC)
}

/**
 * Drives a kernel from the host's event loop: waits for the next event with one host timer, then runs what is due.
 *
 * It gives the loop back after a millisecond, and whenever the softirqs handed their rest to ksoftirqd.
 *
 * @kernel none
 */
export class RealTime implements EventWatcher {
  readonly #kernel: Kernel
  readonly #events: EventLoop
  readonly #wake = (): void => {
    this.#disarm()
    this.slice(null)
  }
  /** When the host will call; the end of time while nothing is armed. */
  #armedFor: Ktime = Infinity
  #timeout: HostHandle | null = null
  #immediate: HostHandle | null = null
  #channel: { readonly port1: HostPort; readonly port2: HostPort } | null = null
  #posted = false
  #running = false
  #stopped = false
  #holds = 0

  constructor(kernel: Kernel, events: EventLoop) {
    this.#kernel = kernel
    this.#events = events
    events.watch(this)
  }

  /** Keeps the process alive until the matching `release()`. */
  hold(): void {
    if (++this.#holds === 1) this.#held()
  }

  /** Takes back one `hold()`. */
  release(): void {
    if (this.#holds === 0) throw new RangeError('release() without hold()')
    if (--this.#holds === 0) this.#held()
  }

  /** The next event became an earlier one. */
  changed(): void {
    if (this.#running || this.#stopped) return
    const next = this.#events.next()
    if (next !== null && next < this.#armedFor) this.#arm(next)
  }

  /** Gives all host timers back; nothing happens any more. */
  stop(): void {
    this.#stopped = true
    this.#events.watch(null)
    this.#disarm()
    if (this.#channel !== null) this.#channel.port1.close()
    this.#channel = null
  }

  /**
   * Runs what is due, after what the host reports from outside, if it does. From the host's loop.
   *
   * @param hardware - what happened outside the CPU, or null
   */
  slice(hardware: (() => void) | null): void {
    const kernel = this.#kernel
    if (this.#stopped || this.#running) {
      if (hardware !== null) kernel.hardware(hardware)
      return
    }
    const { clock } = kernel
    this.#running = true
    try {
      let now = clock.enter()
      const end = now + SLICE_NS
      if (hardware !== null) kernel.hardware(hardware)
      while (this.#events.runOne(now)) {
        now = clock.enter()
        if (now >= end || this.#events.yields) break
      }
    } finally {
      // After an exception too: the kernel goes on with the next event.
      this.#running = false
      this.#rearm()
      clock.leave()
    }
  }

  #held(): void {
    this.#disarm()
    if (!this.#running) this.#rearm()
  }

  #rearm(): void {
    if (this.#stopped) return
    const next = this.#events.next()
    if (next !== null) {
      // One that calls too early costs less than a new one for each packet.
      if (this.#timeout === null || next < this.#armedFor) this.#arm(next)
    } else if (this.#holds === 0) this.#disarm()
    else if (this.#timeout === null) this.#arm(Infinity)
  }

  #arm(at: Ktime): void {
    this.#disarm()
    this.#armedFor = at
    const ms = (at - this.#kernel.clock.ktimeGetCoarse()) / NSEC_PER_MSEC
    if (ms > 1) this.#armTimeout(Math.min(Math.floor(ms), MAX_TIMEOUT_MS))
    else this.#armNow()
  }

  #armTimeout(ms: number): void {
    this.#timeout = host.setTimeout(this.#wake, ms)
    if (this.#holds === 0) this.#timeout.unref?.()
  }

  #armNow(): void {
    if (host.setImmediate !== undefined) {
      this.#immediate = host.setImmediate(this.#wake)
      if (this.#holds > 0) return
      this.#immediate.unref?.()
      // An immediate that does not keep the loop alive does not keep it from sleeping either; a timer does.
      this.#armTimeout(1)
    } else if (host.MessageChannel !== undefined) {
      this.#post(host.MessageChannel)
    } else this.#armTimeout(0)
  }

  /** Browsers: a message to ourselves comes sooner than any timer, which they slow down to 4 ms. */
  #post(MessageChannel: NonNullable<Host['MessageChannel']>): void {
    if (this.#channel === null) {
      this.#channel = new MessageChannel()
      this.#channel.port1.onmessage = () => {
        this.#posted = false
        // It may have been disarmed meanwhile.
        if (this.#armedFor !== Infinity) this.#wake()
      }
    }
    if (!this.#posted) this.#channel.port2.postMessage(null)
    this.#posted = true
  }

  #disarm(): void {
    this.#armedFor = Infinity
    if (this.#timeout !== null) host.clearTimeout(this.#timeout)
    if (this.#immediate !== null) host.clearImmediate?.(this.#immediate)
    this.#timeout = null
    this.#immediate = null
  }
}

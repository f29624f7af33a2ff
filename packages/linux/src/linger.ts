import { performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { libc } from './libc.ts'
import type { Libc, UvFunctions } from './libc.ts'
import { HostMemory } from './memory.ts'

const POLLIN = 1
/** So long the next event is looked for, as long as KVM does for a guest that went idle. */
const WAIT_MS = 0.2
/** So long Node's loop waits at most while events keep coming. */
const MOST_MS = 0.5
/** So often the descriptor is looked at before others are asked whether they want something. */
const LOOKS_BLIND = 4
/** A wait for nothing was worth it after so many events. */
const ENOUGH = 8
/** If it was not, so many chances are let pass, twice as many each time, up to this. */
const MOST_CHANCES = 1024

/**
 * Looks for a descriptor's next event right where the last one was handled, instead of by way of Node's loop and a sleep:
 * for a peer that asks again as soon as it is answered. Waking up costs many times what there is to do then.
 *
 * It does so only while events follow each other faster than it would wait, and less often after it waited for nothing.
 * Whoever else wants the processor gets it meanwhile; what is due in Node's loop, and other descriptors, end it.
 *
 * @kernel napi_busy_loop() net/core/dev.c, kvm_vcpu_halt() virt/kvm/kvm_main.c
 */
export class Linger {
  readonly #libc: Libc
  readonly #uv: UvFunctions
  readonly #loop: number
  /** `struct pollfd` of Node's own descriptor, which is ready when any other is. */
  readonly #others: HostMemory
  readonly #handle: () => boolean | void
  #on: boolean
  /** When the last event was handled. */
  #last: number
  #missed: number
  #chances: number

  /**
   * Null where Node's loop cannot be asked: in a worker, and when the node binary does not export libuv.
   *
   * @param handle - handles what there is; false when there is nothing
   */
  static of(handle: () => boolean | void): Linger | null {
    const c = libc()
    return isMainThread && c.uv !== null ? new Linger(handle, c, c.uv) : null
  }

  private constructor(handle: () => boolean | void, c: Libc, uv: UvFunctions) {
    this.#libc = c
    this.#uv = uv
    this.#loop = uv.uv_default_loop()
    this.#others = new HostMemory(8)
    this.#others.view.setInt32(0, uv.uv_backend_fd(this.#loop), true)
    this.#others.view.setUint16(4, POLLIN, true)
    this.#handle = handle
    this.#on = true
    this.#last = 0
    this.#missed = 1
    this.#chances = 0
  }

  /** Its events are handled here no more; also from within the handler. */
  end(): void {
    this.#on = false
  }

  /** An event was handled, which the loop reported: handles those that follow soon. Hot path. */
  stay(): void {
    const now = performance.now()
    const soon = now - this.#last < WAIT_MS
    this.#last = now
    if (!soon) return
    if (this.#chances > 0) this.#chances--
    else this.#stay(now + MOST_MS)
  }

  #stay(end: number): void {
    let hits = 0
    while (this.#on && this.#last < end && this.#wait(hits)) {
      hits++
      this.#last = performance.now()
    }
  }

  /** Handles the next event; false when there is none, or something else. */
  #wait(hits: number): boolean {
    const end = this.#last + WAIT_MS
    let looks = hits
    do {
      for (; looks % LOOKS_BLIND !== LOOKS_BLIND - 1; looks++) {
        if (this.#handle() !== false) return true
        // It may have found that its descriptor is gone.
        if (!this.#on) return false
      }
      looks++
      if (this.#due()) return false
      this.#libc.sched_yield()
    } while (performance.now() < end)
    this.#missed = hits >= ENOUGH ? 1 : Math.min(this.#missed * 2, MOST_CHANCES)
    this.#chances = this.#missed
    return false
  }

  /** Says whether Node's loop has something to do: an immediate, a timer, another descriptor. */
  #due(): boolean {
    return this.#libc.poll(this.#others.address, 1, 0) !== 0 || this.#uv.uv_backend_timeout(this.#loop) === 0
  }
}

import { AsyncPoll } from './async-poll.ts'
import type { KoffiPoll } from './koffi.ts'
import { libc } from './libc.ts'
import { Linger } from './linger.ts'

/**
 * What a descriptor’s owner is told, from the host’s loop. An exception in one becomes an `uncaughtException`.
 *
 * @kernel none
 */
export interface FdHandler {
  /**
   * There is something to read. Called again until it was read.
   *
   * @returns whether there was; who says so is also called when there may be nothing yet, for a moment after the last
   * event, if events follow each other closely. Others return nothing.
   */
  readable?(): boolean | void
  /** There is room to write. Only while `wantWritable(true)`. */
  writable?(): void
  /** The descriptor reports an error: read it (`read()`, `SO_ERROR`), then `start()` again, or close. */
  failed?(): void
}

/**
 * A descriptor watched on Node’s loop.
 *
 * @kernel none
 */
export interface FdWatcher {
  /** `uv`: Node’s own loop, no thread. `poll`: a thread that waits for all descriptors at once. */
  readonly method: WatchMethod
  /** Begins, or begins again after `stop()` or an error. */
  start(): void
  stop(): void
  wantWritable(on: boolean): void
  /** Lets the process end although this is watched. */
  unref(): void
  ref(): void
  /** Call it before the descriptor is closed. */
  close(): void
}

/**
 * How readiness is found out.
 *
 * @kernel none
 */
export type WatchMethod = 'uv' | 'poll'

/**
 * Watches a descriptor: by libuv where the node binary exports it, else with `poll()` in a thread, which costs about a
 * sixth more for each interrupt.
 *
 * @throws Errno when system calls cannot be made here
 * @kernel none
 */
export function watchFd(fd: number, handler: FdHandler, method: WatchMethod = watchMethod()): FdWatcher {
  return method === 'uv' ? new UvWatcher(fd, handler) : AsyncPoll.shared().watch(fd, handler)
}

/**
 * The way this node binary can watch descriptors. A distribution’s build may not export libuv’s functions.
 *
 * @kernel none
 */
export function watchMethod(): WatchMethod {
  const c = libc()
  return c.koffi.node?.poll !== undefined && c.exports('uv_poll_start') ? 'uv' : 'poll'
}

/** From Node 26 on, what a callback promised waits for the loop’s next turn: give it one. */
const nudge =
  Number.parseInt(process.versions.node, 10) >= 26
    ? (): void => {
        setImmediate(() => {})
      }
    : (): void => {}

/** Those that are open in this thread. */
const watching = new Set<UvWatcher>()
let closesAtExit = false

/** While node takes its loop down no callback can run: one that is due then would abort the process. */
function closeAtExit(): void {
  if (closesAtExit) return
  closesAtExit = true
  process.once('exit', () => {
    for (const watcher of watching) watcher.close()
  })
}

class UvWatcher implements FdWatcher {
  readonly method = 'uv'
  readonly #fd: number
  readonly #handler: FdHandler
  // Also keeps the handle from the collector, which would close it.
  #poll: KoffiPoll | null = null
  #linger: Linger | null = null
  #running = false
  #closed = false
  #writable = false
  #keeps = true

  constructor(fd: number, handler: FdHandler) {
    this.#fd = fd
    this.#handler = handler
  }

  start(): void {
    if (this.#closed) return
    const events = { readable: true, writable: this.#writable }
    if (this.#poll === null) {
      this.#poll = libc().koffi.node!.poll(this.#fd, events, this.#ready)
      watching.add(this)
      closeAtExit()
      if (!this.#keeps) this.#poll.unref()
    } else this.#poll.start(events, this.#ready)
    this.#running = true
  }

  stop(): void {
    this.#halt()
    this.#poll?.stop()
  }

  wantWritable(on: boolean): void {
    if (this.#writable === on) return
    this.#writable = on
    if (this.#running) this.start()
  }

  ref(): void {
    this.#keeps = true
    this.#poll?.ref()
  }

  unref(): void {
    this.#keeps = false
    this.#poll?.unref()
  }

  close(): void {
    this.#closed = true
    this.#halt()
    watching.delete(this)
    this.#poll?.close()
    this.#poll = null
  }

  readonly #ready = (status: number, events: { readable: boolean; writable: boolean }): void => {
    if (status < 0) {
      // libuv stops by itself here.
      this.#halt()
      this.#handler.failed?.()
    } else {
      const answer = events.readable ? this.#handler.readable?.() : undefined
      if (events.writable && this.#running) this.#handler.writable?.()
      if (answer !== undefined) this.#stay()
    }
    nudge()
  }

  #stay(): void {
    if (!this.#running) return
    this.#linger ??= Linger.of(() => this.#handler.readable?.())
    this.#linger?.stay()
  }

  #halt(): void {
    this.#running = false
    this.#linger?.end()
    this.#linger = null
  }
}

import { libc } from './libc.ts'
import { HostMemory } from './memory.ts'
import { closeFd, sys } from './sys.ts'
import type { FdHandler, FdWatcher } from './watch.ts'

const POLLIN = 1
const POLLOUT = 4
const POLL_FAILED = 0x8 | 0x20 // POLLERR, POLLNVAL
const POLLHUP = 0x10
const EFD_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000

/**
 * Watches any number of descriptors with one `poll()` in one thread of libuv’s pool, for node binaries that do not
 * export libuv. There is one in a process: the pool has four threads, and files need them too.
 */
export class AsyncPoll {
  static #shared: AsyncPoll | null = null
  readonly #entries = new Set<Entry>()
  #memory = new HostMemory(8 * 16)
  readonly #count = new HostMemory(8)
  #bell = -1
  #waiting = false
  #changed = false

  static shared(): AsyncPoll {
    return (AsyncPoll.#shared ??= new AsyncPoll())
  }

  watch(fd: number, handler: FdHandler): FdWatcher {
    return new Entry(this, fd, handler)
  }

  add(entry: Entry): void {
    this.#entries.add(entry)
    this.changed()
  }

  remove(entry: Entry): void {
    if (this.#entries.delete(entry)) this.changed()
  }

  /** What is watched has changed: the thread must look again. */
  changed(): void {
    this.#changed = true
    if (this.#waiting) this.#ring()
    else this.#wait()
  }

  #ring(): void {
    this.#count.view.setBigUint64(0, 1n, true)
    libc().write(this.#bell, this.#count.address, 8)
  }

  #wait(): void {
    if (this.#waiting || this.#entries.size === 0) return this.#hush()
    if (this.#bell < 0) this.#bell = sys('eventfd', [0, EFD_NONBLOCK_CLOEXEC])
    const entries = [...this.#entries]
    this.#fill(entries)
    this.#changed = false
    this.#waiting = true
    libc().poll.async(this.#memory.address, entries.length + 1, -1, () => {
      this.#waiting = false
      this.#deliver(entries)
      this.#wait()
    })
  }

  #fill(entries: readonly Entry[]): void {
    const bytes = (entries.length + 1) * 8
    if (this.#memory.bytes.length < bytes) this.#memory = new HostMemory(bytes * 2)
    const { view } = this.#memory
    put(view, 0, this.#bell, POLLIN)
    entries.forEach((entry, i) => put(view, (i + 1) * 8, entry.fd, entry.events))
  }

  #deliver(entries: readonly Entry[]): void {
    const { view } = this.#memory
    if (view.getUint16(6, true) !== 0) libc().read(this.#bell, this.#count.address, 8)
    const results = entries.map((_, i) => view.getUint16((i + 1) * 8 + 6, true))
    entries.forEach((entry, i) => {
      if (results[i] !== 0 && this.#entries.has(entry)) entry.ready(results[i]!)
    })
  }

  #hush(): void {
    if (this.#waiting || this.#bell < 0 || !this.#changed) return
    closeFd(this.#bell)
    this.#bell = -1
  }
}

function put(view: DataView, at: number, fd: number, events: number): void {
  view.setInt32(at, fd, true)
  view.setUint16(at + 4, events, true)
  view.setUint16(at + 6, 0, true)
}

class Entry implements FdWatcher {
  readonly method = 'poll'
  readonly fd: number
  events = POLLIN
  readonly #poll: AsyncPoll
  readonly #handler: FdHandler
  #running = false

  constructor(poll: AsyncPoll, fd: number, handler: FdHandler) {
    this.fd = fd
    this.#poll = poll
    this.#handler = handler
  }

  start(): void {
    this.#running = true
    this.#poll.add(this)
  }

  stop(): void {
    this.#running = false
    this.#poll.remove(this)
  }

  wantWritable(on: boolean): void {
    const events = on ? POLLIN | POLLOUT : POLLIN
    if (events === this.events) return
    this.events = events
    if (this.#running) this.#poll.changed()
  }

  /** The thread keeps the process alive while anything is watched; nothing can be done about that. */
  ref(): void {}

  unref(): void {}

  close(): void {
    this.stop()
  }

  ready(result: number): void {
    if ((result & POLL_FAILED) !== 0) {
      this.stop()
      this.#handler.failed?.()
      return
    }
    if ((result & (POLLIN | POLLHUP)) !== 0) this.#handler.readable?.()
    if ((result & POLLOUT) !== 0 && this.#running) this.#handler.writable?.()
  }
}

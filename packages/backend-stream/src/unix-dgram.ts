import { lstatSync, unlinkSync } from 'node:fs'
import { BaseBackend } from '@vnet/backend'
import {
  AF,
  bindSock,
  closeFd,
  E,
  HostMemory,
  libc,
  MemoryAddress,
  MSG,
  SOCK,
  sys,
  watchFd,
} from '@vnet/linux'
import type { FdWatcher, Libc } from '@vnet/linux'
import { Errno } from '@vnet/kernel'
import type { Kernel, MemoryBlock } from '@vnet/kernel'
import { MAX_FRAME_BYTES } from './frame-codec.ts'
import { checkPath } from './options.ts'

/** A full queue of the peer is looked at again after so long: a socket that is not connected cannot say. */
const RETRY_MS = 1

/**
 * Where the two ends of a datagram cable are.
 *
 * @kernel none
 */
export interface UnixDgramOptions {
  /** Our end; the file must not be there, or be of an end that is gone. */
  readonly local: string
  /** The peer's end; it may come later. */
  readonly remote: string
  /** Frames offered before the card's interrupts and softirqs run. Default 64. */
  readonly budget?: number
}

/**
 * What went wrong on a datagram cable. Numbers only grow.
 *
 * @kernel none
 */
export class DgramStats {
  /** Frames for a peer that is not there. They are in `dropped`. */
  txNoPeer = 0
  /** Frames lost to any other error. They are in `dropped`. */
  txErrors = 0
  /** Times the card was refused because the peer's queue was full. */
  txFull = 0
  /** Reads that failed. */
  rxErrors = 0
}

/**
 * QEMU's dgram netdev over a Unix socket: one datagram is one frame. Linux only. Made by `unixDgram()`.
 *
 * The link is always up: nobody says whether there is a peer.
 *
 * @kernel none
 */
export class UnixDgram extends BaseBackend {
  readonly stats: DgramStats
  readonly #kernel: Kernel
  readonly #libc: Libc
  readonly #local: string
  readonly #remote: HostMemory
  readonly #addresses: MemoryAddress
  readonly #watcher: FdWatcher
  readonly #block: MemoryBlock
  readonly #mem: Uint8Array
  readonly #slot: number
  readonly #budget: number
  readonly #poll = (): void => this.#receive()
  #fd: number
  #more: boolean
  #retry: ReturnType<typeof setTimeout> | null

  constructor(kernel: Kernel, options: UnixDgramOptions) {
    checkPath(options.local)
    checkPath(options.remote)
    super(`unix:${options.local}`)
    this.stats = new DgramStats()
    this.#kernel = kernel
    this.#libc = libc()
    this.#local = options.local
    this.#remote = sockaddr(options.remote)
    this.#addresses = new MemoryAddress()
    this.#budget = options.budget ?? 64
    this.#more = false
    this.#retry = null
    this.#fd = bindPath(options.local)
    this.#block = kernel.mem.alloc(MAX_FRAME_BYTES, 64)
    this.#mem = this.#block.region.u8
    this.#slot = this.#addresses.of(this.#mem) + this.#block.offset
    this.#watcher = watchFd(this.#fd, { readable: () => this.#readable(), failed: () => this.#failed() })
    this.#watcher.start()
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const { bytes, address: to } = this.#remote
    const from = this.#addresses.of(mem) + offset
    const sent = this.#libc.sendto(this.#fd, from, length, MSG.DONTWAIT | MSG.NOSIGNAL, to, bytes.length)
    const number = sent < 0 ? this.#libc.errno() : 0
    if (number === E.AGAIN) return this.#full()
    this.taken(length)
    if (number === 0) this.counters.downFrames++
    else this.#lost(number)
    return true
  }

  /** Takes our end away. The card is unplugged first. */
  close(): void {
    if (this.#fd < 0) return
    this.attach(null)
    this.#watcher.close()
    closeFd(this.#fd)
    this.#fd = -1
    this.#kernel.mem.free(this.#block)
    unlinkIfThere(this.#local)
  }

  protected override stopped(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
  }

  #readable(): void {
    this.#more = true
    for (let round = 0; round < 4 && this.#more; round++) this.#kernel.hostInterrupt(this.#poll)
  }

  /** Reading takes the error away; the watcher has stopped. */
  #failed(): void {
    this.#readable()
    if (this.#fd >= 0) this.#watcher.start()
  }

  #receive(): void {
    for (let n = 0; n < this.#budget && this.#fd >= 0; n++) {
      const length = this.#libc.recv(this.#fd, this.#slot, MAX_FRAME_BYTES, MSG.DONTWAIT)
      if (length < 0) {
        this.#more = false
        if (this.#libc.errno() !== E.AGAIN) this.stats.rxErrors++
        return
      }
      this.counters.upFrames++
      this.offer(this.#mem, this.#block.offset, length)
    }
    if (this.#fd < 0) this.#more = false
  }

  #full(): boolean {
    this.stats.txFull++
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.#kernel.hostInterrupt(() => this.port?.writable())
    }, RETRY_MS)
    return false
  }

  #lost(number: number): void {
    this.counters.dropped++
    if (number === E.NOENT || number === E.CONNREFUSED || number === E.NOTCONN) this.stats.txNoPeer++
    else this.stats.txErrors++
  }
}

/** @throws Errno EADDRINUSE when another program has it */
function bindPath(path: string): number {
  const fd = sys('socket', [AF.UNIX, SOCK.DGRAM | SOCK.NONBLOCK | SOCK.CLOEXEC, 0])
  try {
    bindOrReplace(fd, path)
    return fd
  } catch (error) {
    closeFd(fd)
    throw error
  }
}

function bindOrReplace(fd: number, path: string): void {
  const address = sockaddr(path)
  try {
    bindSock(fd, address.bytes)
  } catch (error) {
    if (!(error instanceof Errno) || error.code !== 'EADDRINUSE') throw error
    const probe = libc().connect(fd, address.address, address.bytes.length)
    if (probe === 0 || libc().errno() !== E.CONNREFUSED || !lstatSync(path).isSocket()) {
      throw new Errno('EADDRINUSE', `${path} is taken by another program: end it, or choose another path`)
    }
    unlinkIfThere(path)
    bindSock(fd, address.bytes)
  }
}

function sockaddr(path: string): HostMemory {
  const text = new TextEncoder().encode(path)
  const memory = new HostMemory(2 + text.length + 1)
  memory.view.setUint16(0, AF.UNIX, true)
  memory.bytes.set(text, 2)
  return memory
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Somebody was faster.
  }
}

/**
 * Makes a datagram cable over Unix sockets, as QEMU's
 * `-netdev dgram,id=n0,local.type=unix,local.path=B,remote.type=unix,remote.path=A`. For UDP use `@vnet/backend-udp`.
 *
 * @throws Errno EADDRINUSE, what the host refused, EOPNOTSUPP on another system than Linux
 * @kernel none
 */
export function unixDgram(kernel: Kernel, options: UnixDgramOptions): UnixDgram {
  return new UnixDgram(kernel, options)
}

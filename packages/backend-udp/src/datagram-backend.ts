import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { BaseBackend } from '@vnet/backend'
import { Errno, ERRNO, prErr } from '@vnet/kernel'
import type { ErrnoName, Kernel } from '@vnet/kernel'
import { addressText } from './options.ts'
import type { UdpAddress, UdpCommonOptions } from './options.ts'
import { UdpStats } from './stats.ts'

/** Addresses are given as such: nobody is asked, and the answer comes at once. */
const lookup = (
  host: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void => done(null, host, host.includes(':') ? 6 : 4)

/**
 * What cables in UDP share: a socket, a fixed number of datagrams on their way.
 *
 * The link is up while the socket is bound: nobody says whether there is a peer.
 *
 * @kernel none
 */
export abstract class DatagramBackend extends BaseBackend {
  readonly stats: UdpStats
  /** Fulfilled when the socket is bound. Rejected with an `Errno` when it cannot be. */
  readonly ready: Promise<void>
  protected readonly kernel: Kernel
  readonly #socket: Socket
  readonly #maxFrame: number
  readonly #headerBytes: number
  readonly #free: Uint8Array[]
  #bound: boolean
  #closed: boolean
  #refused: boolean

  /** @param headerBytes - room before each frame */
  constructor(
    kernel: Kernel,
    local: UdpAddress,
    family: 4 | 6,
    headerBytes: number,
    options: UdpCommonOptions,
  ) {
    super(options.name ?? `udp ${addressText(local)}`)
    this.stats = new UdpStats()
    this.kernel = kernel
    this.#maxFrame = options.maxFrame ?? 9216
    this.#headerBytes = headerBytes
    this.#free = Array.from(
      { length: options.slots ?? 64 },
      () => new Uint8Array(headerBytes + this.#maxFrame),
    )
    this.#bound = false
    this.#closed = false
    this.#refused = false
    this.#socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', lookup })
    this.ready = this.#bind(local)
    // Who does not look at it finds it in the log.
    this.ready.catch((error: unknown) => prErr(kernel, `${this.name}: ${String(error)}`))
  }

  override get linkUp(): boolean {
    return this.#bound
  }

  /** The port the socket is bound to; 0 before `ready`. */
  get localPort(): number {
    return this.#bound ? this.#socket.address().port : 0
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.#bound || length > this.#maxFrame) {
      this.taken(length)
      this.counters.dropped++
      if (length > this.#maxFrame) this.stats.txOversize++
      return true
    }
    if (this.#free.length === 0) return this.#refuse()
    this.taken(length)
    this.counters.downFrames++
    const slot = this.#free.pop()!
    slot.set(mem.subarray(offset, offset + length), this.#headerBytes)
    this.send(slot, this.#headerBytes + length)
    return true
  }

  /** Gives the socket back. The card is unplugged first. */
  close(): void {
    if (this.#closed) return
    this.attach(null)
    this.#closed = true
    this.#bound = false
    this.#socket.close()
  }

  /** Sends a slot that holds a frame after room for a header, with `sendTo()`, then `done()`. */
  protected abstract send(slot: Uint8Array, length: number): void

  /** A datagram came. */
  protected abstract datagram(bytes: Uint8Array, from: RemoteInfo): void

  /** Sends one datagram. `done` is called once, when its bytes may be used again. */
  protected sendTo(bytes: Uint8Array, length: number, to: UdpAddress, done: () => void): void {
    this.#socket.send(bytes, 0, length, to.port, to.host, (error) => {
      if (error !== null) this.stats.txErrors++
      done()
    })
  }

  /** A slot is free again. */
  protected done(slot: Uint8Array): void {
    this.#free.push(slot)
    if (!this.#refused || this.#closed) return
    this.#refused = false
    this.kernel.hardware(() => this.port?.writable())
  }

  /** Hands a frame that came to the card. */
  protected bring(bytes: Uint8Array, at: number): void {
    this.counters.upFrames++
    this.kernel.hostInterrupt(() => this.offer(bytes, at, bytes.length - at))
  }

  protected override stopped(): void {
    this.#refused = false
  }

  #refuse(): boolean {
    this.#refused = true
    this.stats.txFull++
    return false
  }

  #bind(local: UdpAddress): Promise<void> {
    const socket = this.#socket
    socket.on('message', (bytes, from) => {
      // Not as a Buffer: its slice() shares memory, and a card that keeps one would be surprised.
      const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
      if (!this.#closed) this.datagram(plain, from)
    })
    return new Promise((resolve, reject) => {
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (this.#bound) prErr(this.kernel, `${this.name}: ${error.message}`)
        else reject(refusal(error, local))
      })
      socket.bind({ address: local.host, port: local.port, exclusive: true }, () => {
        this.#bound = !this.#closed
        resolve()
        if (this.#bound) this.kernel.hardware(() => this.port?.linkChange(true))
      })
    })
  }
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  EADDRINUSE:
    '$ is taken by another program, or by a vxlan interface of the host: choose another port or address',
  EACCES: 'this user may not bind $: choose a port of 1024 or above',
  EADDRNOTAVAIL: 'no interface here has the address of $',
}

function refusal(error: NodeJS.ErrnoException, local: UdpAddress): Error {
  const code = String(error.code)
  if (!(code in ERRNO)) return error
  return new Errno(code as ErrnoName, WHAT_TO_DO[code]?.replace('$', addressText(local)))
}

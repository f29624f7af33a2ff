import { BaseBackend } from '@vnet/backend'
import { closeFd, E, IFF, ifFlags, LinkMonitor, watchFd } from '@vnet/linux'
import type { FdWatcher, LinkEvent } from '@vnet/linux'
import { prInfo } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { queueOf } from './flow.ts'
import { openTap, setTapCarrier } from './open-tap.ts'
import type { OpenTap } from './open-tap.ts'
import { tapSettings } from './options.ts'
import type { TapOptions, TapSettings } from './options.ts'
import { TapStats } from './stats.ts'
import { TapIo } from './tap-io.ts'
import type { VirtioNetHdr } from './virtio-net-hdr.ts'

/** So long frames are taken before Node's loop gets a turn. */
const TURN_NS = 500_000
/** A descriptor that fails for no known reason is left alone for so long. */
const PAUSE_MS = 100
const DOWN = "the host's interface is down"
/** A TAP's queue holds 1,000 frames unless told otherwise; who sends on and on must not stop us here. */
const STALE_FRAMES = 10_000

/**
 * A TAP device of the host as a cable: what a card sends the host receives on the interface, and the other way round.
 *
 * The host sees a carrier while a card is plugged in; the card's link follows the interface: up once it runs, down while
 * it is set down or deleted. Made by `tapBackend()`.
 *
 * @kernel tun_chr_read_iter() drivers/net/tun.c
 */
export class TapBackend extends BaseBackend {
  readonly stats: TapStats
  readonly #kernel: Kernel
  readonly #settings: TapSettings
  readonly #io: TapIo
  readonly #monitor: LinkMonitor
  readonly #poll = (): void => this.#receive()
  #tap: OpenTap
  #watchers: FdWatcher[]
  #gone: boolean
  #closed: boolean
  #up: boolean
  /** The queue being read, and the length of the frame read last; below 0: there was none. */
  #fd: number
  #length: number
  #budget: number
  #refused: boolean
  #pause: ReturnType<typeof setTimeout> | null

  constructor(kernel: Kernel, options: TapOptions) {
    const settings = tapSettings(options)
    const tap = openTap(settings)
    super(tap.name)
    this.stats = new TapStats()
    this.#kernel = kernel
    this.#settings = { ...settings, name: tap.name }
    this.#io = new TapIo(kernel, settings.offload)
    this.#tap = tap
    this.#watchers = []
    this.#gone = false
    this.#closed = false
    this.#up = false
    this.#fd = -1
    this.#length = -E.AGAIN
    this.#budget = 0
    this.#refused = false
    this.#pause = null
    this.#setCarrier(false)
    try {
      this.#monitor = new LinkMonitor(
        (event) => this.#heard(event),
        () => this.#look(),
        settings.netns,
      )
    } catch (error) {
      this.#release()
      throw error
    }
    this.#look()
  }

  /** The name of the interface on the host. */
  get ifName(): string {
    return this.#tap.name
  }

  /** Its index there. */
  get ifIndex(): number {
    return this.#tap.index
  }

  /** With `offload`: what is missing from the frame the card is being offered. Valid during `receive()`. */
  get rxHeader(): VirtioNetHdr {
    return this.#io.rxHeader
  }

  /** With `offload`: what is missing from the frame of the next `transmit()`, which clears it. */
  get txHeader(): VirtioNetHdr {
    return this.#io.txHeader
  }

  override get linkUp(): boolean {
    return this.#up
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const { fds } = this.#tap
    const fd =
      fds.length === 0 ? -1 : fds.length === 1 ? fds[0]! : fds[queueOf(mem, offset, length, fds.length)]!
    const number = fd < 0 ? E.BADFD : this.#io.write(fd, mem, offset, length)
    if (number === E.AGAIN) return this.#refuse()
    this.taken(length)
    if (number === 0) this.counters.downFrames++
    else this.#lost(number)
    return true
  }

  /** Lets go of the TAP; unless it is persistent, it is gone. The card is unplugged first. */
  close(): void {
    if (this.#closed) return
    this.attach(null)
    this.#closed = true
    this.#monitor.close()
    this.#release()
    this.#up = false
  }

  protected override started(): void {
    this.#io.open()
    this.#throwStale()
    this.#setCarrier(true)
    this.#watch()
    this.#look()
  }

  protected override stopped(): void {
    this.#unwatch()
    this.#setCarrier(false)
    this.#refused = false
    this.#io.close()
  }

  // ── receive: the descriptor is the interrupt line ──

  /** Takes what there is, until Node's loop must have a turn. False when there is nothing. */
  #readable(fd: number): boolean {
    if (!this.#next(fd)) return false
    const kernel = this.#kernel
    this.stats.interrupts++
    this.#fd = fd
    // The first frame alone: its answer does not wait for a read that finds no second.
    this.#budget = 1
    kernel.hostInterrupt(this.#poll)
    this.#budget = this.#settings.budget
    const end = kernel.clock.lastSeen + TURN_NS
    while (this.#length >= 0 && this.#next(fd)) {
      kernel.hostInterrupt(this.#poll)
      if (kernel.clock.ktimeGet() >= end) break
    }
    return true
  }

  /** One budget of frames, the first of which was read; then the card's interrupts run. */
  #receive(): void {
    const io = this.#io
    let left = this.#budget
    do {
      this.counters.upFrames++
      this.offer(io.mem, io.offset, this.#length)
    } while (--left > 0 && this.#next(this.#fd))
  }

  /** Reads a frame. False when there is none, or nobody to offer it to. */
  #next(fd: number): boolean {
    // The card may be taken out while it is being offered frames.
    const length = this.port === null ? -E.AGAIN : this.#io.read(fd)
    this.#length = length
    if (length >= 0) return true
    if (length !== -E.AGAIN) this.#readFailed(-length)
    return false
  }

  #readFailed(number: number): void {
    if (number === E.INTR) return
    this.stats.rxErrors++
    if (number === E.BADFD || number === E.NODEV) this.#lose()
    else this.#rest()
  }

  // ── transmit: what the host refuses ──

  #refuse(): boolean {
    this.#refused = true
    for (const watcher of this.#watchers) watcher.wantWritable(true)
    return false
  }

  #writable(): void {
    for (const watcher of this.#watchers) watcher.wantWritable(false)
    if (!this.#refused) return
    this.#refused = false
    this.#kernel.hostInterrupt(() => this.port?.writable())
  }

  #lost(number: number): void {
    const { stats } = this
    this.counters.dropped++
    if (number === E.IO || number === E.BADFD || number === E.NODEV || number === E.NETDOWN) stats.txDown++
    else if (number === E.NOBUFS || number === E.NOMEM) stats.txNoBuffers++
    else if (number === E.INVAL || number === E.MSGSIZE) stats.txInvalid++
    else stats.txErrors++
  }

  // ── the interface comes and goes ──

  #heard(event: LinkEvent): void {
    if (this.#gone) {
      if (event.kind === 'link' && event.name === this.#settings.name) this.#reattach()
    } else if (event.index === this.#tap.index) {
      if (event.kind === 'gone') this.#lose()
      else this.#follow(event)
    }
  }

  #follow(event: LinkEvent): void {
    if (event.name !== '' && event.name !== this.#tap.name) this.#tap = { ...this.#tap, name: event.name }
    this.#setLink(isUp(event.flags), DOWN)
  }

  /** Looks what the interface is like now. */
  #look(): void {
    if (this.#gone) return this.#reattach()
    try {
      const flags = (): number => ifFlags(this.#tap.name)
      this.#setLink(isUp(this.#settings.netns?.run(flags) ?? flags()), DOWN)
    } catch {
      this.#lose()
    }
  }

  #lose(): void {
    if (this.#gone || this.#closed) return
    this.#gone = true
    this.#unwatch()
    this.#release()
    this.#setLink(false, 'deleted; it is attached to again when it is there again')
  }

  #reattach(): void {
    try {
      this.#tap = openTap({ ...this.#settings, mode: 'attach' })
    } catch {
      // Not one we may have, or not ready yet: the next event about it tries again.
      return
    }
    this.#gone = false
    this.stats.reattached++
    this.#setCarrier(this.port !== null)
    if (this.port !== null) this.#watch()
    this.#look()
  }

  #setLink(up: boolean, why: string): void {
    if (up === this.#up) return
    this.#up = up
    if (!up) this.stats.linkDowns++
    if (this.port === null) return
    prInfo(this.#kernel, up ? `${this.name}: the host's interface is up` : `${this.name}: ${why}`)
    this.#kernel.hardware(() => this.port?.linkChange(up))
  }

  // ── descriptors ──

  #watch(): void {
    const { linger, watch } = this.#settings
    this.#watchers = this.#tap.fds.map((fd) => {
      const handler = {
        readable: linger ? () => this.#readable(fd) : () => void this.#readable(fd),
        writable: () => this.#writable(),
        failed: () => this.#failed(fd),
      }
      const watcher = watchFd(fd, handler, watch)
      watcher.start()
      return watcher
    })
  }

  /** The descriptor reports an error: a read says which. */
  #failed(fd: number): void {
    const length = this.#io.read(fd)
    if (length === -E.BADFD || length === -E.NODEV) this.#lose()
    else this.#rest()
  }

  /** Errors that come at once again must not keep the loop busy. */
  #rest(): void {
    this.#unwatch()
    this.#pause = setTimeout(() => {
      this.#pause = null
      if (this.port !== null && !this.#gone) this.#watch()
    }, PAUSE_MS)
  }

  #unwatch(): void {
    if (this.#pause !== null) clearTimeout(this.#pause)
    this.#pause = null
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  #throwStale(): void {
    for (const fd of this.#tap.fds) {
      for (let n = 0; n < STALE_FRAMES && this.#io.read(fd) >= 0; n++) this.stats.rxStale++
    }
  }

  #setCarrier(on: boolean): void {
    if (this.#tap.fds.length > 0) setTapCarrier(this.#tap.fds[0]!, on)
  }

  #release(): void {
    this.#tap.fds.forEach(closeFd)
    this.#tap = { ...this.#tap, fds: [] }
  }
}

/** Until the host runs the interface it drops what it would send on it, so the link is not there before. */
function isUp(flags: number): boolean {
  return (flags & IFF.UP) !== 0 && (flags & IFF.RUNNING) !== 0
}

/**
 * Makes a TAP of the host, or takes one that is there, as a cable.
 *
 * Its frames come from Node's loop, so the kernel must run on the real clock. Call `close()` when done.
 *
 * @throws Errno EINVAL for options that make no sense; and what the host refused, with what to do about it:
 * EOPNOTSUPP on another system than Linux, ENOENT and ENODEV without /dev/net/tun, EACCES and EPERM without the right
 * to, EBUSY for a name that is taken
 * @kernel TUNSETIFF drivers/net/tun.c
 */
export function tapBackend(kernel: Kernel, options: TapOptions = {}): TapBackend {
  return new TapBackend(kernel, options)
}

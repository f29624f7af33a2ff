import { BaseBackend } from '@vnet/backend'
import { E, IFF, ifFlags, ifMtu, libc, LinkMonitor, MemoryAddress, MSG, watchFd } from '@vnet/linux'
import type { FdWatcher, Libc, LinkEvent } from '@vnet/linux'
import { prInfo } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { finishChecksum, IpLayout } from './checksum.ts'
import { closePacket, openPacket, pendingError, ringDrops } from './open-packet.ts'
import type { OpenPacket } from './open-packet.ts'
import { packetSettings } from './options.ts'
import type { PacketOptions, PacketSettings } from './options.ts'
import { TP_STATUS } from './rx-ring.ts'
import type { RxRing } from './rx-ring.ts'
import { TcpSegmenter } from './segmenter.ts'
import { PacketStats } from './stats.ts'

/** So long frames are taken before Node's loop gets a turn. */
const TURN_NS = 500_000
/** Errors that come at once again are looked at after so long. */
const PAUSE_MS = 100
/** An Ethernet header with two VLAN tags. */
const HEADER_BYTES = 14 + 8

/**
 * An interface of the host as a cable: what a card sends leaves by it, and the card gets what arrives there, in place
 * from the ring the kernel fills. Made by `packetBackend()`.
 *
 * The link is up while the interface is up and has a carrier. The host's own stack goes on using the interface.
 *
 * @kernel tpacket_rcv() net/packet/af_packet.c
 */
export class PacketBackend extends BaseBackend {
  readonly stats: PacketStats
  readonly #kernel: Kernel
  readonly #settings: PacketSettings
  readonly #libc: Libc
  readonly #addresses: MemoryAddress
  readonly #monitor: LinkMonitor
  readonly #poll = (): void => this.#receive()
  #open: OpenPacket | null
  #index: number
  #watcher: FdWatcher | null
  #closed: boolean
  #up: boolean
  #more: boolean
  #mtu: number
  readonly #layout: IpLayout
  readonly #segmenter: TcpSegmenter
  #refused: boolean
  #pause: ReturnType<typeof setTimeout> | null

  constructor(kernel: Kernel, options: PacketOptions) {
    const settings = packetSettings(options)
    super(settings.name)
    this.stats = new PacketStats()
    this.#kernel = kernel
    this.#settings = settings
    this.#libc = libc()
    this.#addresses = new MemoryAddress()
    this.#watcher = null
    this.#closed = false
    this.#up = false
    this.#more = false
    this.#mtu = 0
    this.#layout = new IpLayout()
    this.#segmenter = new TcpSegmenter()
    this.#refused = false
    this.#pause = null
    // Opened to see whether it can be, and again for each card: what came before a card is not for it.
    this.#open = null
    const probe = openPacket(settings)
    this.#index = probe.index
    closePacket(probe)
    this.#monitor = new LinkMonitor(
      (event) => this.#heard(event),
      () => this.#look(),
      settings.netns,
    )
    this.#look()
  }

  override get linkUp(): boolean {
    return this.#up
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const fd = this.#open === null ? -1 : this.#open.fd
    const number = fd < 0 ? E.NETDOWN : this.#send(fd, this.#addresses.of(mem) + offset, length)
    if (number === E.AGAIN) return this.#refuse()
    this.taken(length)
    if (number === 0) this.counters.downFrames++
    else this.#lost(number)
    return true
  }

  /** Asks the host how many frames its ring had no room for. The sum is in `stats.rxRingDrops`. */
  readDrops(): number {
    if (this.#open !== null) this.stats.rxRingDrops += ringDrops(this.#open.fd)
    return this.stats.rxRingDrops
  }

  /** Lets go of the interface. The card is unplugged first. */
  close(): void {
    if (this.#closed) return
    this.attach(null)
    this.#closed = true
    this.#monitor.close()
    this.#up = false
  }

  protected override started(): void {
    if (this.#index !== 0) this.#start()
  }

  protected override stopped(): void {
    this.#stop()
    this.#refused = false
  }

  // ── receive: the ring is the card's, the descriptor its interrupt line ──

  #readable(): void {
    this.stats.interrupts++
    this.#more = true
    const { clock } = this.#kernel
    const end = clock.ktimeGet() + TURN_NS
    // What the first frames cause happens before more are looked at.
    this.#kernel.hostInterrupt(this.#poll)
    while (this.#more && clock.ktimeGet() < end) this.#kernel.hardware(this.#poll)
  }

  #receive(): void {
    const { budget } = this.#settings
    const ring = this.#open === null ? null : this.#open.ring
    const longest = this.#mtu + HEADER_BYTES
    if (ring === null) {
      this.#more = false
      return
    }
    for (let n = 0; n < budget; n++) {
      if (!ring.next()) {
        this.#more = false
        return
      }
      this.counters.upFrames++
      if (ring.odd || ring.length > longest) this.#odd(ring)
      else this.offer(ring.mem, ring.offset, ring.length)
      // The card may be taken out while it is being offered frames, and the ring goes with it.
      if (this.port === null) {
        this.#more = false
        return
      }
    }
  }

  #odd(ring: RxRing): void {
    const { counters, stats } = this
    if (ring.truncated || (ring.outgoing && !this.#settings.outgoing)) {
      counters.dropped++
      if (ring.truncated) stats.rxTruncated++
      else stats.rxOutgoing++
      return
    }
    if ((ring.status & TP_STATUS.LOSING) !== 0) this.readDrops()
    if (ring.length > this.#mtu + HEADER_BYTES) this.#cut(ring)
    else {
      if ((ring.status & TP_STATUS.CSUMNOTREADY) !== 0) this.#finish(ring)
      this.offer(ring.mem, ring.offset, ring.length)
    }
  }

  #finish(ring: RxRing): void {
    if (finishChecksum(ring.mem, ring.offset, ring.length, this.#layout)) this.stats.rxChecksums++
  }

  /** The host left it to a card to cut the frame. */
  #cut(ring: RxRing): void {
    const segmenter = this.#segmenter
    if (!segmenter.begin(ring.mem, ring.offset, ring.length, this.#mtu)) {
      this.stats.rxOversize++
      this.counters.dropped++
      return
    }
    this.stats.rxSegmented++
    let length = segmenter.next()
    this.offer(segmenter.mem, 0, length)
    while ((length = segmenter.next()) > 0) {
      this.counters.made++
      this.offer(segmenter.mem, 0, length)
    }
  }

  // ── transmit ──

  #send(fd: number, address: number, length: number): number {
    const sent = this.#libc.send(fd, address, length, MSG.DONTWAIT)
    return sent < 0 ? this.#libc.errno() : 0
  }

  #refuse(): boolean {
    this.#refused = true
    this.#watcher?.wantWritable(true)
    return false
  }

  #writable(): void {
    this.#watcher?.wantWritable(false)
    if (!this.#refused) return
    this.#refused = false
    this.#kernel.hostInterrupt(() => this.port?.writable())
  }

  #lost(number: number): void {
    const { stats } = this
    this.counters.dropped++
    if (number === E.NETDOWN || number === E.NXIO || number === E.NODEV) stats.txDown++
    else if (number === E.NOBUFS || number === E.NOMEM) stats.txNoBuffers++
    else if (number === E.MSGSIZE) stats.txOversize++
    else stats.txErrors++
  }

  // ── the interface comes and goes ──

  #heard(event: LinkEvent): void {
    if (this.#index === 0) {
      if (event.kind === 'link' && event.name === this.#settings.name) this.#reopen()
    } else if (event.index === this.#index) {
      if (event.kind === 'gone') this.#lose()
      else this.#follow(event.flags)
    }
  }

  #look(): void {
    if (this.#index === 0) return this.#reopen()
    try {
      this.#follow(this.#inside(() => ifFlags(this.#settings.name)))
    } catch {
      this.#lose()
    }
  }

  #follow(flags: number): void {
    try {
      this.#mtu = this.#inside(() => ifMtu(this.#settings.name))
    } catch {
      // It is just going: the next event says so.
    }
    this.#setLink(isUp(flags), 'is down, or has no carrier')
  }

  #inside(look: () => number): number {
    return this.#settings.netns === undefined ? look() : this.#settings.netns.run(look)
  }

  #lose(): void {
    this.#index = 0
    this.#stop()
    this.#setLink(false, 'was deleted; it is opened again when it is there again')
  }

  #reopen(): void {
    try {
      const probe = openPacket(this.#settings)
      this.#index = probe.index
      closePacket(probe)
      if (this.port !== null) this.#start()
    } catch {
      // Not ready yet: the next event about it tries again.
      this.#index = 0
      return
    }
    this.stats.reopened++
    this.#look()
  }

  #setLink(up: boolean, why: string): void {
    if (up === this.#up) return
    this.#up = up
    if (!up) this.stats.linkDowns++
    if (this.port === null) return
    prInfo(this.#kernel, `${this.name}: the host's interface ${up ? 'is up' : why}`)
    this.#kernel.hardware(() => this.port?.linkChange(up))
  }

  // ── the descriptor ──

  #start(): void {
    this.#open = openPacket(this.#settings)
    const handler = {
      readable: () => this.#readable(),
      writable: () => this.#writable(),
      failed: () => this.#failed(),
    }
    this.#watcher = watchFd(this.#open.fd, handler, this.#settings.watch)
    this.#watcher.start()
  }

  /** An interface that was set down says so once, and the socket is good again when it is up. */
  #failed(): void {
    if (this.#open === null) return
    if (pendingError(this.#open.fd) !== 0) this.#watcher?.start()
    else {
      this.#pause = setTimeout(() => {
        this.#pause = null
        this.#watcher?.start()
      }, PAUSE_MS)
    }
  }

  #stop(): void {
    if (this.#pause !== null) clearTimeout(this.#pause)
    this.#pause = null
    this.#watcher?.close()
    this.#watcher = null
    if (this.#open !== null) {
      this.readDrops()
      closePacket(this.#open)
    }
    this.#open = null
    this.#more = false
  }
}

function isUp(flags: number): boolean {
  return (flags & IFF.UP) !== 0 && (flags & IFF.RUNNING) !== 0
}

/**
 * Takes an interface of the host as a cable.
 *
 * Its frames come from Node's loop, so the kernel must run on the real clock. Call `close()` when done.
 *
 * @throws Errno EINVAL for options that make no sense; and what the host refused, with what to do about it:
 * EOPNOTSUPP on another system than Linux, EPERM without the right to, ENODEV for an interface that is not there
 * @kernel packet_create() net/packet/af_packet.c
 */
export function packetBackend(kernel: Kernel, options: PacketOptions): PacketBackend {
  return new PacketBackend(kernel, options)
}

import { Errno, ERRNO } from '@vnet/kernel'
import type { ErrnoName, Kernel } from '@vnet/kernel'
import {
  consumeSkb,
  devAddPack,
  devGetByIndex,
  devRemovePack,
  Iff,
  NET_RX_SUCCESS,
  PACKET_LOOPBACK,
  PACKET_OUTGOING,
} from '@vnet/netdev'
import type { NetDevice, PacketType, SkBuff } from '@vnet/netdev'
import { SockAf, SockMsgFlag, SockType } from '@vnet/netlink'
import type { IoctlCaller, Sock, SockMsg, SockReceived } from '@vnet/netlink'
import type { BpfProgram } from './bpf.ts'
import { bpfContext, capture, captureOffset, copyPacket } from './captured.ts'
import type { CapturedPacket } from './captured.ts'
import { TPacket } from './constants.ts'
import { controlOf } from './control.ts'
import type { ControlWish } from './control.ts'
import type { PacketFamily } from './family.ts'
import { Memberships } from './membership.ts'
import { getPacketOption, setPacketOption } from './packet-options.ts'
import { DEFAULT_RCVBUF, PacketQueue } from './packet-queue.ts'
import { checkRequest, HEADER_LEN, parseRequest } from './ring.ts'
import type { PacketRing } from './ring.ts'
import { SlotRing } from './ring-v2.ts'
import { BlockRing } from './ring-v3.ts'
import { packetSend } from './send.ts'
import { packetName, parseBind, parseDestination, sockaddrLl } from './sockaddr-ll.ts'

/** Bytes waiting to be read. @kernel SIOCINQ include/uapi/linux/sockios.h */
const SIOCINQ = 0x541b
/** A device that is gone, as a socket bound to it says. */
const GONE = -1
/** Most bytes between a frame's header and the frame. */
const MAX_RESERVE = 0x7fff

/**
 * A packet socket: sees frames of a device, or of all, and sends frames.
 *
 * @kernel struct packet_sock net/packet/internal.h
 */
export class PacketSock implements Sock {
  readonly family = SockAf.PACKET
  readonly type: number
  readonly protocol: number
  readonly capNetAdmin: boolean
  readonly memberships: Memberships
  readonly queue = new PacketQueue()
  readonly wish: ControlWish = { auxdata: false, timestamp: null }
  onReadable: (() => void) | null = null
  filter: BpfProgram | null = null
  ignoreOutgoing = false
  sndbuf = DEFAULT_RCVBUF
  /** Layout of rings, {@link TPacket}, and the room in front of each frame. */
  version: number = TPacket.V1
  reserve = 0
  readonly #family: PacketFamily
  /** What it listens to, in host order; 0: nothing. */
  #num: number
  #ifindex = 0
  #dev: NetDevice<any> | null = null
  #hook: PacketType | null = null
  #ring: PacketRing | null = null
  #error: ErrnoName | null = null
  #packets = 0
  #drops = 0
  #freezesRead = 0
  #sending = false
  #closed = false

  constructor(family: PacketFamily, type: number, protocol: number, capNetAdmin: boolean) {
    this.#family = family
    this.type = type
    this.protocol = protocol
    this.capNetAdmin = capNetAdmin
    this.memberships = new Memberships(family.kernel)
    this.#num = ((protocol & 0xff) << 8) | ((protocol >> 8) & 0xff)
    if (this.#num !== 0) this.#listen()
  }

  get #kernel(): Kernel {
    return this.#family.kernel
  }

  get readable(): boolean {
    return this.#error !== null || !this.queue.empty || this.#ring?.readable === true
  }

  // ── where it listens

  /** @kernel packet_do_bind() net/packet/af_packet.c */
  bind(address: Uint8Array): void {
    const { ifindex, protocol } = parseBind(address)
    const dev = ifindex === 0 ? null : devGetByIndex(this.#kernel, ifindex)
    if (dev === undefined) throw new Errno('ENODEV')
    this.#ignore()
    this.#num = protocol === 0 ? this.#num : protocol
    this.#dev = dev
    this.#ifindex = ifindex
    if (this.#num === 0) return
    if (dev === null || (dev.flags & Iff.UP) !== 0) this.#listen()
    else this.#fail('ENETDOWN')
  }

  connect(): void {
    throw new Errno('EOPNOTSUPP')
  }

  getsockname(): Uint8Array {
    return packetName(this.#num, this.#ifindex, this.#dev)
  }

  #listen(): void {
    this.#hook = { type: this.#num, dev: this.#dev, func: (skb, dev) => this.#receive(skb, dev) }
    devAddPack(this.#kernel, this.#hook)
  }

  #ignore(): void {
    if (this.#hook !== null) devRemovePack(this.#kernel, this.#hook)
    this.#hook = null
  }

  /** @kernel packet_notifier() net/packet/af_packet.c */
  deviceUp(dev: NetDevice<any>): void {
    if (dev === this.#dev && this.#num !== 0 && this.#hook === null) this.#listen()
  }

  /** A device goes down, or away; rtnl is held. @kernel packet_notifier() net/packet/af_packet.c */
  deviceDown(dev: NetDevice<any>, away: boolean): void {
    if (away) this.memberships.forget(dev)
    if (dev !== this.#dev) return
    if (this.#hook !== null) {
      this.#ignore()
      this.#fail('ENETDOWN')
    }
    if (!away) return
    this.#dev = null
    this.#ifindex = GONE
  }

  #fail(code: ErrnoName): void {
    this.#error = code
    this.onReadable?.()
  }

  /** The error that waits, as a number; it is told once. */
  takeError(): number {
    const code = this.#error
    this.#error = null
    return code === null ? 0 : ERRNO[code]
  }

  // ── packets in

  /** Softirq context, and process context for what is sent. @kernel packet_rcv() net/packet/af_packet.c */
  #receive(skb: SkBuff, dev: NetDevice<any>): number {
    if (this.#wants(skb)) this.#take(skb, dev)
    consumeSkb(skb)
    return NET_RX_SUCCESS
  }

  #wants(skb: SkBuff): boolean {
    if (skb.pktType === PACKET_LOOPBACK) return false
    return skb.pktType !== PACKET_OUTGOING || (!this.ignoreOutgoing && !this.#sending)
  }

  #take(skb: SkBuff, dev: NetDevice<any>): void {
    const cooked = this.type === SockType.DGRAM
    const offset = captureOffset(skb, cooked)
    const { scratch } = this.#family
    const length = copyPacket(skb, offset, scratch)
    if (length < 0) return
    const networkOffset = Math.max(0, skb.networkHeader - skb.data - offset)
    let keep = this.filter === null ? length : this.#runFilter(skb, dev, length, networkOffset)
    if (keep === 0) return
    if (this.#ring !== null) keep = Math.min(keep, this.#ring.room(networkOffset))
    const bytes = scratch.slice(0, Math.min(keep, length))
    this.#keep(capture(skb, dev, bytes, length, networkOffset, this.#family.now()))
  }

  #runFilter(skb: SkBuff, dev: NetDevice<any>, length: number, networkOffset: number): number {
    return this.filter!.run(bpfContext(skb, dev, this.#family.scratch, length, networkOffset))
  }

  #keep(packet: CapturedPacket): void {
    const ring = this.#ring
    const wasEmpty = this.queue.empty
    if (!(ring === null ? this.queue.put(packet) : ring.put(packet))) {
      this.#drops++
      return
    }
    this.#packets++
    if (ring === null && wasEmpty) this.onReadable?.()
  }

  /** What arrived, what of it was lost, and how often a ring was full, since the last question. */
  takeStatistics(): { packets: number; drops: number; freezes: number } {
    const freezes = (this.#ring?.freezes ?? 0) - this.#freezesRead
    const out = { packets: this.#packets + this.#drops, drops: this.#drops, freezes }
    this.#packets = 0
    this.#drops = 0
    this.#freezesRead += freezes
    return out
  }

  // ── messages

  /** @kernel packet_recvmsg() net/packet/af_packet.c */
  recvmsg(max: number, flags: number): SockReceived | null {
    const known = SockMsgFlag.PEEK | SockMsgFlag.DONTWAIT | SockMsgFlag.TRUNC | SockMsgFlag.ERRQUEUE
    if ((flags & ~known) !== 0) throw new Errno('EINVAL')
    // Times of what was sent would come here.
    if ((flags & SockMsgFlag.ERRQUEUE) !== 0) return null
    const error = this.#error
    this.#error = null
    if (error !== null) throw new Errno(error)
    const packet = (flags & SockMsgFlag.PEEK) === 0 ? this.queue.take() : this.queue.peek()
    if (packet === undefined) return null
    const bytes = packet.bytes.subarray(0, max)
    const address = sockaddrLl(packet.from)
    const base = { bytes, address, fullLength: packet.bytes.length, flags: 0 }
    const control = controlOf(this.wish, packet)
    return control === undefined ? base : { ...base, control }
  }

  /** @kernel packet_sendmsg() net/packet/af_packet.c */
  sendmsg(msg: SockMsg): number {
    const to = msg.address === null ? null : parseDestination(msg.address)
    const dev = to === null ? this.#dev : (devGetByIndex(this.#kernel, to.ifindex) ?? null)
    if (dev === null) throw new Errno('ENXIO')
    const cooked = this.type === SockType.DGRAM
    this.#sending = true
    try {
      packetSend({
        kernel: this.#kernel,
        dev,
        bytes: msg.bytes,
        protocol: to === null ? this.#num : to.protocol,
        to: cooked ? (to?.addr ?? new Uint8Array(0)) : null,
      })
    } finally {
      this.#sending = false
    }
    return msg.bytes.length
  }

  // ── options

  setsockopt(level: number, name: number, value: Uint8Array): void {
    setPacketOption(this, level, name, value)
  }

  getsockopt(level: number, name: number, asked: Uint8Array): Uint8Array {
    return getPacketOption(this, level, name, asked)
  }

  /** @throws Errno EBUSY, EINVAL */
  setVersion(version: number): void {
    if (HEADER_LEN[version] === undefined) throw new Errno('EINVAL')
    if (this.#ring !== null) throw new Errno('EBUSY')
    this.version = version
  }

  /** @throws Errno EBUSY, EINVAL */
  setReserve(bytes: number): void {
    if (bytes < 0 || bytes > MAX_RESERVE) throw new Errno('EINVAL')
    if (this.#ring !== null) throw new Errno('EBUSY')
    this.reserve = bytes
  }

  /**
   * Makes a ring, or with no blocks takes it away.
   *
   * @throws Errno EINVAL, EBUSY, ENOMEM, ENOPROTOOPT where nothing can be mapped
   * @kernel packet_set_ring() net/packet/af_packet.c
   */
  setRing(value: Uint8Array): void {
    const request = parseRequest(value, this.version)
    if (request.blockCount === 0) {
      if (request.frameCount !== 0) throw new Errno('EINVAL')
      this.#dropRing()
      return
    }
    if (this.#ring !== null) throw new Errno('EBUSY')
    checkRequest(request, this.version, this.reserve)
    const { sharedFile } = this.#family
    if (sharedFile === null || this.version === TPacket.V1) throw new Errno('ENOPROTOOPT')
    const file = sharedFile(request.blockSize * request.blockCount)
    const owner = { kernel: this.#kernel, now: () => this.#family.now(), wake: () => this.onReadable?.() }
    this.queue.clear()
    this.#freezesRead = 0
    this.#ring =
      this.version === TPacket.V3
        ? new BlockRing(owner, file, request, this.reserve)
        : new SlotRing(owner, file, request, this.reserve)
  }

  #dropRing(): void {
    this.#ring?.close()
    this.#ring = null
  }

  /** @kernel packet_mmap() net/packet/af_packet.c */
  mmap(length: number): string {
    if (this.#ring === null || length !== this.#ring.file.bytes.length) throw new Errno('EINVAL')
    return this.#ring.file.path
  }

  /** @kernel packet_ioctl() net/packet/af_packet.c */
  ioctl(caller: IoctlCaller, request: number, argument: bigint): boolean {
    if (request !== SIOCINQ) return false
    const length = this.queue.peek()?.bytes.length ?? 0
    caller.memory.copyToUser(argument, new Uint8Array(Int32Array.of(length).buffer))
    return true
  }

  /** @kernel packet_release() net/packet/af_packet.c */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ignore()
    this.#dropRing()
    this.queue.clear()
    this.memberships.flush()
    this.#family.forget(this)
  }
}

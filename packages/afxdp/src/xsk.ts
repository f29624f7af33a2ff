import { DESC_RING_INDEX_BYTES, SharedDescRing, type DescRingRole } from '@vnet/core-ring'
import { Errno } from '@vnet/kernel'
import {
  bindSock,
  closeFd,
  E,
  getSockBytes,
  libc,
  Mapping,
  MMAP,
  setSockBytes,
  setSockInt,
  SOCK,
  sys,
} from '@vnet/linux'

const AF_XDP = 44
const SOL_XDP = 283
/** @kernel XDP_MMAP_OFFSETS include/uapi/linux/if_xdp.h */
const Opt = {
  MMAP_OFFSETS: 1,
  RX_RING: 2,
  TX_RING: 3,
  UMEM_REG: 4,
  FILL: 5,
  COMPLETION: 6,
  STATISTICS: 7,
} as const
/** What to map to get a ring. @kernel XDP_PGOFF_RX_RING include/uapi/linux/if_xdp.h */
const PGOFF = { rx: 0, tx: 0x80000000, fill: 0x100000000, completion: 0x180000000 } as const
const OFFSETS: readonly RingName[] = ['rx', 'tx', 'fill', 'completion']
type RingName = keyof typeof PGOFF
/** @kernel XDP_COPY include/uapi/linux/if_xdp.h */
const BIND = { COPY: 1 << 1, ZEROCOPY: 1 << 2 } as const
/** The consumer's index lies two cache lines behind the producer's, as core-ring has it. */
const CONS_OFFSET = 128

/** What an AF_XDP socket is made with. */
export interface XskOptions {
  readonly ifindex: number
  readonly queue: number
  /** Buffers the socket's memory is cut into, and bytes of each. */
  readonly chunks: number
  readonly chunkSize: number
  /** Descriptors in each ring: a power of two. */
  readonly rxSize: number
  readonly txSize: number
  /** Ask for zero copy; refused by most drivers. */
  readonly zeroCopy: boolean
}

/** Frames the kernel could not give to the socket. @kernel struct xdp_statistics include/uapi/linux/if_xdp.h */
export interface XskStatistics {
  readonly rxDropped: number
  readonly rxRingFull: number
  readonly rxFillRingEmpty: number
}

/**
 * An AF_XDP socket: its memory and its four rings, which are `SharedDescRing`s whose other end is the kernel.
 *
 * @kernel struct xdp_sock include/net/xdp_sock.h
 * @rule RING-05 RING-06
 */
export class Xsk {
  readonly fd: number
  readonly umem: Mapping
  /** Buffers for the kernel to fill: u64 addresses. */
  readonly fill: SharedDescRing
  /** Frames received: u64 address, u32 length, u32 options. */
  readonly rx: SharedDescRing
  /** Frames to send, of the same form. */
  readonly tx: SharedDescRing
  /** Buffers sent, to be used again: u64 addresses. */
  readonly completion: SharedDescRing
  readonly #maps: Mapping[] = []

  /** @throws Errno EPERM, EBUSY when the queue has a socket, ENOBUFS/ENOMEM when too much memory would be locked */
  constructor(options: XskOptions) {
    this.fd = sys('socket', [AF_XDP, SOCK.RAW | SOCK.CLOEXEC, 0], (number) =>
      number === E.PERM ? 'an AF_XDP socket needs root (CAP_NET_RAW)' : undefined,
    )
    try {
      this.umem = this.#keep(anonymous(options.chunks * options.chunkSize))
      this.#register(options)
      const offsets = getSockBytes(this.fd, SOL_XDP, Opt.MMAP_OFFSETS, 128)
      this.fill = this.#ring('fill', offsets, options.rxSize, 2, 'producer')
      this.completion = this.#ring('completion', offsets, options.txSize, 2, 'device')
      this.rx = this.#ring('rx', offsets, options.rxSize, 4, 'device')
      this.tx = this.#ring('tx', offsets, options.txSize, 4, 'producer')
      this.#bind(options)
    } catch (error) {
      this.closeSocket()
      this.unmap()
      throw error
    }
  }

  #keep(mapping: Mapping): Mapping {
    this.#maps.push(mapping)
    return mapping
  }

  /** @kernel struct xdp_umem_reg include/uapi/linux/if_xdp.h */
  #register({ chunks, chunkSize, rxSize, txSize }: XskOptions): void {
    const reg = new DataView(new ArrayBuffer(32))
    reg.setBigUint64(0, BigInt(this.umem.address), true)
    reg.setBigUint64(8, BigInt(chunks * chunkSize), true)
    reg.setUint32(16, chunkSize, true)
    setSockBytes(this.fd, SOL_XDP, Opt.UMEM_REG, new Uint8Array(reg.buffer))
    setSockInt(this.fd, SOL_XDP, Opt.FILL, rxSize)
    setSockInt(this.fd, SOL_XDP, Opt.COMPLETION, txSize)
    setSockInt(this.fd, SOL_XDP, Opt.RX_RING, rxSize)
    setSockInt(this.fd, SOL_XDP, Opt.TX_RING, txSize)
  }

  #ring(
    name: RingName,
    offsets: Uint8Array,
    size: number,
    descWords: number,
    role: DescRingRole,
  ): SharedDescRing {
    const view = new DataView(offsets.buffer, offsets.byteOffset)
    const at = OFFSETS.indexOf(name) * 32
    const [producer, consumer, desc] = [0, 8, 16].map((o) => Number(view.getBigUint64(at + o, true)))
    if (consumer! - producer! !== CONS_OFFSET || desc! < producer! + DESC_RING_INDEX_BYTES) {
      throw new Errno(
        'EOPNOTSUPP',
        `this kernel lays its AF_XDP rings out in another way (${producer}, ${consumer}, ${desc})`,
      )
    }
    const bytes = desc! + size * descWords * 4
    const mapping = this.#keep(new Mapping(this.fd, bytes, MMAP.SHARED | MMAP_POPULATE, PGOFF[name]))
    const layout = { memory: mapping.buffer, descOffset: desc!, indexOffset: producer!, size, descWords }
    return new SharedDescRing(layout, role)
  }

  #bind({ ifindex, queue, zeroCopy }: XskOptions): void {
    const address = new DataView(new ArrayBuffer(16))
    address.setUint16(0, AF_XDP, true)
    address.setUint16(2, zeroCopy ? BIND.ZEROCOPY : BIND.COPY, true)
    address.setUint32(4, ifindex, true)
    address.setUint32(8, queue, true)
    const bytes = new Uint8Array(address.buffer)
    for (let tries = BIND_TRIES; ; tries--) {
      try {
        bindSock(this.fd, bytes, (number) => bindRefusal(number, queue, zeroCopy))
        return
      } catch (error) {
        // The kernel takes the last owner's socket apart in its own time.
        if (!(error instanceof Errno) || error.code !== 'EBUSY' || tries === 0) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BIND_PAUSE_MS)
      }
    }
  }

  /** Asks the kernel to send what is posted. @returns false when some is left for another call */
  kick(): boolean {
    const c = libc()
    if (c.send(this.fd, 0, 0, MSG_DONTWAIT) !== -1) return true
    const number = c.errno()
    return number !== E.AGAIN && number !== E.BUSY && number !== E.NOBUFS
  }

  get statistics(): XskStatistics {
    const view = new DataView(getSockBytes(this.fd, SOL_XDP, Opt.STATISTICS, 48).buffer)
    const word = (i: number): number => Number(view.getBigUint64(i * 8, true))
    return { rxDropped: word(0), rxRingFull: word(3), rxFillRingEmpty: word(4) }
  }

  /** The kernel lets go of the queue and of the memory. */
  closeSocket(): void {
    closeFd(this.fd)
  }

  /** Gives the memory back: when no frame lies in it any more. */
  unmap(): void {
    for (const mapping of this.#maps.splice(0)) mapping.unmap()
  }
}

const BIND_TRIES = 50
const BIND_PAUSE_MS = 10
const MMAP_POPULATE = 0x8000
const MSG_DONTWAIT = 0x40

function anonymous(bytes: number): Mapping {
  return new Mapping(-1, bytes, MMAP.PRIVATE | MMAP.ANONYMOUS | MMAP_POPULATE)
}

function bindRefusal(number: number, queue: number, zeroCopy: boolean): string {
  if (number === E.BUSY)
    return `queue ${queue} has an AF_XDP socket already; one that just ended may need a moment`
  if (zeroCopy) return 'the driver of this interface cannot do zero copy: leave zeroCopy out'
  return `queue ${queue} of this interface cannot be used by AF_XDP`
}

import { E, HostMemory, libc, MemoryAddress } from '@vnet/linux'
import type { Libc } from '@vnet/linux'
import type { Kernel, MemoryBlock } from '@vnet/kernel'
import { VIRTIO_NET_HDR_BYTES, VirtioNetHdr } from './virtio-net-hdr.ts'

/** The largest frame a TAP carries: 64 KiB and its headers. */
const FRAME_BYTES = 65_536 + 256
/** Where a frame starts in its slot: its IP header on a multiple of four, as in a card's buffer, the header before it. */
const FRAME_AT = 66
const NO_MEMORY = new Uint8Array(0)

/**
 * Reads and writes frames of a TAP. Nothing is allocated per frame.
 *
 * Frames are read into the kernel's own memory: a card copies within one view then, which makes no view per frame.
 */
export class TapIo {
  /** The frame read last lies here, from `offset` on. */
  mem: Uint8Array
  offset: number
  readonly rxHeader: VirtioNetHdr
  readonly txHeader: VirtioNetHdr
  readonly #kernel: Kernel
  readonly #libc: Libc
  readonly #headers: HostMemory
  readonly #vectors: HostMemory
  readonly #addresses: MemoryAddress
  readonly #headerBytes: number
  #block: MemoryBlock | null
  #slot: number

  constructor(kernel: Kernel, offload: boolean) {
    this.mem = NO_MEMORY
    this.offset = 0
    this.#kernel = kernel
    this.#libc = libc()
    this.#headers = new HostMemory(32)
    this.#vectors = new HostMemory(32)
    this.rxHeader = new VirtioNetHdr(this.#headers.bytes.buffer, 0)
    this.txHeader = new VirtioNetHdr(this.#headers.bytes.buffer, 16)
    this.#addresses = new MemoryAddress()
    this.#headerBytes = offload ? VIRTIO_NET_HDR_BYTES : 0
    this.#block = null
    this.#slot = 0
    setAddress(this.#vectors.view, 0, this.#headers.address + 16)
    setAddress(this.#vectors.view, 8, VIRTIO_NET_HDR_BYTES)
  }

  /** Takes the slot. @throws Errno ENOMEM */
  open(): void {
    if (this.#block !== null) return
    this.#block = this.#kernel.mem.alloc(FRAME_AT + FRAME_BYTES, 64)
    this.mem = this.#block.region.u8
    this.offset = this.#block.offset + FRAME_AT
    this.#slot = new MemoryAddress().of(this.mem) + this.offset - this.#headerBytes
  }

  close(): void {
    if (this.#block !== null) this.#kernel.mem.free(this.#block)
    this.#block = null
    this.mem = NO_MEMORY
  }

  /**
   * Reads the next frame into the slot. Hot path.
   *
   * @returns its length, or the error's number below 0; -EAGAIN when there is none
   */
  read(fd: number): number {
    const length = this.#libc.read(fd, this.#slot, FRAME_BYTES)
    if (length < 0) return -this.#libc.errno()
    if (this.#headerBytes === 0) return length
    if (length < VIRTIO_NET_HDR_BYTES) return -E.IO
    const { bytes } = this.#headers
    const from = this.offset - VIRTIO_NET_HDR_BYTES
    for (let i = 0; i < VIRTIO_NET_HDR_BYTES; i++) bytes[i] = this.mem[from + i]!
    return length - VIRTIO_NET_HDR_BYTES
  }

  /**
   * Writes a frame from where it lies. Hot path.
   *
   * @returns 0, or the error's number
   */
  write(fd: number, mem: Uint8Array, offset: number, length: number): number {
    const address = this.#addresses.of(mem) + offset
    if (this.#headerBytes !== 0) return this.#writeBoth(fd, address, length)
    return this.#libc.write(fd, address, length) < 0 ? this.#libc.errno() : 0
  }

  #writeBoth(fd: number, address: number, length: number): number {
    setAddress(this.#vectors.view, 16, address)
    setAddress(this.#vectors.view, 24, length)
    const result = this.#libc.writev(fd, this.#vectors.address, 2)
    const number = result < 0 ? this.#libc.errno() : 0
    this.txHeader.clear()
    return number
  }
}

/** Writes a number below 2^53 as a u64, without a BigInt. */
function setAddress(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true)
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

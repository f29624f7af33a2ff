import { Errno } from '@vnet/kernel'
import { MMAP } from './consts.ts'
import { hostErrno } from './errno.ts'
import { libc } from './libc.ts'

/** The address of a view’s first byte. It stays true while the view’s buffer is alive and not transferred. */
function addressOf(view: ArrayBufferView): number {
  return Number(libc().koffi.address(view))
}

/**
 * Memory with an address, for system calls. It lives as long as this object: keep it while the kernel knows the address.
 *
 * @kernel none
 */
export class HostMemory {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly address: number

  constructor(size: number) {
    const buffer = new ArrayBuffer(size)
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.address = addressOf(this.bytes)
  }
}

/**
 * Finds the addresses of memories that others hand in, and remembers the last one: frames come from few memories.
 *
 * It keeps the last memory alive.
 *
 * @kernel none
 */
export class MemoryAddress {
  #mem: Uint8Array | null
  #length: number
  #address: number

  constructor() {
    this.#mem = null
    this.#length = 0
    this.#address = 0
  }

  /** The address of `mem[0]`. Hot path. */
  of(mem: Uint8Array): number {
    // A transferred buffer has no bytes any more, and its address is somebody else's.
    if (mem === this.#mem && mem.length === this.#length) return this.#address
    return this.#meet(mem)
  }

  #meet(mem: Uint8Array): number {
    this.#address = addressOf(mem)
    this.#mem = mem
    this.#length = mem.length
    return this.#address
  }
}

/**
 * Memory shared with the kernel by `mmap()`.
 *
 * @kernel none
 */
export class Mapping {
  readonly address: number
  readonly size: number
  #buffer: ArrayBuffer | null

  /**
   * Maps a descriptor for reading and writing.
   *
   * @throws Errno what the kernel said
   */
  constructor(fd: number, size: number, flags: number = MMAP.SHARED, offset = 0) {
    const c = libc()
    const address = c.mmap(0, size, MMAP.PROT_READ | MMAP.PROT_WRITE, flags, fd, offset)
    if (address === -1) throw hostErrno(c.errno())
    this.address = address
    this.size = size
    this.#buffer = c.koffi.view(BigInt(address), size)
  }

  /** The bytes. Make views once. */
  get buffer(): ArrayBuffer {
    if (this.#buffer === null) throw new Errno('EFAULT', 'this mapping was taken back')
    return this.#buffer
  }

  /**
   * Gives the mapping back. Its pages are replaced by empty ones, which cost nothing until written, so a view that is
   * still around reads zeros instead of ending the process.
   */
  unmap(): void {
    if (this.#buffer === null) return
    this.#buffer = null
    const flags = MMAP.PRIVATE | MMAP.FIXED | MMAP.ANONYMOUS | MMAP.NORESERVE
    libc().mmap(this.address, this.size, MMAP.PROT_READ | MMAP.PROT_WRITE, flags, -1, 0)
  }
}

import { Errno } from '@vnet/kernel'
import { utf8 } from '@vnet/netlink'
import type { UserMemory } from '@vnet/netlink'

/** The first address of a program; what is below is nobody's, as page zero is. */
const BASE = 0x10000
const FIRST_SIZE = 16 * 1024
const MAX_SIZE = 16 * 1024 * 1024

/**
 * The memory of a program: flat, and a stack. What was allocated last is given back first.
 *
 * @kernel struct mm_struct include/linux/mm_types.h
 */
export class ProcessMemory implements UserMemory {
  #bytes = new Uint8Array(FIRST_SIZE)
  #used = 0

  /** The address the next allocation gets: give it to {@link free} to forget all that came after. */
  get top(): bigint {
    return BigInt(BASE + this.#used)
  }

  /** Memory of `length` zero bytes. @throws Errno ENOMEM */
  alloc(length: number): bigint {
    const at = this.#used
    const end = (at + length + 7) & ~7
    if (length < 0 || end > MAX_SIZE) throw new Errno('ENOMEM')
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.fill(0, at, end)
    this.#used = end
    return BigInt(BASE + at)
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    bytes.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = bytes
  }

  /** A copy of `bytes` in this memory. @throws Errno ENOMEM */
  put(bytes: Uint8Array): bigint {
    const address = this.alloc(bytes.length)
    this.#bytes.set(bytes, Number(address) - BASE)
    return address
  }

  /** Text with its end mark. @throws Errno ENOMEM */
  putText(text: string): bigint {
    const bytes = utf8(text)
    const address = this.alloc(bytes.length + 1)
    this.#bytes.set(bytes, Number(address) - BASE)
    return address
  }

  /** A copy of `length` bytes at `address`. @throws Errno EFAULT */
  get(address: bigint, length: number): Uint8Array {
    const at = this.#offset(address, length)
    return this.#bytes.slice(at, at + length)
  }

  copyFromUser(address: bigint, length: number): Uint8Array {
    return this.get(address, length)
  }

  copyToUser(address: bigint, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#offset(address, bytes.length))
  }

  /** Forgets everything, or what was allocated from `top` on. */
  free(top = BigInt(BASE)): void {
    const used = Number(top) - BASE
    if (used >= 0 && used < this.#used) this.#used = used
  }

  #offset(address: bigint, length: number): number {
    const at = Number(BigInt.asUintN(64, address)) - BASE
    if (at < 0 || length < 0 || at + length > this.#used) throw new Errno('EFAULT')
    return at
  }
}

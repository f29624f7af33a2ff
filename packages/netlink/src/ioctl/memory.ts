import type { Kernel } from '@vnet/kernel'
import { viewOf } from '../codec/reader.ts'

/**
 * The memory of the program that calls. Both throw `Errno` EFAULT for an address that is not the program's.
 *
 * @kernel copy_from_user(), copy_to_user() include/linux/uaccess.h
 */
export interface UserMemory {
  /** A copy of `length` bytes at `address`. */
  copyFromUser(address: bigint, length: number): Uint8Array
  copyToUser(address: bigint, bytes: Uint8Array): void
}

/** Who calls. */
export interface IoctlCaller {
  readonly kernel: Kernel
  readonly memory: UserMemory
  /** The program may change the network. */
  readonly capNetAdmin: boolean
}

/** A structure of a program, copied in; `u32` and so on read it, `set…` change the copy. */
export class UserStruct {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = viewOf(bytes)
  }

  u32(at: number): number {
    return this.view.getUint32(at, true)
  }

  setU32(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true)
  }

  /** Writes text into a field of `size` bytes, its end mark included; what is too long is cut. */
  setText(at: number, size: number, text: string): void {
    this.bytes.fill(0, at, at + size)
    for (let i = 0; i < text.length && i < size - 1; i++) this.bytes[at + i] = text.charCodeAt(i) & 0xff
  }
}

/** A structure of zeros. */
export function userStruct(length: number): UserStruct {
  return new UserStruct(new Uint8Array(length))
}

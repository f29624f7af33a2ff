import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { UserStruct } from './memory.ts'
import type { IoctlCaller } from './memory.ts'

/** Most bytes a program's length field can make the kernel copy at once. @kernel KMALLOC_MAX_SIZE include/linux/slab.h */
const MAX_COPY = 4 * 1024 * 1024

/** One SIOCETHTOOL on its way: the device, and the program's structure, which begins with the command. */
export class EthtoolCall {
  readonly caller: IoctlCaller
  readonly dev: NetDevice<any>
  readonly cmd: number
  readonly address: bigint

  constructor(caller: IoctlCaller, dev: NetDevice<any>, cmd: number, address: bigint) {
    this.caller = caller
    this.dev = dev
    this.cmd = cmd
    this.address = address
  }

  /** The program's structure. @throws Errno EFAULT, ENOMEM */
  read(length: number, offset = 0): UserStruct {
    if (length > MAX_COPY) throw new Errno('ENOMEM')
    return new UserStruct(this.caller.memory.copyFromUser(this.address + BigInt(offset), length))
  }

  /** Writes to the program's structure. @throws Errno EFAULT */
  write(struct: UserStruct | Uint8Array, offset = 0): void {
    const bytes = struct instanceof Uint8Array ? struct : struct.bytes
    if (bytes.length > 0) this.caller.memory.copyToUser(this.address + BigInt(offset), bytes)
  }

  /** Answers `struct ethtool_value`. */
  value(data: number): void {
    const out = new UserStruct(new Uint8Array(8))
    out.setU32(0, this.cmd)
    out.setU32(4, data)
    this.write(out)
  }

  /** The number in `struct ethtool_value`. */
  data(): number {
    return this.read(8).u32(4)
  }
}

/** What answers a command. @throws Errno */
export type EthtoolIoctl = (call: EthtoolCall) => void

/** Words of 32 bits as bytes. */
export function u32Bytes(words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words, (word) => word >>> 0).buffer)
}

/** Words of 64 bits as bytes. */
export function u64Bytes(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words, (word) => BigInt.asUintN(64, word)).buffer)
}

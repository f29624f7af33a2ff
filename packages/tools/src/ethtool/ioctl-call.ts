import { EthtoolCmd, Sioc, textOf, utf8 } from '@vnet/netlink'
import { Errno } from '@vnet/kernel'
import { close, ioctl, scoped, socket } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'

const AF_INET = 2
const AF_NETLINK = 16
const SOCK_DGRAM = 2
const SOCK_RAW = 3
const NETLINK_GENERIC = 16
const IFREQ = 40
const IFR_DATA = 16

/** A structure of the ethtool ioctl: fields by offset. */
export class EthStruct {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  u32(at: number): number {
    return at + 4 <= this.bytes.length ? this.view.getUint32(at, true) : 0
  }

  u64(at: number): bigint {
    return at + 8 <= this.bytes.length ? this.view.getBigUint64(at, true) : 0n
  }

  text(at: number, size: number): string {
    return textOf(this.bytes, at, Math.min(at + size, this.bytes.length))
  }
}

/** A structure of zeros that begins with these words. */
export function ethStruct(length: number, ...words: readonly number[]): EthStruct {
  const struct = new EthStruct(new Uint8Array(length))
  for (const [i, word] of words.entries()) struct.view.setUint32(4 * i, word >>> 0, true)
  return struct
}

/**
 * Runs SIOCETHTOOL with a structure and gives it as the kernel left it.
 *
 * @throws Errno
 * @kernel send_ioctl() none
 */
export function* ethIoctl(process: Process, devname: string, struct: EthStruct): Syscalls<EthStruct> {
  const fd = yield* ioctlSocket(process)
  try {
    return yield* scoped(process, function* () {
      const { memory } = process
      const data = memory.put(struct.bytes)
      const ifr = new Uint8Array(IFREQ)
      ifr.set(utf8(devname).slice(0, IFR_DATA - 1))
      new DataView(ifr.buffer).setBigUint64(IFR_DATA, data, true)
      yield* ioctl(process, fd, Sioc.ETHTOOL, memory.put(ifr))
      return new EthStruct(memory.get(data, struct.bytes.length))
    })
  } finally {
    yield* close(fd)
  }
}

/** Any socket does; one of IPv4 where there is IPv4. */
function* ioctlSocket(process: Process): Syscalls<number> {
  try {
    return yield* socket(process, AF_INET, SOCK_DGRAM, 0)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return yield* socket(process, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC)
  }
}

const GSTRING = 32
/** More names than any card has: an answer past that is none. */
const MAX_STRINGS = 1 << 15

/** How many names a set has; 0 when the driver has no such set. @throws Errno */
function* countOf(process: Process, devname: string, set: number): Syscalls<number> {
  const ask = ethStruct(20, EthtoolCmd.GSSET_INFO)
  ask.view.setBigUint64(8, 1n << BigInt(set), true)
  const answer = yield* ethIoctl(process, devname, ask)
  return answer.u64(8) === 0n ? 0 : answer.u32(16)
}

/** The names of a set; none when the driver has no such set. @throws Errno @kernel get_stringset() none */
export function* ethStrings(process: Process, devname: string, set: number): Syscalls<readonly string[]> {
  const count = yield* countOf(process, devname, set)
  if (count === 0) return []
  if (count > MAX_STRINGS) throw new Errno('ENOMEM')
  const answer = yield* ethIoctl(
    process,
    devname,
    ethStruct(12 + GSTRING * count, EthtoolCmd.GSTRINGS, set, count),
  )
  return Array.from({ length: Math.min(count, answer.u32(8)) }, (_, i) =>
    answer.text(12 + GSTRING * i, GSTRING),
  )
}

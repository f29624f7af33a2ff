import { parseIpv4Address, parseIpv6Address } from '@vnet/wire'
import { bind, ioctl, scoped, setsockopt } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { Sioc, utf8 } from '@vnet/netlink'
import { addressText } from '../ip/inet.ts'
import { PingError, type PingOptions } from './options.ts'
import { Errno } from '@vnet/kernel'

const [SOL_SOCKET, SO_BINDTODEVICE] = [1, 25]

/** An address as `connect` and `bind` want it. @kernel struct sockaddr_in include/uapi/linux/in.h */
export function sockaddr(family: 2 | 10, address: Uint8Array, port: number, scope = 0): Uint8Array {
  const out = new Uint8Array(family === 2 ? 16 : 28)
  out[0] = family
  out[2] = port >> 8
  out[3] = port
  out.set(address, family === 2 ? 4 : 8)
  if (family === 10) new DataView(out.buffer).setUint32(24, scope, true)
  return out
}

/** The address inside a `sockaddr`, as text. */
export function textOfSockaddr(bytes: Uint8Array): string {
  const family = bytes[0] ?? 0
  return addressText(family, family === 2 ? bytes.subarray(4, 8) : bytes.subarray(8, 24))
}

function addressIn(text: string, family: 2 | 10): Uint8Array | null {
  if (family === 10) return parseIpv6Address(text)
  const number = parseIpv4Address(text)
  return number === null ? null : Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number)
}

/** Binds to what -I says: an address of ours, or a device. @throws PingError */
export function* useSource(process: Process, fd: number, { source, family }: PingOptions): Syscalls<void> {
  if (source === '') return
  const address = addressIn(source, family)
  try {
    if (address !== null) yield* bind(process, fd, sockaddr(family, address, 0))
    else yield* setsockopt(process, fd, SOL_SOCKET, SO_BINDTODEVICE, utf8(`${source}\0`))
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (address === null && error.code === 'ENODEV') throw new PingError(`ping: unknown iface: ${source}`)
    throw new PingError(`ping: bind: ${error.message}`)
  }
}

/** What stands in the first line when -I was given. */
export function sourceText(from: Uint8Array, { source, family }: PingOptions): string {
  const name = textOfSockaddr(from)
  return addressIn(source, family) === null ? `from ${name} ${source}: ` : `from ${name} : `
}

/** The number of the device that an address is on; 0 when none is named. @throws PingError */
export function* scopeOf(process: Process, fd: number, { zone, target }: PingOptions): Syscalls<number> {
  if (zone === '') return 0
  try {
    return yield* ifindexOf(process, fd, zone)
  } catch (error) {
    if (error instanceof Errno && error.code === 'ENODEV')
      throw new PingError(`ping: ${target}: Name or service not known`)
    throw error
  }
}

/** @throws Errno ENODEV @kernel SIOCGIFINDEX net/core/dev_ioctl.c */
export function ifindexOf(process: Process, fd: number, device: string): Syscalls<number> {
  return scoped(process, function* () {
    const bytes = new Uint8Array(40)
    bytes.set(utf8(device).subarray(0, 15))
    const at = process.memory.put(bytes)
    yield* ioctl(process, fd, Sioc.GIFINDEX, at)
    const told = process.memory.get(at, 40)
    return new DataView(told.buffer, told.byteOffset).getInt32(16, true)
  })
}

import { Errno } from '@vnet/kernel'
import { Sioc, textOf, utf8 } from '@vnet/netlink'
import { parseIpv6Address } from '@vnet/wire'
import { addressText } from '../ip/inet.ts'
import { bind, ioctl, scoped, setsockopt } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { ipv4Of, PingError, type PingOptions } from './options.ts'

const [SOL_SOCKET, SO_BINDTODEVICE] = [1, 25]
const [IFREQ_LEN, IFNAMSIZ] = [40, 16]

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

/** The address inside a `sockaddr`, as text; one that means something on one link only names the device. */
export function* textOfSockaddr(process: Process, fd: number, bytes: Uint8Array): Syscalls<string> {
  const family = bytes[0] ?? 0
  const text = addressText(family, family === 2 ? bytes.subarray(4, 8) : bytes.subarray(8, 24))
  const scope =
    family === 10 && bytes.length >= 28 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true) : 0
  if (scope === 0) return text
  try {
    return `${text}%${yield* ifnameOf(process, fd, scope)}`
  } catch (error) {
    // The device is gone: its number has to do.
    if (error instanceof Errno) return `${text}%${scope}`
    throw error
  }
}

/** The address of -I in the family of the target; null: none. */
function sourceAddress({ source, family }: PingOptions): Uint8Array | null {
  if (source === '') return null
  return family === 10 ? parseIpv6Address(source) : ipv4Of(source)
}

/** True for an address that means something on one link only. */
export function needsZone(family: number, address: Uint8Array): boolean {
  if (family !== 10) return false
  const linkLocal = address[0] === 0xfe && (address[1]! & 0xc0) === 0x80
  return linkLocal || (address[0] === 0xff && (address[1]! & 15) <= 2)
}

/** Has a socket leave by the device of -I. @throws PingError */
export function* useDevice(process: Process, fd: number, { device, family }: PingOptions): Syscalls<void> {
  if (device === '') return
  try {
    yield* setsockopt(process, fd, SOL_SOCKET, SO_BINDTODEVICE, utf8(`${device}\0`))
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (family === 10 && error.code === 'ENODEV') throw new PingError(`ping: unknown iface: ${device}`)
    throw new PingError(`ping: SO_BINDTODEVICE ${device}: ${error.message}`)
  }
}

/** Binds to the address of -I, or to none. @throws PingError */
export function* useSource(process: Process, fd: number, options: PingOptions): Syscalls<void> {
  const { family, device } = options
  const address = sourceAddress(options)
  const scope = address !== null && device !== '' && needsZone(family, address) ? device : ''
  try {
    const zone = scope === '' ? 0 : yield* ifindexOf(process, fd, scope)
    yield* bind(process, fd, sockaddr(family, address ?? new Uint8Array(family === 2 ? 4 : 16), 0, zone))
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    throw new PingError(`ping: bind${family === 10 ? ' icmp socket' : ''}: ${error.message}`)
  }
}

/** The address of -I as a `sockaddr`; null: the system chooses. */
export function* chosenSource(
  process: Process,
  fd: number,
  options: PingOptions,
): Syscalls<Uint8Array | null> {
  const { family, device } = options
  const address = sourceAddress(options)
  if (address === null) return null
  const scope = device !== '' && needsZone(family, address) ? yield* ifindexOf(process, fd, device) : 0
  return sockaddr(family, address, 0, scope)
}

/** What stands in the first line when -I was given. */
export function* sourceText(
  process: Process,
  fd: number,
  from: Uint8Array,
  options: PingOptions,
): Syscalls<string> {
  const { source, device } = options
  if (source === '' && device === '') return ''
  return `from ${yield* textOfSockaddr(process, fd, from)} ${device}: `
}

/** True when an address is not one of the device that -I names. */
export function* isElsewhere(
  process: Process,
  fd: number,
  from: Uint8Array,
  device: string,
): Syscalls<boolean> {
  if (device === '') return false
  if (from[0] === 10) return from.subarray(8, 24).every((byte) => byte === 0)
  const bytes = yield* ifconf(process, fd)
  for (let at = 0; at < bytes.length; at += IFREQ_LEN) {
    const local = bytes.subarray(at + IFNAMSIZ + 4, at + IFNAMSIZ + 8)
    const [name] = textOf(bytes, at, at + IFNAMSIZ - 1).split(':')
    if (name === device && local.every((byte, i) => byte === from[4 + i])) return false
  }
  return true
}

/** All addresses with their labels: 40 bytes each. @kernel SIOCGIFCONF include/uapi/linux/sockios.h */
export function ifconf(process: Process, fd: number): Syscalls<Uint8Array> {
  const most = 128 * IFREQ_LEN
  return scoped(process, function* () {
    const { memory } = process
    const buffer = memory.alloc(most)
    const words = BigInt64Array.of(BigInt(most), buffer)
    const head = memory.put(new Uint8Array(words.buffer))
    yield* ioctl(process, fd, Sioc.GIFCONF, head)
    const told = memory.get(head, 4)
    return memory.get(buffer, Math.min(most, new DataView(told.buffer, told.byteOffset).getInt32(0, true)))
  })
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

/** An ioctl on a device; gives the structure back. @throws Errno @kernel struct ifreq include/uapi/linux/if.h */
export function ifreq(
  process: Process,
  fd: number,
  request: number,
  device: string,
  index = 0,
): Syscalls<Uint8Array> {
  return scoped(process, function* () {
    const bytes = new Uint8Array(IFREQ_LEN)
    bytes.set(utf8(device).subarray(0, IFNAMSIZ - 1))
    new DataView(bytes.buffer).setInt32(IFNAMSIZ, index, true)
    const at = process.memory.put(bytes)
    yield* ioctl(process, fd, request, at)
    return process.memory.get(at, IFREQ_LEN)
  })
}

/** @throws Errno ENODEV @kernel SIOCGIFINDEX net/core/dev_ioctl.c */
export function* ifindexOf(process: Process, fd: number, device: string): Syscalls<number> {
  const told = yield* ifreq(process, fd, Sioc.GIFINDEX, device)
  return new DataView(told.buffer, told.byteOffset).getInt32(IFNAMSIZ, true)
}

/** @throws Errno ENODEV @kernel SIOCGIFNAME net/core/dev_ioctl.c */
function* ifnameOf(process: Process, fd: number, index: number): Syscalls<string> {
  return textOf(yield* ifreq(process, fd, Sioc.GIFNAME, '', index), 0, IFNAMSIZ)
}

import { Errno, errnoName } from '@vnet/kernel'
import { Sys } from '@vnet/netlink'
import type { Process, SysRequest, Syscalls } from './process.ts'
import { SYS_CLOSE } from './sys.ts'

type Arg = number | bigint

/** A system call by number, as a result ≥ 0. @throws Errno @kernel syscall() none */
export function* syscall(
  fd: number | null,
  op: number,
  args: readonly Arg[],
  timeoutNs?: number,
): Syscalls<number> {
  const request: SysRequest = timeoutNs === undefined ? { fd, op, args } : { fd, op, args, timeoutNs }
  return checked(yield request)
}

function checked(result: bigint): number {
  if (result >= 0n) return Number(result)
  const number = Number(-result)
  const name = errnoName(number)
  if (name === undefined) throw new Errno('EIO', `Unknown error ${number}`)
  throw new Errno(name)
}

/** Runs calls and gives back what they allocated. @kernel none */
export function* scoped<T>(process: Process, calls: () => Syscalls<T>): Syscalls<T> {
  const { memory } = process
  const { top } = memory
  try {
    return yield* calls()
  } finally {
    memory.free(top)
  }
}

// ── sockets

/** @throws Errno @kernel sys_socket() net/socket.c */
export function* socket(process: Process, domain: number, type: number, protocol: number): Syscalls<number> {
  const unprivileged = process.capNetAdmin === false ? 1 : 0
  return yield* syscall(null, Sys.socket, [domain, type, protocol, process.pid ?? 0, unprivileged])
}

/** @throws Errno @kernel sys_bind() net/socket.c */
export function bind(process: Process, fd: number, address: Uint8Array): Syscalls<number> {
  return withBytes(process, fd, Sys.bind, address)
}

/** @throws Errno @kernel sys_connect() net/socket.c */
export function connect(process: Process, fd: number, address: Uint8Array): Syscalls<number> {
  return withBytes(process, fd, Sys.connect, address)
}

function withBytes(process: Process, fd: number, op: number, bytes: Uint8Array): Syscalls<number> {
  return scoped(process, () => syscall(fd, op, [process.memory.put(bytes), bytes.length]))
}

/** The address the socket is bound to. @throws Errno @kernel sys_getsockname() net/socket.c */
export function getsockname(process: Process, fd: number): Syscalls<Uint8Array> {
  return addressOf(process, fd, Sys.getsockname)
}

/** The address the socket is connected to. @throws Errno @kernel sys_getpeername() net/socket.c */
export function getpeername(process: Process, fd: number): Syscalls<Uint8Array> {
  return addressOf(process, fd, Sys.getpeername)
}

const ADDRESS_MAX = 128

function addressOf(process: Process, fd: number, op: number): Syscalls<Uint8Array> {
  return scoped(process, function* () {
    const { memory } = process
    const address = memory.alloc(ADDRESS_MAX)
    const length = memory.put(u32(ADDRESS_MAX))
    yield* syscall(fd, op, [address, length])
    return memory.get(address, lengthAt(process, length, ADDRESS_MAX))
  })
}

/** @throws Errno @kernel sys_setsockopt() net/socket.c */
export function setsockopt(
  process: Process,
  fd: number,
  level: number,
  name: number,
  value: Uint8Array | number,
): Syscalls<number> {
  const bytes = typeof value === 'number' ? u32(value) : value
  return scoped(process, () =>
    syscall(fd, Sys.setsockopt, [level, name, process.memory.put(bytes), bytes.length]),
  )
}

/** The option's value. @param length - bytes to make room for @throws Errno @kernel sys_getsockopt() net/socket.c */
export function getsockopt(
  process: Process,
  fd: number,
  level: number,
  name: number,
  length: number | Uint8Array = 4,
): Syscalls<Uint8Array> {
  return scoped(process, function* () {
    const { memory } = process
    const room = typeof length === 'number' ? length : length.length
    const value = typeof length === 'number' ? memory.alloc(length) : memory.put(length)
    const size = memory.put(u32(room))
    yield* syscall(fd, Sys.getsockopt, [level, name, value, size])
    return memory.get(value, lengthAt(process, size, room))
  })
}

/** @returns bytes sent @throws Errno @kernel sys_sendto() net/socket.c */
export function sendto(
  process: Process,
  fd: number,
  bytes: Uint8Array,
  flags = 0,
  address: Uint8Array | null = null,
): Syscalls<number> {
  return scoped(process, () => {
    const { memory } = process
    const to = address === null ? 0n : memory.put(address)
    return syscall(fd, Sys.sendto, [memory.put(bytes), bytes.length, flags, to, address?.length ?? 0])
  })
}

/** What {@link recvfrom} received. @kernel none */
export interface Received {
  readonly bytes: Uint8Array
  readonly address: Uint8Array
  /** What the call returned; with MSG_TRUNC the length of the whole datagram. */
  readonly length: number
}

/** @param timeoutNs - how long to wait; EAGAIN after that @throws Errno @kernel sys_recvfrom() net/socket.c */
export function recvfrom(
  process: Process,
  fd: number,
  max: number,
  flags = 0,
  timeoutNs?: number,
): Syscalls<Received> {
  return scoped(process, function* () {
    const { memory } = process
    const buffer = memory.alloc(max)
    const address = memory.alloc(ADDRESS_MAX)
    const size = memory.put(u32(ADDRESS_MAX))
    const length = yield* syscall(fd, Sys.recvfrom, [buffer, max, flags, address, size], timeoutNs)
    const from = memory.get(address, lengthAt(process, size, ADDRESS_MAX))
    return { bytes: memory.get(buffer, Math.min(length, max)), address: from, length }
  })
}

/** Changes the bytes in place as the call does. @throws Errno @kernel sys_ioctl() fs/ioctl.c */
export function ioctl(process: Process, fd: number, request: number, argument: bigint): Syscalls<number> {
  return syscall(fd, Sys.ioctl, [request, argument])
}

/** Waits until the descriptor is readable. @returns 1, or 0 when the time is over @throws Errno EINTR @kernel sys_poll() fs/select.c */
export function poll(fd: number, timeoutNs?: number): Syscalls<number> {
  return syscall(fd, Sys.pollArm, [], timeoutNs)
}

/** @throws Errno EBADF @kernel sys_close() fs/open.c */
export function close(fd: number): Syscalls<number> {
  return syscall(fd, SYS_CLOSE, [])
}

// ── bytes

/** A number as four bytes. @kernel none */
export function u32(value: number): Uint8Array {
  return Uint8Array.from([value, value >>> 8, value >>> 16, value >>> 24])
}

function lengthAt(process: Process, address: bigint, max: number): number {
  const bytes = process.memory.get(address, 4)
  return Math.min(new DataView(bytes.buffer).getUint32(0, true), max)
}

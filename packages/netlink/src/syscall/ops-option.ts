import { Errno } from '@vnet/kernel'
import type { Ktime } from '@vnet/kernel'
import { SOL_NETLINK, NetlinkOption } from '../codec/nlmsg.ts'
import { viewOf } from '../codec/reader.ts'
import type { SyscallCall, SyscallHandler } from './call.ts'
import type { SyscallConnection } from './connection.ts'
import { sockOf, readRoom } from './ops-socket.ts'
import { Sys } from './protocol.ts'
import { SOL_SOCKET } from './sock.ts'
import type { Sock } from './sock.ts'

/** Options of level {@link SOL_SOCKET}. @kernel SO_TYPE include/uapi/asm-generic/socket.h */
export const SockOption = {
  DEBUG: 1,
  REUSEADDR: 2,
  TYPE: 3,
  ERROR: 4,
  DONTROUTE: 5,
  BROADCAST: 6,
  SNDBUF: 7,
  RCVBUF: 8,
  KEEPALIVE: 9,
  OOBINLINE: 10,
  NO_CHECK: 11,
  PRIORITY: 12,
  LINGER: 13,
  REUSEPORT: 15,
  PASSCRED: 16,
  RCVLOWAT: 18,
  SNDLOWAT: 19,
  RCVTIMEO: 20,
  SNDTIMEO: 21,
  BINDTODEVICE: 25,
  ATTACH_FILTER: 26,
  DETACH_FILTER: 27,
  TIMESTAMP: 29,
  ACCEPTCONN: 30,
  SNDBUFFORCE: 32,
  RCVBUFFORCE: 33,
  TIMESTAMPNS: 35,
  MARK: 36,
  PROTOCOL: 38,
  DOMAIN: 39,
  RXQ_OVFL: 40,
  BPF_EXTENSIONS: 48,
  RCVTIMEO_NEW: 66,
  SNDTIMEO_NEW: 67,
} as const

/** What a family need not know: remembered, without an effect here. */
const KEPT: ReadonlySet<number> = new Set([
  SockOption.DEBUG,
  SockOption.REUSEADDR,
  SockOption.DONTROUTE,
  SockOption.BROADCAST,
  SockOption.KEEPALIVE,
  SockOption.OOBINLINE,
  SockOption.NO_CHECK,
  SockOption.PRIORITY,
  SockOption.LINGER,
  SockOption.REUSEPORT,
  SockOption.PASSCRED,
  SockOption.RCVLOWAT,
  SockOption.MARK,
])

/** Longest value of an option. */
const MAX_VALUE = 64 * 1024
/** Bytes of `struct sock_filter`, and most of them. @kernel BPF_MAXINSNS include/uapi/linux/bpf_common.h */
const FILTER_LEN = 8
const FILTER_MAX = 4096
const TIMEVAL_LEN = 16
const NSEC_PER_SEC = 1_000_000_000n
const USEC_PER_SEC = 1_000_000n

/** @kernel __sys_setsockopt() net/socket.c */
function setsockopt(call: SyscallCall): number {
  const sock = sockOf(call)
  const level = call.int(0)
  const name = call.int(1)
  const length = call.int(3)
  if (length < 0 || length > MAX_VALUE) throw new Errno('EINVAL')
  const value =
    level === SOL_SOCKET && name === SockOption.ATTACH_FILTER
      ? readFilter(call, length)
      : call.memory.copyFromUser(call.args[2]!, length)
  if (level !== SOL_SOCKET || !setCommon(call.connection, name, value)) set(call, sock, level, name, value)
  return 0
}

function set(call: SyscallCall, sock: Sock, level: number, name: number, value: Uint8Array): void {
  try {
    sock.setsockopt(level, name, value)
  } catch (error) {
    if (!isNoOption(error) || level !== SOL_SOCKET || !KEPT.has(name)) throw error
    call.connection.keptOptions.set(name, intOf(value))
  }
}

/** The instructions that `struct sock_fprog` points to. @kernel copy_bpf_fprog_from_user() net/core/filter.c */
function readFilter(call: SyscallCall, length: number): Uint8Array {
  if (length < 16) throw new Errno('EINVAL')
  const view = viewOf(call.memory.copyFromUser(call.args[2]!, 16))
  const count = view.getUint16(0, true)
  if (count === 0 || count > FILTER_MAX) throw new Errno('EINVAL')
  return call.memory.copyFromUser(view.getBigUint64(8, true), count * FILTER_LEN)
}

/** What is the same for every family; false: it is for the family. @kernel sk_setsockopt() net/core/sock.c */
function setCommon(connection: SyscallConnection, name: number, value: Uint8Array): boolean {
  switch (name) {
    case SockOption.RCVTIMEO:
    case SockOption.RCVTIMEO_NEW:
      connection.receiveTimeout = timeOf(value)
      return true
    case SockOption.SNDTIMEO:
    case SockOption.SNDTIMEO_NEW:
      connection.sendTimeout = timeOf(value)
      return true
    case SockOption.TYPE:
    case SockOption.PROTOCOL:
    case SockOption.DOMAIN:
    case SockOption.ERROR:
    case SockOption.ACCEPTCONN:
    case SockOption.SNDLOWAT:
    case SockOption.BPF_EXTENSIONS:
      throw new Errno('ENOPROTOOPT')
    default:
      return false
  }
}

/** `struct timeval`; 0 is for ever. @throws Errno EINVAL, EDOM @kernel sock_set_timeout() net/core/sock.c */
function timeOf(value: Uint8Array): Ktime | null {
  if (value.length < TIMEVAL_LEN) throw new Errno('EINVAL')
  const view = viewOf(value)
  const sec = view.getBigInt64(0, true)
  const usec = view.getBigInt64(8, true)
  if (usec < 0n || usec >= USEC_PER_SEC) throw new Errno('EDOM')
  if (sec < 0n) return 0
  if (sec === 0n && usec === 0n) return null
  const ns = sec * NSEC_PER_SEC + usec * 1000n
  return ns > BigInt(Number.MAX_SAFE_INTEGER) / 2n ? null : Number(ns)
}

function timeBytes(time: Ktime | null): Uint8Array {
  const ns = BigInt(time ?? 0)
  return new Uint8Array(BigInt64Array.of(ns / NSEC_PER_SEC, (ns % NSEC_PER_SEC) / 1000n).buffer)
}

/** @kernel __sys_getsockopt() net/socket.c */
function getsockopt(call: SyscallCall): number {
  const sock = sockOf(call)
  const level = call.int(0)
  const name = call.int(1)
  const room = readRoom(call, call.args[3]!)
  const asked = call.memory.copyFromUser(call.args[2]!, Math.min(room, MAX_VALUE))
  const value =
    (level === SOL_SOCKET ? getCommon(call, sock, name) : null) ?? get(call, sock, level, name, asked)
  // The groups of netlink: how much room they need is told also when there is less.
  const whole = level === SOL_NETLINK && name === NetlinkOption.LIST_MEMBERSHIPS
  call.memory.copyToUser(call.args[2]!, value.subarray(0, room))
  call.memory.copyToUser(call.args[3]!, intBytes(whole ? value.length : Math.min(room, value.length)))
  return 0
}

function get(call: SyscallCall, sock: Sock, level: number, name: number, asked: Uint8Array): Uint8Array {
  try {
    return sock.getsockopt(level, name, asked)
  } catch (error) {
    if (!isNoOption(error) || level !== SOL_SOCKET) throw error
    if (name === SockOption.ERROR) return intBytes(0)
    if (!KEPT.has(name)) throw error
    return intBytes(call.connection.keptOptions.get(name) ?? 0)
  }
}

/** @kernel sk_getsockopt() net/core/sock.c */
function getCommon(call: SyscallCall, sock: Sock, name: number): Uint8Array | null {
  const { connection } = call
  switch (name) {
    case SockOption.TYPE:
      return intBytes(sock.type)
    case SockOption.DOMAIN:
      return intBytes(sock.family)
    case SockOption.PROTOCOL:
      return intBytes(sock.protocol)
    case SockOption.ACCEPTCONN:
      return intBytes(0)
    case SockOption.SNDLOWAT:
      return intBytes(1)
    case SockOption.RCVTIMEO:
    case SockOption.RCVTIMEO_NEW:
      return timeBytes(connection.receiveTimeout)
    case SockOption.SNDTIMEO:
    case SockOption.SNDTIMEO_NEW:
      return timeBytes(connection.sendTimeout)
    default:
      return null
  }
}

function isNoOption(error: unknown): boolean {
  return error instanceof Errno && error.code === 'ENOPROTOOPT'
}

/** The `int` an option is set with. @throws Errno EINVAL @kernel none */
export function intOf(value: Uint8Array): number {
  if (value.length < 4) throw new Errno('EINVAL')
  return viewOf(value).getInt32(0, true)
}

/** An `int` as an option's value. @kernel none */
export function intBytes(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer)
}

/** Options of sockets. */
export const optionOps: readonly (readonly [number, SyscallHandler])[] = [
  [Sys.setsockopt, setsockopt],
  [Sys.getsockopt, getsockopt],
]

import { Errno } from '@vnet/kernel'
import type { Ktime } from '@vnet/kernel'
import type { SyscallCall, SyscallHandler } from './call.ts'
import { fitControl, gather, MESSAGE_MAX, readControl, readMsghdr, scatter, writeMsghdr } from './msghdr.ts'
import { readAddress, readRoom, sockOf, SOCKADDR_MAX, writeAddress } from './ops-socket.ts'
import { Sys } from './protocol.ts'
import { SockMsgFlag } from './sock.ts'
import type { Sock, SockReceived } from './sock.ts'

/** @kernel __sys_sendto() net/socket.c */
function sendto(call: SyscallCall): number {
  const sock = sockOf(call)
  const [buffer, length, , address] = call.args as readonly [bigint, bigint, bigint, bigint]
  const to = address === 0n ? null : readAddress(call, address, call.int(4))
  return sock.sendmsg({ bytes: one(call, buffer, length), address: to, flags: call.int(2) })
}

/** `write` on a socket: a message to where it is connected to. @kernel sock_write_iter() net/socket.c */
function write(call: SyscallCall): number {
  const sock = sockOf(call)
  return sock.sendmsg({ bytes: one(call, call.args[0]!, call.args[1]!), address: null, flags: 0 })
}

function one(call: SyscallCall, base: bigint, length: bigint): Uint8Array {
  return gather(call, [{ base, length: Number(length) }], Number(length))
}

/** @kernel ___sys_sendmsg() net/socket.c */
function sendmsg(call: SyscallCall): number {
  const sock = sockOf(call)
  const msg = readMsghdr(call, call.args[0]!)
  const length = Math.min(msg.nameLength, SOCKADDR_MAX)
  const address = length === 0 ? null : readAddress(call, msg.name, length)
  const control = readControl(call, msg)
  const bytes = gather(call, msg.iov, msg.total)
  const flags = call.int(1)
  return sock.sendmsg(control === undefined ? { bytes, address, flags } : { bytes, address, control, flags })
}

/** @kernel __sys_recvfrom() net/socket.c */
function recvfrom(call: SyscallCall): number {
  const sock = sockOf(call)
  const [buffer, length, , address, pointer] = call.args as readonly [bigint, bigint, bigint, bigint, bigint]
  const flags = call.int(2)
  const room = address === 0n ? 0 : readRoom(call, pointer)
  const got = receive(call, sock, Number(length), flags)
  call.memory.copyToUser(buffer, got.bytes)
  if (address !== 0n) writeAddress(call, address, room, pointer, got.address ?? new Uint8Array(0))
  return resultOf(got, flags)
}

/** `read` on a socket. @kernel sock_read_iter() net/socket.c */
function read(call: SyscallCall): number {
  const sock = sockOf(call)
  if (call.args[1] === 0n) return 0
  const got = receive(call, sock, Number(call.args[1]), 0)
  call.memory.copyToUser(call.args[0]!, got.bytes)
  return got.bytes.length
}

/** @kernel ___sys_recvmsg() net/socket.c */
function recvmsg(call: SyscallCall): number {
  const sock = sockOf(call)
  const msg = readMsghdr(call, call.args[0]!)
  const flags = call.int(1)
  const got = receive(call, sock, msg.total, flags)
  const sent = got.control ?? new Uint8Array(0)
  const control = fitControl(sent, msg.controlLength)
  let said = got.flags
  if (got.fullLength > got.bytes.length) said |= SockMsgFlag.TRUNC
  if (control.length < sent.length) said |= SockMsgFlag.CTRUNC
  scatter(call, msg.iov, got.bytes)
  writeMsghdr(call, msg, got.address, control, said)
  return resultOf(got, flags)
}

function resultOf(got: SockReceived, flags: number): number {
  return (flags & SockMsgFlag.TRUNC) !== 0 ? got.fullLength : got.bytes.length
}

/** The next message; without one, waits as long as the socket and the call allow. @throws Errno EAGAIN */
function receive(call: SyscallCall, sock: Sock, room: number, flags: number): SockReceived {
  const got = sock.recvmsg(Math.min(room, MESSAGE_MAX), flags)
  if (got !== null) return got
  const { connection } = call
  const never = (flags & (SockMsgFlag.DONTWAIT | SockMsgFlag.ERRQUEUE)) !== 0
  const until = deadline(call.started, connection.receiveTimeout)
  if (never || connection.nonblocking || (until !== null && call.kernel.clock.ktimeGet() >= until)) {
    throw new Errno('EAGAIN')
  }
  return call.block(connection.whenReadable(until))
}

function deadline(from: Ktime, timeout: Ktime | null): Ktime | null {
  return timeout === null ? null : from + timeout
}

/** Messages in and out. */
export const messageOps: readonly (readonly [number, SyscallHandler])[] = [
  [Sys.sendto, sendto],
  [Sys.recvfrom, recvfrom],
  [Sys.sendmsg, sendmsg],
  [Sys.recvmsg, recvmsg],
]

/** What is done with a socket by calls that others answer for files. */
export const sockFileOps: ReadonlyMap<number, SyscallHandler> = new Map([
  [Sys.read, read],
  [Sys.write, write],
])

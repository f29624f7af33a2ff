import { Errno } from '@vnet/kernel'
import { viewOf } from '../codec/reader.ts'
import type { SyscallCall } from './call.ts'
import { SYS_MAX_CALL } from './protocol.ts'

/** Bytes of `struct user_msghdr` on 64-bit machines. @kernel struct user_msghdr include/linux/socket.h */
const MSGHDR_LEN = 56
/** Bytes of `struct iovec`. */
const IOVEC_LEN = 16
/** Most pieces a message may lie in. @kernel UIO_MAXIOV include/uapi/linux/uio.h */
const IOV_MAX = 1024
/** Most bytes of control messages. @kernel sysctl_optmem_max net/core/sock.c */
const CONTROL_MAX = 20480
const SSIZE_MAX = (1n << 63n) - 1n
/** Most bytes of a message: a call has room for its header, pieces and control messages beside them. @kernel none */
export const MESSAGE_MAX = SYS_MAX_CALL - 128 * 1024
/** Where the server writes what it has to say about the message. */
const AT_NAMELEN = 8n
const AT_CONTROLLEN = 40n

/** Where part of a message lies in the program. */
export interface IoVec {
  readonly base: bigint
  readonly length: number
}

/** A message header of the program. */
export interface UserMsghdr {
  readonly at: bigint
  /** 0: the program gives or wants no address. */
  readonly name: bigint
  readonly nameLength: number
  readonly iov: readonly IoVec[]
  /** Bytes of all pieces. */
  readonly total: number
  readonly control: bigint
  readonly controlLength: number
}

/**
 * Reads a message header and where its pieces are.
 *
 * @throws Errno EFAULT, EMSGSIZE for too many pieces, EINVAL for a length that is negative
 * @kernel copy_msghdr_from_user() net/socket.c
 */
export function readMsghdr(call: SyscallCall, at: bigint): UserMsghdr {
  const view = viewOf(call.memory.copyFromUser(at, MSGHDR_LEN))
  const name = view.getBigUint64(0, true)
  const nameLength = view.getInt32(8, true)
  const count = view.getBigUint64(24, true)
  const controlLength = view.getBigUint64(40, true)
  if (name !== 0n && nameLength < 0) throw new Errno('EINVAL')
  if (count > BigInt(IOV_MAX)) throw new Errno('EMSGSIZE')
  const iov = readIov(call, view.getBigUint64(16, true), Number(count))
  return {
    at,
    name,
    nameLength: name === 0n ? 0 : nameLength,
    iov,
    total: iov.reduce((sum, { length }) => sum + length, 0),
    control: view.getBigUint64(32, true),
    controlLength: Number(controlLength),
  }
}

/** @kernel import_iovec() lib/iov_iter.c */
function readIov(call: SyscallCall, at: bigint, count: number): IoVec[] {
  const view = viewOf(call.memory.copyFromUser(at, count * IOVEC_LEN))
  const out: IoVec[] = []
  for (let i = 0; i < count; i++) {
    const length = view.getBigUint64(i * IOVEC_LEN + 8, true)
    if (length > SSIZE_MAX) throw new Errno('EINVAL')
    out.push({ base: view.getBigUint64(i * IOVEC_LEN, true), length: Number(length) })
  }
  return out
}

/** The bytes of a message to be sent. @throws Errno EMSGSIZE before anything of it is asked for, EFAULT */
export function gather(call: SyscallCall, iov: readonly IoVec[], total: number): Uint8Array {
  if (total > MESSAGE_MAX) throw new Errno('EMSGSIZE')
  const out = new Uint8Array(total)
  let at = 0
  for (const { base, length } of iov) {
    out.set(call.memory.copyFromUser(base, length), at)
    at += length
  }
  return out
}

/** Puts a message where the program wants it. It is not longer than the pieces together. */
export function scatter(call: SyscallCall, iov: readonly IoVec[], bytes: Uint8Array): void {
  let at = 0
  for (const { base, length } of iov) {
    if (at >= bytes.length) return
    call.memory.copyToUser(base, bytes.subarray(at, at + length))
    at += length
  }
}

/** The control messages of a message to be sent. @throws Errno ENOBUFS, EFAULT @kernel ____sys_sendmsg() net/socket.c */
export function readControl(call: SyscallCall, msg: UserMsghdr): Uint8Array | undefined {
  if (msg.controlLength === 0) return undefined
  if (msg.controlLength > CONTROL_MAX) throw new Errno('ENOBUFS')
  return call.memory.copyFromUser(msg.control, msg.controlLength)
}

/**
 * Writes what a received message says beside its bytes: the address, control messages as far as there is room, flags.
 *
 * @kernel ____sys_recvmsg() net/socket.c
 */
export function writeMsghdr(
  call: SyscallCall,
  msg: UserMsghdr,
  address: Uint8Array | null,
  control: Uint8Array,
  flags: number,
): void {
  const { memory } = call
  if (msg.name !== 0n) {
    const name = address ?? new Uint8Array(0)
    memory.copyToUser(msg.name, name.subarray(0, msg.nameLength))
    memory.copyToUser(msg.at + AT_NAMELEN, new Uint8Array(Uint32Array.of(name.length).buffer))
  }
  memory.copyToUser(msg.control, control)
  const tail = new DataView(new ArrayBuffer(12))
  tail.setBigUint64(0, BigInt(control.length), true)
  tail.setInt32(8, flags, true)
  memory.copyToUser(msg.at + AT_CONTROLLEN, new Uint8Array(tail.buffer))
}

/** The control messages that fit, whole ones only. @kernel put_cmsg() net/core/scm.c */
export function fitControl(control: Uint8Array, room: number): Uint8Array {
  const view = viewOf(control)
  let end = 0
  while (end + 16 <= control.length) {
    const length = Number(view.getBigUint64(end, true))
    if (length < 16 || end + length > Math.min(room, control.length)) break
    end = Math.min((end + length + 7) & ~7, control.length)
  }
  return control.subarray(0, Math.min(end, room))
}

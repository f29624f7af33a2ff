import { Errno } from '@vnet/kernel'
import { utf8 } from '../codec/writer.ts'
import { inetStub } from './af-inet-stub.ts'
import type { SyscallCall, SyscallHandler } from './call.ts'
import { Sys } from './protocol.ts'
import { SockAf, sockCreate, sockFamily, SockType } from './sock.ts'
import type { Sock, SockOwner } from './sock.ts'

/** Bit 0 of the flags of `socket`: the program may not change the network. */
const WITHOUT_CAP = 1
/** Room of the largest address. @kernel struct sockaddr_storage include/uapi/linux/socket.h */
export const SOCKADDR_MAX = 128
/** Longest path `mmap` gives, its end mark included. @kernel PATH_MAX include/uapi/linux/limits.h */
const PATH_MAX = 4096

/** The socket of a connection. @throws Errno EBADF without anything, ENOTSOCK for a file @kernel sockfd_lookup() net/socket.c */
export function sockOf(call: SyscallCall): Sock {
  const { sock, file } = call.connection
  if (sock === null) throw new Errno(file === null ? 'EBADF' : 'ENOTSOCK')
  return sock
}

/** An address out of the program. @throws Errno EINVAL, EFAULT @kernel move_addr_to_kernel() net/socket.c */
export function readAddress(call: SyscallCall, address: bigint, length: number): Uint8Array {
  if (length < 0 || length > SOCKADDR_MAX) throw new Errno('EINVAL')
  return call.memory.copyFromUser(address, length)
}

/** The room behind a length pointer. @throws Errno EINVAL, EFAULT @kernel move_addr_to_user() net/socket.c */
export function readRoom(call: SyscallCall, pointer: bigint): number {
  const bytes = call.memory.copyFromUser(pointer, 4)
  const room = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)
  if (room < 0) throw new Errno('EINVAL')
  return room
}

/** Writes as much of an address as there is room for, and how long it really is. @kernel move_addr_to_user() net/socket.c */
export function writeAddress(
  call: SyscallCall,
  to: bigint,
  room: number,
  pointer: bigint,
  address: Uint8Array,
): void {
  call.memory.copyToUser(to, address.subarray(0, room))
  call.memory.copyToUser(pointer, Uint8Array.from(new Uint8Array(Uint32Array.of(address.length).buffer)))
}

/** @kernel __sys_socket() net/socket.c */
function socket(call: SyscallCall): number {
  const { connection } = call
  const flags = call.int(1)
  if (connection.sock !== null || connection.file !== null) throw new Errno('EINVAL')
  if ((flags & ~(SockType.MASK | SockType.NONBLOCK | SockType.CLOEXEC)) !== 0) throw new Errno('EINVAL')
  const pid = call.int(3)
  const capNetAdmin = (call.int(4) & WITHOUT_CAP) === 0
  connection.sock = create(call, flags & SockType.MASK, { pid, capNetAdmin })
  connection.pid = pid
  connection.capNetAdmin = capNetAdmin
  connection.nonblocking = (flags & SockType.NONBLOCK) !== 0
  return 0
}

/** @kernel __sock_create() net/socket.c */
function create(call: SyscallCall, type: number, who: SockOwner): Sock {
  const family = call.int(0)
  const protocol = call.int(2)
  if (family < 0 || family >= SockAf.MAX) throw new Errno('EAFNOSUPPORT')
  if (type > SockType.MASK - 4) throw new Errno('EINVAL')
  if (protocol < 0) throw new Errno('EINVAL')
  // Without a protocol stack a socket is still what ioctls on devices are made through.
  if (family === SockAf.INET && type === SockType.DGRAM && sockFamily(call.kernel, family) === undefined) {
    return inetStub(protocol)
  }
  return sockCreate(call.kernel, family, type, protocol, who)
}

function bind(call: SyscallCall): number {
  const sock = sockOf(call)
  sock.bind(readAddress(call, call.args[0]!, call.int(1)))
  return 0
}

function connect(call: SyscallCall): number {
  const sock = sockOf(call)
  sock.connect(readAddress(call, call.args[0]!, call.int(1)))
  return 0
}

function getsockname(call: SyscallCall): number {
  const sock = sockOf(call)
  const room = readRoom(call, call.args[1]!)
  writeAddress(call, call.args[0]!, room, call.args[1]!, sock.getsockname())
  return 0
}

function getpeername(call: SyscallCall): number {
  const sock = sockOf(call)
  const room = readRoom(call, call.args[1]!)
  if (sock.getpeername === undefined) throw new Errno('EOPNOTSUPP')
  writeAddress(call, call.args[0]!, room, call.args[1]!, sock.getpeername())
  return 0
}

function shutdown(call: SyscallCall): number {
  const sock = sockOf(call)
  if (sock.shutdown === undefined) throw new Errno('EOPNOTSUPP')
  sock.shutdown(call.int(0))
  return 0
}

/** Gives the path of what both map, with its end mark. */
function mmap(call: SyscallCall): number {
  const sock = sockOf(call)
  const length = Number(call.args[0])
  if (sock.mmap === undefined) throw new Errno('ENODEV')
  if (length === 0 || length > 0xffffffff) throw new Errno('EINVAL')
  const path = utf8(`${sock.mmap(length)}\0`)
  if (path.length > PATH_MAX || BigInt(path.length) > call.args[2]!) throw new Errno('ENAMETOOLONG')
  call.memory.copyToUser(call.args[1]!, path)
  return 0
}

const POLLIN = 1
const POLLOUT = 4

/** The program is about to wait for its descriptor: what is there already is told once more, behind this answer. */
function pollArm(call: SyscallCall): number {
  return sockOf(call).readable ? POLLIN | POLLOUT : POLLOUT
}

/** Making, naming and ending sockets. */
export const socketOps: readonly (readonly [number, SyscallHandler])[] = [
  [Sys.socket, socket],
  [Sys.bind, bind],
  [Sys.connect, connect],
  [Sys.getsockname, getsockname],
  [Sys.getpeername, getpeername],
  [Sys.shutdown, shutdown],
  [Sys.mmap, mmap],
  [Sys.pollArm, pollArm],
]

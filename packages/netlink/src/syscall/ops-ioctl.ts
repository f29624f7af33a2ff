import { Errno } from '@vnet/kernel'
import { sockIoctl } from '../ioctl/index.ts'
import type { IoctlCaller } from '../ioctl/memory.ts'
import type { SyscallCall, SyscallHandler } from './call.ts'
import { Sys } from './protocol.ts'
import { SockAf, sockCreate, sockFamily, SockType } from './sock.ts'

/** Turns waiting off or on. @kernel FIONBIO include/uapi/asm-generic/ioctls.h */
const FIONBIO = 0x5421

/**
 * An ioctl: of the socket itself, or about devices. A connection without a socket has those of an IPv4 datagram
 * socket, so that one ioctl needs one call.
 *
 * @kernel sock_ioctl() net/socket.c
 */
function ioctl(call: SyscallCall): number {
  const request = Number(BigInt.asUintN(32, call.args[0]!))
  const argument = call.args[1]!
  if (request === FIONBIO) {
    const flag = call.memory.copyFromUser(argument, 4)
    call.connection.nonblocking = flag.some((byte) => byte !== 0)
    return 0
  }
  const { kernel, connection, memory } = call
  const caller: IoctlCaller = { kernel, memory, capNetAdmin: connection.capNetAdmin }
  if (connection.file !== null) throw new Errno('ENOTTY')
  const { sock } = connection
  // Questions about IPv4 addresses may be asked through a packet socket, too.
  const done =
    sock?.ioctl?.(caller, request, argument) === true ||
    ((sock === null || sock.family === SockAf.PACKET) && inetIoctl(call, caller, request, argument))
  if (!done) sockIoctl(caller, request, argument)
  return 0
}

/** Lets IPv4 look at it, through a socket that lives as long as the ioctl. */
function inetIoctl(call: SyscallCall, caller: IoctlCaller, request: number, argument: bigint): boolean {
  if (sockFamily(call.kernel, SockAf.INET) === undefined) return false
  const { pid, capNetAdmin } = call.connection
  const sock = sockCreate(call.kernel, SockAf.INET, SockType.DGRAM, 0, { pid, capNetAdmin })
  try {
    return sock.ioctl?.(caller, request, argument) === true
  } finally {
    sock.close()
  }
}

/** Requests to a descriptor. */
export const ioctlOps: readonly (readonly [number, SyscallHandler])[] = [[Sys.ioctl, ioctl]]

import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import type { IoctlCaller } from '../ioctl/memory.ts'

/** A message on its way out of a program. */
export interface SockMsg {
  readonly bytes: Uint8Array
  /** The `sockaddr` it goes to; null: where the socket is connected to. */
  readonly address: Uint8Array | null
  /** Control messages, as the program laid them out. */
  readonly control?: Uint8Array
  /** `MSG_…` of the call. */
  readonly flags: number
}

/** A message on its way into a program. */
export interface SockReceived {
  /** At most as many bytes as were asked for. */
  readonly bytes: Uint8Array
  /** The `sockaddr` it came from. */
  readonly address: Uint8Array | null
  /** Whole control messages, each padded to 8 bytes. */
  readonly control?: Uint8Array
  /** Bytes the message had before it was cut. */
  readonly fullLength: number
  /** `MSG_…` for the program, beside MSG_TRUNC and MSG_CTRUNC, which are added. */
  readonly flags: number
}

/** Who makes a socket. */
export interface SockOwner {
  /** 0: not told. */
  readonly pid: number
  /** The program may change the network. */
  readonly capNetAdmin: boolean
}

/**
 * A socket of any family, as system calls see it. It does not wait and knows no program memory: the server of the
 * system calls does and does. Every call is made in process context; every refusal is a thrown `Errno`.
 *
 * SOL_SOCKET options that are the same for all families (SO_TYPE, SO_RCVTIMEO …) do not reach it. SO_ATTACH_FILTER
 * comes with the instructions themselves as value, 8 bytes each.
 *
 * @kernel struct proto_ops include/linux/net.h
 */
export interface Sock {
  readonly family: number
  /** SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3. */
  readonly type: number
  readonly protocol: number
  bind(address: Uint8Array): void
  connect(address: Uint8Array): void
  getsockname(): Uint8Array
  getpeername?(): Uint8Array
  setsockopt(level: number, name: number, value: Uint8Array): void
  /** `value` is what the program has in its buffer now: some options are asked with a question in it. */
  getsockopt(level: number, name: number, value: Uint8Array): Uint8Array
  /** Returns the bytes taken. */
  sendmsg(msg: SockMsg): number
  /** At most `max` bytes of the next message; null when there is none. `flags` may have MSG_PEEK and MSG_ERRQUEUE. */
  recvmsg(max: number, flags: number): SockReceived | null
  /** True when it was done here, false when it is for `sockIoctl`. What it copies in, it copies before it changes anything. */
  ioctl?(caller: IoctlCaller, request: number, argument: bigint): boolean
  /** The path of a file of `length` bytes that both sides map. */
  mmap?(length: number): string
  shutdown?(how: number): void
  /** True when `recvmsg` has something to give or to say. */
  readonly readable: boolean
  /** Called, in any context, when it becomes readable. The connection sets it. */
  onReadable: (() => void) | null
  close(): void
}

/** What makes the sockets of a family. @kernel struct net_proto_family include/linux/net.h */
export interface SockFamily {
  /** @throws Errno ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM */
  create(type: number, protocol: number, who: SockOwner): Sock
}

/** Address families known here by number. @kernel AF_NETLINK include/linux/socket.h */
export const SockAf = { UNSPEC: 0, UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17, MAX: 46 } as const
/** Kinds of sockets and the bits beside them. @kernel SOCK_NONBLOCK include/linux/net.h */
export const SockType = {
  STREAM: 1,
  DGRAM: 2,
  RAW: 3,
  MASK: 0xf,
  NONBLOCK: 0x800,
  CLOEXEC: 0x80000,
} as const
/** Flags of messages. @kernel MSG_PEEK include/linux/socket.h */
export const SockMsgFlag = {
  OOB: 0x1,
  PEEK: 0x2,
  CTRUNC: 0x8,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  ERRQUEUE: 0x2000,
} as const
/** The option level of all sockets. @kernel SOL_SOCKET include/uapi/asm-generic/socket.h */
export const SOL_SOCKET = 1

/** The families of one kernel. */
class SockFamilies {
  readonly byNumber = new Map<number, SockFamily>()
}

function familiesOf(kernel: Kernel): Map<number, SockFamily> {
  return kernel.subsys('sock-families', () => new SockFamilies()).byNumber
}

/**
 * Adds an address family; what it returns takes it away again. Sockets that are open stay.
 *
 * @throws Errno EEXIST
 * @kernel sock_register() net/socket.c
 */
export function sockRegister(kernel: Kernel, family: number, ops: SockFamily): () => void {
  const families = familiesOf(kernel)
  if (families.has(family)) throw new Errno('EEXIST')
  families.set(family, ops)
  return () => {
    if (families.get(family) === ops) families.delete(family)
  }
}

/** The family of a number, or undefined. @kernel none */
export function sockFamily(kernel: Kernel, family: number): SockFamily | undefined {
  return familiesOf(kernel).get(family)
}

/**
 * Makes a socket of a registered family.
 *
 * @throws Errno EAFNOSUPPORT, and what the family throws
 * @kernel sock_create() net/socket.c
 */
export function sockCreate(
  kernel: Kernel,
  family: number,
  type: number,
  protocol: number,
  who: SockOwner,
): Sock {
  const ops = sockFamily(kernel, family)
  if (ops === undefined) throw new Errno('EAFNOSUPPORT')
  return ops.create(type, protocol, who)
}

/**
 * System calls, by what a request asks for. Arguments are those of the system call, as 64-bit registers; addresses
 * are the program's own.
 *
 * `interrupt` has no answer of its own: it ends a call of the same connection that waits, with -EINTR, and does
 * nothing when none waits.
 *
 * @kernel none
 */
export const Sys = {
  socket: 0,
  bind: 1,
  connect: 2,
  getsockname: 3,
  setsockopt: 4,
  getsockopt: 5,
  sendto: 6,
  recvfrom: 7,
  sendmsg: 8,
  recvmsg: 9,
  ioctl: 10,
  mmap: 11,
  pollArm: 12,
  getpeername: 13,
  shutdown: 14,
  interrupt: 15,
  open: 20,
  read: 21,
  write: 22,
  getdents: 23,
  readlink: 24,
  stat: 25,
  initModule: 30,
  deleteModule: 31,
  syslog: 32,
  reboot: 33,
  uname: 34,
  clockGettime: 35,
  nanosleep: 36,
} as const

/** What a head of the server says. @kernel none */
export const SysAnswer = { WAKE: 0, COPYIN: 1, COPYOUT: 2, RET: 3 } as const

/** Bytes of a request: the operation and six arguments. @kernel none */
export const SYS_REQUEST_LEN = 56
/** Arguments of a request. @kernel none */
export const SYS_ARGS = 6
/** Bytes of a head of the server. @kernel none */
export const SYS_HEAD_LEN = 16
/** Bytes of the status in front of what was copied in. @kernel none */
export const SYS_STATUS_LEN = 8
/** Most bytes in one piece. @kernel none */
export const SYS_MAX_PIECE = 1 << 20
/** Most bytes a call may copy in, and most it may copy out. @kernel none */
export const SYS_MAX_CALL = 4 << 20

/** One request, decoded. */
export interface SyscallRequest {
  readonly op: number
  readonly args: readonly bigint[]
}

/** One head of the server, decoded. */
export interface SyscallHead {
  readonly what: number
  readonly length: number
  /** An address, or a result. */
  readonly value: bigint
}

/** A request as bytes; arguments that are left out are 0, negative ones are sign-extended. @kernel none */
export function encodeRequest(op: number, args: readonly (number | bigint)[] = []): Uint8Array {
  const view = new DataView(new ArrayBuffer(SYS_REQUEST_LEN))
  view.setBigUint64(0, BigInt(op), true)
  for (const [i, arg] of args.entries()) view.setBigUint64(8 + i * 8, BigInt.asUintN(64, BigInt(arg)), true)
  return new Uint8Array(view.buffer)
}

/** A request out of {@link SYS_REQUEST_LEN} bytes. An operation past 2³² decodes to one nobody knows. @kernel none */
export function decodeRequest(bytes: Uint8Array): SyscallRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const args: bigint[] = []
  for (let i = 0; i < SYS_ARGS; i++) args.push(view.getBigUint64(8 + i * 8, true))
  return { op: Number(view.getBigUint64(0, true)), args }
}

/** Writes a head at an offset. `value` is taken to 64 bits. @kernel none */
export function putHead(bytes: Uint8Array, at: number, head: SyscallHead): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SYS_HEAD_LEN)
  view.setUint32(0, head.what, true)
  view.setUint32(4, head.length, true)
  view.setBigUint64(8, BigInt.asUintN(64, head.value), true)
}

/** A head out of {@link SYS_HEAD_LEN} bytes. An address comes as it would from a signed register. @kernel none */
export function decodeHead(bytes: Uint8Array, at = 0): SyscallHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SYS_HEAD_LEN)
  return { what: view.getUint32(0, true), length: view.getUint32(4, true), value: view.getBigInt64(8, true) }
}

import { Sys } from '@vnet/netlink'
import { scoped, syscall } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'

/** What came with `recvmsg`. */
export interface Message {
  readonly bytes: Uint8Array
  /** The sender's address as a `sockaddr`. */
  readonly from: Uint8Array
  readonly control: ReadonlyMap<string, Uint8Array>
}

const MSGHDR_LEN = 56
const ADDRESS_LEN = 128
const CONTROL_LEN = 512
const BUFFER_LEN = 65_536

/** Receives one message with what belongs to it. @throws Errno EAGAIN when there is none @kernel recvmsg() net/socket.c */
export function recvmsg(process: Process, fd: number, flags: number): Syscalls<Message> {
  return scoped(process, function* () {
    const { memory } = process
    const buffer = memory.alloc(BUFFER_LEN)
    const address = memory.alloc(ADDRESS_LEN)
    const control = memory.alloc(CONTROL_LEN)
    const iov = memory.put(words(buffer, BigInt(BUFFER_LEN)))
    const head = memory.put(words(address, BigInt(ADDRESS_LEN), iov, 1n, control, BigInt(CONTROL_LEN), 0n))
    const length = yield* syscall(fd, Sys.recvmsg, [head, flags])
    const told = viewOf(memory.get(head, MSGHDR_LEN))
    const addressLength = Math.min(told.getUint32(8, true), ADDRESS_LEN)
    const controlLength = Math.min(Number(told.getBigUint64(40, true)), CONTROL_LEN)
    return {
      bytes: memory.get(buffer, Math.min(length, BUFFER_LEN)),
      from: memory.get(address, addressLength),
      control: controlMessages(memory.get(control, controlLength)),
    }
  })
}

function words(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Control messages by `level:type`. @kernel struct cmsghdr include/linux/socket.h */
function controlMessages(bytes: Uint8Array): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  const view = viewOf(bytes)
  for (let at = 0; bytes.length - at >= 16;) {
    const length = Number(view.getBigUint64(at, true))
    if (length < 16 || length > bytes.length - at) break
    found.set(
      `${view.getInt32(at + 8, true)}:${view.getInt32(at + 12, true)}`,
      bytes.slice(at + 16, at + length),
    )
    at += (length + 7) & ~7
  }
  return found
}

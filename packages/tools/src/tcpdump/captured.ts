import { Errno } from '@vnet/kernel'
import { SockMsgFlag, Sys } from '@vnet/netlink'
import { scoped, syscall } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'

/** A packet out of a packet socket. */
export interface Captured {
  /** At most as many bytes as were asked for, with a tag that the kernel had taken off. */
  readonly bytes: Uint8Array
  /** What it had on the wire. */
  readonly length: number
  readonly ifindex: number
  /** ARPHRD_… of the device. */
  readonly hatype: number
  /** PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3, OUTGOING 4. */
  readonly pkttype: number
  readonly tsSec: number
  readonly tsNsec: number
}

/** It leaves from here. @kernel PACKET_OUTGOING include/uapi/linux/if_packet.h */
export const PKT_OUTGOING = 4

const SOL_SOCKET = 1
const SOL_PACKET = 263
const SCM_TIMESTAMPNS = 35
const PACKET_AUXDATA = 8
const VLAN_VALID = 1 << 4
const VLAN_TPID_VALID = 1 << 6
const TAG_LEN = 4
const SOCKADDR_LL_LEN = 20
const CONTROL_LEN = 128
/** Longest packet there is, with a link header. */
const MAX_PACKET = 65536 + 64

/** The next packet, or null when none waits. @throws Errno ENETDOWN @kernel packet_recvmsg() net/packet/af_packet.c */
export function nextPacket(process: Process, fd: number, snaplen: number): Syscalls<Captured | null> {
  return scoped(process, function* () {
    const { memory } = process
    const room = Math.min(snaplen, MAX_PACKET)
    const buffer = memory.alloc(room)
    const name = memory.alloc(SOCKADDR_LL_LEN)
    const control = memory.alloc(CONTROL_LEN)
    const iov = memory.put(new Uint8Array(BigUint64Array.of(buffer, BigInt(room)).buffer))
    const head = memory.put(msghdr(name, iov, control))
    const flags = SockMsgFlag.DONTWAIT | SockMsgFlag.TRUNC
    const length = yield* orNull(syscall(fd, Sys.recvmsg, [head, flags]))
    if (length === null) return null
    const controlLength = Number(new DataView(memory.get(head + 40n, 8).buffer).getBigUint64(0, true))
    const beside = readControl(memory.get(control, Math.min(controlLength, CONTROL_LEN)))
    const from = new DataView(memory.get(name, SOCKADDR_LL_LEN).buffer)
    const bytes = memory.get(buffer, Math.min(length, room))
    const tagged = beside.tag === null ? bytes : withTag(bytes, beside.tag).subarray(0, snaplen)
    return {
      bytes: tagged,
      length: length + (beside.tag === null ? 0 : TAG_LEN),
      ifindex: from.getInt32(4, true),
      hatype: from.getUint16(8, true),
      pkttype: from.getUint8(10),
      tsSec: beside.tsSec,
      tsNsec: beside.tsNsec,
    }
  })
}

function* orNull(call: Syscalls<number>): Syscalls<number | null> {
  try {
    return yield* call
  } catch (error) {
    if (error instanceof Errno && error.code === 'EAGAIN') return null
    throw error
  }
}

function msghdr(name: bigint, iov: bigint, control: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(56))
  view.setBigUint64(0, name, true)
  view.setUint32(8, SOCKADDR_LL_LEN, true)
  view.setBigUint64(16, iov, true)
  view.setBigUint64(24, 1n, true)
  view.setBigUint64(32, control, true)
  view.setBigUint64(40, BigInt(CONTROL_LEN), true)
  return new Uint8Array(view.buffer)
}

interface Beside {
  tsSec: number
  tsNsec: number
  /** Type and TCI of a tag, as they stood in the frame. */
  tag: Uint8Array | null
}

function readControl(bytes: Uint8Array): Beside {
  const out: Beside = { tsSec: 0, tsNsec: 0, tag: null }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at + 16 <= bytes.length;) {
    const length = Number(view.getBigUint64(at, true))
    if (length < 16 || at + length > bytes.length) break
    const level = view.getInt32(at + 8, true)
    const type = view.getInt32(at + 12, true)
    if (level === SOL_SOCKET && type === SCM_TIMESTAMPNS && length >= 32) {
      out.tsSec = Number(view.getBigInt64(at + 16, true))
      out.tsNsec = Number(view.getBigInt64(at + 24, true))
    }
    if (level === SOL_PACKET && type === PACKET_AUXDATA && length >= 36) out.tag = tagOf(view, at + 16)
    at += (length + 7) & ~7
  }
  return out
}

function tagOf(view: DataView, at: number): Uint8Array | null {
  const status = view.getUint32(at, true)
  if ((status & VLAN_VALID) === 0) return null
  const tpid = (status & VLAN_TPID_VALID) === 0 ? 0x8100 : view.getUint16(at + 18, true)
  const tci = view.getUint16(at + 16, true)
  return Uint8Array.of(tpid >> 8, tpid, tci >> 8, tci)
}

/** Puts a tag back where it was: behind the addresses. */
function withTag(bytes: Uint8Array, tag: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + TAG_LEN)
  out.set(bytes.subarray(0, 12))
  out.set(tag, 12)
  out.set(bytes.subarray(12), 12 + TAG_LEN)
  return out
}

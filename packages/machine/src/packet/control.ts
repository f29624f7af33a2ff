import { SOL_SOCKET } from '@vnet/netlink'
import type { CapturedPacket } from './captured.ts'
import { PacketOption, SOL_PACKET, TpStatus } from './constants.ts'

/** Which control messages a socket wants. */
export interface ControlWish {
  auxdata: boolean
  /** Microseconds, nanoseconds, or no time. */
  timestamp: 'us' | 'ns' | null
}

/** Control messages with the times of packets. @kernel SCM_TIMESTAMP include/uapi/asm-generic/socket.h */
const SCM = { us: 29, ns: 35 } as const
const HEADER = 16
const AUXDATA_LEN = 20
const TIME_LEN = 16
const NSEC_PER_SEC = 1_000_000_000n

/** What is told with a packet, or undefined when nothing is wanted. @kernel packet_recvmsg() net/packet/af_packet.c */
export function controlOf(wish: ControlWish, packet: CapturedPacket): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  if (wish.timestamp !== null) parts.push(timestamp(wish.timestamp, packet.time))
  if (wish.auxdata) parts.push(auxdata(packet))
  if (parts.length === 0) return undefined
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function message(level: number, type: number, length: number): DataView {
  const view = new DataView(new ArrayBuffer((HEADER + length + 7) & ~7))
  view.setBigUint64(0, BigInt(HEADER + length), true)
  view.setInt32(8, level, true)
  view.setInt32(12, type, true)
  return view
}

function timestamp(kind: 'us' | 'ns', time: bigint): Uint8Array {
  const view = message(SOL_SOCKET, SCM[kind], TIME_LEN)
  const rest = time % NSEC_PER_SEC
  view.setBigInt64(HEADER, time / NSEC_PER_SEC, true)
  view.setBigInt64(HEADER + 8, kind === 'us' ? rest / 1000n : rest, true)
  return new Uint8Array(view.buffer)
}

/** @kernel struct tpacket_auxdata include/uapi/linux/if_packet.h */
function auxdata(packet: CapturedPacket): Uint8Array {
  const view = message(SOL_PACKET, PacketOption.AUXDATA, AUXDATA_LEN)
  view.setUint32(HEADER, packet.status | TpStatus.USER, true)
  view.setUint32(HEADER + 4, packet.length, true)
  view.setUint32(HEADER + 8, packet.bytes.length, true)
  view.setUint16(HEADER + 12, 0, true)
  view.setUint16(HEADER + 14, packet.networkOffset, true)
  view.setUint16(HEADER + 16, packet.vlanTci, true)
  view.setUint16(HEADER + 18, packet.vlanProto, true)
  return new Uint8Array(view.buffer)
}

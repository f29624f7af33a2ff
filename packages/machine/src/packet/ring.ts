import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import type { SharedFile } from '../host.ts'
import type { CapturedPacket } from './captured.ts'
import { TPacket, tpacketAlign } from './constants.ts'
import { SOCKADDR_LL_LEN } from './sockaddr-ll.ts'

/** A file whose other side writes to it, too. */
export interface RingFile extends SharedFile {
  /** Brings what the program wrote into `bytes`; absent where both sides have the same memory. */
  refresh?(offset: number, length: number): void
}

/** What a program asks for. @kernel union tpacket_req_u include/uapi/linux/if_packet.h */
export interface RingRequest {
  readonly blockSize: number
  readonly blockCount: number
  readonly frameSize: number
  readonly frameCount: number
  /** Milliseconds after which a block that is not full is handed over; 0: the kernel chooses. */
  readonly retireMs: number
  /** Bytes at the start of each block that are the program's. */
  readonly privateSize: number
}

/** What a ring of a packet socket does. */
export interface PacketRing {
  readonly file: RingFile
  /** Takes a packet; false: there is no room, it is lost. */
  put(packet: CapturedPacket): boolean
  /** True while there is something for the program. */
  readonly readable: boolean
  /** How often all blocks were full. */
  readonly freezes: number
  /** Most bytes of a packet that fit behind `networkOffset` bytes of link header. */
  room(networkOffset: number): number
  close(): void
}

/** What a ring needs of its socket. */
export interface RingOwner {
  readonly kernel: Kernel
  /** Nanoseconds of the calendar. */
  now(): bigint
  /** Something is there for the program. */
  wake(): void
}

/** Bytes of the header in front of each frame. @kernel TPACKET2_HDRLEN include/uapi/linux/if_packet.h */
export const HEADER_LEN: Readonly<Record<number, number>> = {
  [TPacket.V1]: 32,
  [TPacket.V2]: 32,
  [TPacket.V3]: 48,
}

const PAGE_SIZE = 4096
/** Most bytes of a ring. */
const MAX_RING = 256 * 1024 * 1024

/** Reads what a program asks for. @throws Errno EINVAL */
export function parseRequest(value: Uint8Array, version: number): RingRequest {
  const v3 = version === TPacket.V3
  if (value.length < (v3 ? 28 : 16)) throw new Errno('EINVAL')
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  const word = (i: number): number => view.getUint32(i * 4, true)
  return {
    blockSize: word(0),
    blockCount: word(1),
    frameSize: word(2),
    frameCount: word(3),
    retireMs: v3 ? word(4) : 0,
    privateSize: v3 ? word(5) : 0,
  }
}

/**
 * Checks that the sizes fit together.
 *
 * @throws Errno EINVAL, ENOMEM
 * @kernel packet_set_ring() net/packet/af_packet.c
 */
export function checkRequest(request: RingRequest, version: number, reserve: number): void {
  const { blockSize, blockCount, frameSize, frameCount } = request
  const bad = (): never => {
    throw new Errno('EINVAL')
  }
  if (blockSize === 0 || blockSize > 0x7fffffff || blockSize % PAGE_SIZE !== 0) bad()
  if (frameSize === 0 || frameSize % 16 !== 0 || frameSize > blockSize) bad()
  const header = HEADER_LEN[version]! + SOCKADDR_LL_LEN
  if (frameSize < tpacketAlign(header) + reserve) bad()
  if (Math.floor(blockSize / frameSize) * blockCount !== frameCount) bad()
  const blockHeader = 48 + ((request.privateSize + 7) & ~7)
  if (version === TPacket.V3 && blockSize <= blockHeader + tpacketAlign(header) + reserve) bad()
  if (blockSize * blockCount > MAX_RING) throw new Errno('ENOMEM')
}

/** Where the network header and the frame stand behind a frame's header. @kernel tpacket_rcv() net/packet/af_packet.c */
export function frameOffsets(
  version: number,
  networkOffset: number,
  reserve: number,
): { mac: number; net: number } {
  const header = HEADER_LEN[version]! + SOCKADDR_LL_LEN
  const net = tpacketAlign(header + Math.max(16, networkOffset)) + reserve
  return { mac: net - networkOffset, net }
}

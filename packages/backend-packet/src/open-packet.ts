import {
  AF,
  bindSock,
  closeFd,
  E,
  getSockBytes,
  hostErrno,
  ifIndex,
  Mapping,
  setSockBytes,
  setSockInt,
  SOCK,
  sys,
} from '@vnet/linux'
import { explainPacketRefusal } from './options.ts'
import type { PacketSettings } from './options.ts'
import { RESERVED_BYTES, RxRing } from './rx-ring.ts'

const SOL_SOCKET = 1
const SO_ERROR = 4
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_RX_RING = 5
const PACKET_STATISTICS = 6
const PACKET_VERSION = 10
const PACKET_RESERVE = 12
const PACKET_IGNORE_OUTGOING = 23
const TPACKET_V3 = 2
const PACKET_MR_PROMISC = 1
const ETH_P_ALL = 3
/** Only divides blocks in the request; V3 packs frames as they come. */
const FRAME_SIZE = 2048

/** An interface that is open. */
export interface OpenPacket {
  readonly fd: number
  readonly index: number
  readonly mapping: Mapping
  readonly ring: RxRing
}

/** Opens an interface, in the namespace asked for. @throws Errno with what to do */
export function openPacket(settings: PacketSettings): OpenPacket {
  const open = (): OpenPacket => openHere(settings)
  return settings.netns === undefined ? open() : settings.netns.run(open)
}

function openHere(settings: PacketSettings): OpenPacket {
  const explain = (number: number): string | undefined => explainPacketRefusal(number, settings.name)
  // Protocol 0: nothing is received before the ring is there.
  const fd = sys('socket', [AF.PACKET, SOCK.RAW | SOCK.NONBLOCK | SOCK.CLOEXEC, 0], explain)
  let mapping: Mapping | null = null
  try {
    const index = ifIndexOf(settings.name)
    const tellOutgoing = !settings.outgoing && !ignoreOutgoing(fd)
    prepare(fd, settings)
    mapping = new Mapping(fd, settings.blockSize * settings.blocks)
    bindSock(fd, sockaddr(index), (number) => explain(number) ?? `cannot bind to ${settings.name}`)
    if (settings.promiscuous) setSockBytes(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership(index))
    return { fd, index, mapping, ring: new RxRing(mapping.buffer, settings, tellOutgoing) }
  } catch (error) {
    mapping?.unmap()
    closeFd(fd)
    throw error
  }
}

function ifIndexOf(name: string): number {
  try {
    return ifIndex(name) || refuse(name)
  } catch {
    return refuse(name)
  }
}

function refuse(name: string): never {
  throw hostErrno(E.NODEV, explainPacketRefusal(E.NODEV, name))
}

function prepare(fd: number, settings: PacketSettings): void {
  const { blockSize, blocks, blockTimeoutMs } = settings
  setSockInt(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V3)
  setSockInt(fd, SOL_PACKET, PACKET_RESERVE, RESERVED_BYTES)
  const frames = (blockSize / FRAME_SIZE) * blocks
  const request = Uint32Array.of(blockSize, blocks, FRAME_SIZE, frames, blockTimeoutMs, 0, 0)
  setSockBytes(fd, SOL_PACKET, PACKET_RX_RING, new Uint8Array(request.buffer))
}

/** False from kernels before 4.20; frames are then told apart one by one. */
function ignoreOutgoing(fd: number): boolean {
  try {
    setSockInt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    return true
  } catch {
    return false
  }
}

function sockaddr(index: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20))
  view.setUint16(0, AF.PACKET, true)
  view.setUint16(2, ETH_P_ALL)
  view.setInt32(4, index, true)
  return new Uint8Array(view.buffer)
}

function membership(index: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16))
  view.setInt32(0, index, true)
  view.setUint16(4, PACKET_MR_PROMISC, true)
  return new Uint8Array(view.buffer)
}

/** Frames the ring had no room for since it was asked last. */
export function ringDrops(fd: number): number {
  const stats = getSockBytes(fd, SOL_PACKET, PACKET_STATISTICS, 12)
  return new DataView(stats.buffer).getUint32(4, true)
}

/** The error a socket waits to report; asking takes it away. */
export function pendingError(fd: number): number {
  const error = getSockBytes(fd, SOL_SOCKET, SO_ERROR, 4)
  return new DataView(error.buffer).getInt32(0, true)
}

/** Closes what was opened. */
export function closePacket(open: OpenPacket): void {
  closeFd(open.fd)
  open.mapping.unmap()
}

import type { CapturedPacket } from './captured.ts'
import { TPacket, TpStatus } from './constants.ts'
import { frameOffsets } from './ring.ts'
import type { PacketRing, RingFile, RingOwner, RingRequest } from './ring.ts'
import { putSockaddrLl } from './sockaddr-ll.ts'

const NSEC_PER_SEC = 1_000_000_000n
const AT_SOCKADDR = 32
/** Length of the fields in front of the address. */
const HEAD = 32

/**
 * A ring of slots of one size, a packet in each. The status of a slot says whose it is.
 *
 * @kernel struct tpacket2_hdr include/uapi/linux/if_packet.h
 */
export class SlotRing implements PacketRing {
  readonly file: RingFile
  readonly freezes = 0
  readonly #owner: RingOwner
  readonly #request: RingRequest
  readonly #reserve: number
  readonly #view: DataView
  #next = 0

  constructor(owner: RingOwner, file: RingFile, request: RingRequest, reserve: number) {
    this.#owner = owner
    this.file = file
    this.#request = request
    this.#reserve = reserve
    this.#view = new DataView(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length)
  }

  get readable(): boolean {
    const { frameCount } = this.#request
    return (this.#status((this.#next + frameCount - 1) % frameCount) & TpStatus.USER) !== 0
  }

  room(networkOffset: number): number {
    return this.#request.frameSize - frameOffsets(TPacket.V2, networkOffset, this.#reserve).mac
  }

  /** @kernel tpacket_rcv() net/packet/af_packet.c */
  put(packet: CapturedPacket): boolean {
    const slot = this.#next
    if ((this.#status(slot) & TpStatus.USER) !== 0) return false
    const { mac, net } = frameOffsets(TPacket.V2, packet.networkOffset, this.#reserve)
    const at = this.#at(slot)
    const view = this.#view
    view.setUint32(at + 4, packet.length, true)
    view.setUint32(at + 8, packet.bytes.length, true)
    view.setUint16(at + 12, mac, true)
    view.setUint16(at + 14, net, true)
    view.setUint32(at + 16, Number((packet.time / NSEC_PER_SEC) & 0xffffffffn), true)
    view.setUint32(at + 20, Number(packet.time % NSEC_PER_SEC), true)
    view.setUint16(at + 24, packet.vlanTci, true)
    view.setUint16(at + 26, packet.vlanProto, true)
    view.setUint32(at + 28, 0, true)
    putSockaddrLl(this.file.bytes, at + AT_SOCKADDR, packet.from)
    this.file.bytes.set(packet.bytes, at + mac)
    this.file.flush(at + 4, HEAD - 4)
    this.file.flush(at + HEAD, mac - HEAD + packet.bytes.length)
    view.setUint32(at, packet.status | TpStatus.USER, true)
    this.file.flush(at, 4)
    this.#next = (slot + 1) % this.#request.frameCount
    this.#owner.wake()
    return true
  }

  close(): void {
    this.file.release()
  }

  #at(slot: number): number {
    const { blockSize, frameSize } = this.#request
    const inBlock = Math.floor(blockSize / frameSize)
    return Math.floor(slot / inBlock) * blockSize + (slot % inBlock) * frameSize
  }

  #status(slot: number): number {
    const at = this.#at(slot)
    this.file.refresh?.(at, 4)
    return this.#view.getUint32(at, true)
  }
}

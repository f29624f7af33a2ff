import { modTimer, msecsToJiffies, timerDelete, timerSetup } from '@vnet/kernel'
import type { TimerList } from '@vnet/kernel'
import type { CapturedPacket } from './captured.ts'
import { TPacket, tpacketAlign, TpStatus } from './constants.ts'
import { frameOffsets } from './ring.ts'
import type { PacketRing, RingFile, RingOwner, RingRequest } from './ring.ts'
import { putSockaddrLl } from './sockaddr-ll.ts'

/** Fields of `struct tpacket_block_desc`. @kernel struct tpacket_block_desc include/uapi/linux/if_packet.h */
const Block = {
  VERSION: 0,
  PRIV: 4,
  STATUS: 8,
  PACKETS: 12,
  FIRST: 16,
  LENGTH: 20,
  SEQ: 24,
  TS_FIRST: 32,
  TS_LAST: 40,
  LEN: 48,
} as const
/** When the program does not say how long to wait. */
const DEFAULT_RETIRE_MS = 8
const NSEC_PER_SEC = 1_000_000_000n
const AT_SOCKADDR = 48

/**
 * A ring of blocks, each filled with packets of any size and handed over when it is full or a time is over.
 *
 * The two sides talk through the status of each block: 0 is ours, bit 0 is the program's.
 *
 * @kernel struct tpacket_kbdq_core net/packet/internal.h
 */
export class BlockRing implements PacketRing {
  readonly file: RingFile
  freezes = 0
  readonly #owner: RingOwner
  readonly #request: RingRequest
  readonly #reserve: number
  readonly #view: DataView
  readonly #timer: TimerList
  /** The block that is filled, where the next packet goes in it, and where the last one is. */
  #block = 0
  #offset = 0
  #last = 0
  #packets = 0
  #seq = 1n
  #open = false
  #frozen = false

  constructor(owner: RingOwner, file: RingFile, request: RingRequest, reserve: number) {
    this.#owner = owner
    this.file = file
    this.#request = request
    this.#reserve = reserve
    this.#view = new DataView(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length)
    this.#timer = timerSetup(owner.kernel, () => this.#retire(), 'af_packet')
    for (let block = 0; block < request.blockCount; block++) this.#writeHead(block)
    this.#openBlock()
  }

  get readable(): boolean {
    for (let block = 0; block < this.#request.blockCount; block++) if (!this.#isOurs(block)) return true
    return false
  }

  room(networkOffset: number): number {
    return this.#request.blockSize - this.#first - frameOffsets(TPacket.V3, networkOffset, this.#reserve).mac
  }

  /** @kernel __packet_lookup_frame_in_block() net/packet/af_packet.c */
  put(packet: CapturedPacket): boolean {
    if (!this.#open && !this.#openBlock()) return false
    const { mac, net } = frameOffsets(TPacket.V3, packet.networkOffset, this.#reserve)
    const size = tpacketAlign(mac + packet.bytes.length)
    if (this.#offset + size > this.#request.blockSize) {
      this.#closeBlock(0)
      if (!this.#openBlock()) return false
    }
    if (this.#offset + size > this.#request.blockSize) return false
    this.#write(packet, mac, net, size)
    return true
  }

  close(): void {
    timerDelete(this.#timer)
    this.#open = false
    this.file.release()
  }

  /** Bytes of a block before its first packet. */
  get #first(): number {
    return Block.LEN + ((this.#request.privateSize + 7) & ~7)
  }

  #at(block: number): number {
    return block * this.#request.blockSize
  }

  #isOurs(block: number): boolean {
    const at = this.#at(block) + Block.STATUS
    this.file.refresh?.(at, 4)
    return (this.#view.getUint32(at, true) & TpStatus.USER) === 0
  }

  #writeHead(block: number): void {
    const at = this.#at(block)
    this.#view.setUint32(at + Block.VERSION, TPacket.V3, true)
    this.#view.setUint32(at + Block.PRIV, Block.LEN, true)
    this.file.flush(at, Block.LEN)
  }

  /** Begins to fill the current block; false: the program still has it, and so it has all. @kernel prb_dispatch_next_block() net/packet/af_packet.c */
  #openBlock(): boolean {
    if (!this.#isOurs(this.#block)) {
      if (!this.#frozen) this.freezes++
      this.#frozen = true
      return false
    }
    this.#frozen = false
    this.#open = true
    this.#offset = this.#first
    this.#last = 0
    this.#packets = 0
    const at = this.#at(this.#block)
    this.#view.setUint32(at + Block.STATUS, TpStatus.KERNEL, true)
    this.#view.setUint32(at + Block.FIRST, this.#first, true)
    this.#view.setBigUint64(at + Block.SEQ, this.#seq++, true)
    this.#putTime(at + Block.TS_FIRST, this.#owner.now())
    return true
  }

  /** Hands the current block to the program, its status last. @kernel prb_close_block() net/packet/af_packet.c */
  #closeBlock(why: number): void {
    const at = this.#at(this.#block)
    const view = this.#view
    timerDelete(this.#timer)
    if (this.#last > 0) view.setUint32(at + this.#last, 0, true)
    view.setUint32(at + Block.PACKETS, this.#packets, true)
    view.setUint32(at + Block.LENGTH, this.#offset, true)
    this.file.flush(at, this.#offset)
    view.setUint32(at + Block.STATUS, TpStatus.USER | why, true)
    this.file.flush(at + Block.STATUS, 4)
    this.#open = false
    this.#block = (this.#block + 1) % this.#request.blockCount
    this.#owner.wake()
  }

  /** The time of a block is over: the program gets it as it is. @kernel prb_retire_rx_blk_timer_expired() net/packet/af_packet.c */
  #retire(): void {
    if (!this.#open || this.#packets === 0) return
    this.#closeBlock(TpStatus.BLK_TMO)
    this.#openBlock()
  }

  /** The time runs from a block's first packet on: an idle machine has no timer. */
  #arm(): void {
    const { kernel } = this.#owner
    const ms = this.#request.retireMs === 0 ? DEFAULT_RETIRE_MS : this.#request.retireMs
    modTimer(this.#timer, kernel.clock.jiffies + msecsToJiffies(kernel, ms))
  }

  #write(packet: CapturedPacket, mac: number, net: number, size: number): void {
    const block = this.#at(this.#block)
    const at = block + this.#offset
    const view = this.#view
    view.setUint32(at, size, true)
    this.#putTime(at + 4, packet.time)
    view.setUint32(at + 12, packet.bytes.length, true)
    view.setUint32(at + 16, packet.length, true)
    view.setUint32(at + 20, packet.status | TpStatus.USER, true)
    view.setUint16(at + 24, mac, true)
    view.setUint16(at + 26, net, true)
    view.setUint32(at + 28, packet.hash, true)
    view.setUint32(at + 32, packet.vlanTci, true)
    view.setUint16(at + 36, packet.vlanProto, true)
    putSockaddrLl(this.file.bytes, at + AT_SOCKADDR, packet.from)
    this.file.bytes.set(packet.bytes, at + mac)
    this.#putTime(block + Block.TS_LAST, packet.time)
    this.#last = this.#offset
    this.#offset += size
    this.#packets++
    if (this.#packets === 1) this.#arm()
  }

  #putTime(at: number, time: bigint): void {
    this.#view.setUint32(at, Number((time / NSEC_PER_SEC) & 0xffffffffn), true)
    this.#view.setUint32(at + 4, Number(time % NSEC_PER_SEC), true)
  }
}

/** Status bits of a frame in a ring. @kernel TP_STATUS_USER include/uapi/linux/if_packet.h */
export const TP_STATUS = {
  USER: 1,
  /** Frames were lost since the last look. */
  LOSING: 4,
  /** The host left the checksum to a card that is not there. */
  CSUMNOTREADY: 8,
  /** The VLAN tag was taken out of the frame. */
  VLAN_VALID: 0x10,
  VLAN_TPID_VALID: 0x40,
} as const

/** `sll_pkttype` of frames this host sent. @kernel PACKET_OUTGOING include/uapi/linux/if_packet.h */
const PACKET_OUTGOING = 4
const ETH_P_8021Q = 0x8100
const VLAN_HLEN = 4
/** Bytes kept free before each frame: room to put a VLAN tag back. */
export const RESERVED_BYTES = 4

// struct tpacket_block_desc, in bytes from the start of a block.
const BLOCK_STATUS = 8
const BLOCK_PACKETS = 12
const BLOCK_FIRST = 16
// struct tpacket3_hdr, in bytes from the start of a frame's header. Before these: tp_next_offset at 0, tp_snaplen at 12,
// tp_len at 16, tp_status at 20, tp_mac at 24.
const VLAN_TCI = 32
const VLAN_TPID = 36
const SLL_PKTTYPE = 48 + 10

/**
 * How a ring is laid out.
 *
 * @kernel struct tpacket_req3 include/uapi/linux/if_packet.h
 */
export interface RingLayout {
  /** Bytes in a block: a power of two, at least a page. */
  readonly blockSize: number
  readonly blocks: number
}

/**
 * Walks the frames of a TPACKET_V3 ring where they lie. Nothing is copied, nothing is allocated per frame.
 *
 * The kernel fills blocks and hands them over; each goes back when its last frame was passed.
 *
 * @kernel packet_rcv_fanout() net/packet/af_packet.c
 */
export class RxRing {
  /** The ring's memory; the frame of the last `next()` begins at `offset`. */
  readonly mem: Uint8Array
  offset: number
  length: number
  /** `TP_STATUS` bits of the frame. */
  status: number
  /** There is more to know of the frame than its bytes: it is truncated or outgoing, or was not finished by the host. */
  odd: boolean
  readonly #words: Int32Array
  readonly #layout: RingLayout
  readonly #tellOutgoing: boolean
  #block: number
  #left: number
  /** The header of the frame that comes next, and of this one. */
  #header: number
  #current: number

  /** @param tellOutgoing - whether frames this host sent may come, and are odd */
  constructor(buffer: ArrayBufferLike, layout: RingLayout, tellOutgoing = true) {
    this.mem = new Uint8Array(buffer)
    this.offset = 0
    this.length = 0
    this.status = 0
    this.odd = false
    this.#words = new Int32Array(buffer)
    this.#layout = layout
    this.#tellOutgoing = tellOutgoing
    this.#block = 0
    this.#left = -1
    this.#header = 0
    this.#current = 0
  }

  /** The frame is longer than what is here of it. */
  get truncated(): boolean {
    const at = this.#current >> 2
    return this.#words[at + 3]! < this.#words[at + 4]!
  }

  /** This host sent the frame. */
  get outgoing(): boolean {
    return this.mem[this.#current + SLL_PKTTYPE] === PACKET_OUTGOING
  }

  /** Goes to the next frame. False: there is none now. Hot path. */
  next(): boolean {
    if (this.#left <= 0 && !this.#nextBlock()) return false
    // Literals, explained above: in a bundle a constant of the module costs a load and a check at each use.
    const words = this.#words
    const header = this.#header
    const at = header >> 2
    const length = words[at + 3]!
    const status = words[at + 5]!
    this.#current = header
    this.#header = header + words[at]!
    this.#left--
    this.length = length
    this.offset = header + (words[at + 6]! & 0xffff)
    this.status = status
    // 12: LOSING, CSUMNOTREADY. Asked once for most frames: the rest is looked up for those few that are odd.
    this.odd = (status & 12) !== 0 || length !== words[at + 4]! || (this.#tellOutgoing && this.outgoing)
    // 16: VLAN_VALID.
    if ((status & 16) !== 0) this.#untake(header)
    return true
  }

  #nextBlock(): boolean {
    const words = this.#words
    do {
      if (this.#left === 0) this.#release()
      const at = this.#block * this.#layout.blockSize
      // Once per block; the kernel writes the block before it writes this.
      if ((Atomics.load(words, (at + BLOCK_STATUS) >> 2) & TP_STATUS.USER) === 0) return false
      this.#left = words[(at + BLOCK_PACKETS) >> 2]!
      this.#header = at + words[(at + BLOCK_FIRST) >> 2]!
    } while (this.#left <= 0)
    return true
  }

  /** Puts the VLAN tag back where it was: a cable carries it. */
  #untake(header: number): void {
    const { mem } = this
    const at = header >> 2
    const tpid =
      (this.status & TP_STATUS.VLAN_TPID_VALID) !== 0 ? this.#words[at + (VLAN_TPID >> 2)]! : ETH_P_8021Q
    const tci = this.#words[at + (VLAN_TCI >> 2)]!
    const from = this.offset
    this.offset = from - VLAN_HLEN
    this.length += VLAN_HLEN
    mem.copyWithin(this.offset, from, from + 12)
    mem[from + 8] = tpid >> 8
    mem[from + 9] = tpid
    mem[from + 10] = tci >> 8
    mem[from + 11] = tci
  }

  #release(): void {
    const at = this.#block * this.#layout.blockSize
    Atomics.store(this.#words, (at + BLOCK_STATUS) >> 2, 0)
    this.#block = (this.#block + 1) % this.#layout.blocks
    this.#left = -1
  }
}

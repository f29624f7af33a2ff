import { LINKTYPE_ETHERNET, MAXIMUM_SNAPLEN } from './frame.ts'
import { Block, BYTE_ORDER_MAGIC, IfOption } from './pcapng-block.ts'
import { utf8Encode } from './utf8.ts'

/** An interface to describe. */
export interface PcapngInterface {
  readonly name?: string
  /** 1, Ethernet, unless given. */
  readonly linkType?: number
  /** Longer frames are cut; 262144 unless given. */
  readonly snapLength?: number
}

/** How to write a pcapng file. */
export interface PcapngWriterOptions {
  /** One Ethernet interface without a name unless given. */
  readonly interfaces?: readonly PcapngInterface[]
  /** False writes the most significant byte first; true unless given. */
  readonly littleEndian?: boolean
}

/**
 * Writes a pcapng file as chunks: `header()` once, then `frame()` for each frame. Times are in nanoseconds.
 *
 * @kernel none
 */
export class PcapngWriter {
  readonly littleEndian: boolean
  private readonly interfaces: PcapngInterface[]

  constructor(options: PcapngWriterOptions = {}) {
    this.littleEndian = options.littleEndian ?? true
    this.interfaces = [...(options.interfaces ?? [{}])]
  }

  /** The section header and the descriptions of the interfaces. */
  header(): Uint8Array {
    const section = new Uint8Array(28)
    const view = new DataView(section.buffer)
    this.frameBlock(view, Block.SECTION, 28)
    view.setUint32(8, BYTE_ORDER_MAGIC, this.littleEndian)
    view.setUint16(12, 1, this.littleEndian)
    // The section's length is not known: all ones.
    view.setUint32(16, 0xffffffff, this.littleEndian)
    view.setUint32(20, 0xffffffff, this.littleEndian)
    const blocks = [section, ...this.interfaces.map((one) => this.describe(one))]
    const out = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0))
    let at = 0
    for (const block of blocks) {
      out.set(block, at)
      at += block.length
    }
    return out
  }

  /**
   * Adds an interface in the middle of the file: write the chunk, then frames may have the number.
   */
  addInterface(description: PcapngInterface): { readonly id: number; readonly chunk: Uint8Array } {
    this.interfaces.push(description)
    return { id: this.interfaces.length - 1, chunk: this.describe(description) }
  }

  /**
   * A frame's block, as a new array.
   *
   * @param wireLength - what the frame had on the wire, when `length` is less.
   * @throws RangeError when no such interface was described.
   */
  frame(
    data: Uint8Array,
    offset: number,
    length: number,
    tsSec: number,
    tsNsec: number,
    interfaceId = 0,
    wireLength = length,
  ): Uint8Array {
    const on = this.interfaces[interfaceId]
    if (on === undefined) {
      throw new RangeError(`interface ${interfaceId} was not described: there are ${this.interfaces.length}`)
    }
    const kept = Math.min(length, on.snapLength ?? MAXIMUM_SNAPLEN)
    const size = 32 + ((kept + 3) & ~3)
    const out = new Uint8Array(size)
    const view = new DataView(out.buffer)
    this.frameBlock(view, Block.ENHANCED_PACKET, size)
    view.setUint32(8, interfaceId, this.littleEndian)
    this.putTime(view, tsSec, tsNsec)
    view.setUint32(20, kept, this.littleEndian)
    view.setUint32(24, wireLength, this.littleEndian)
    out.set(data.subarray(offset, offset + kept), 28)
    return out
  }

  /** Nanoseconds since 1970 in two halves, by hand: the product has more than 53 bits. */
  private putTime(view: DataView, tsSec: number, tsNsec: number): void {
    const upper = Math.floor(tsSec / 0x10000) * 1e9
    const lower = (upper % 0x10000) * 0x10000 + (tsSec % 0x10000) * 1e9 + tsNsec
    view.setUint32(12, Math.floor(upper / 0x10000) + Math.floor(lower / 0x100000000), this.littleEndian)
    view.setUint32(16, lower % 0x100000000, this.littleEndian)
  }

  /** A block's type, and its length at both ends. */
  private frameBlock(view: DataView, type: number, size: number): void {
    view.setUint32(0, type, this.littleEndian)
    view.setUint32(4, size, this.littleEndian)
    view.setUint32(size - 4, size, this.littleEndian)
  }

  private describe(one: PcapngInterface): Uint8Array {
    const name = utf8Encode(one.name ?? '')
    const nameRoom = name.length === 0 ? 0 : 4 + ((name.length + 3) & ~3)
    const size = 20 + nameRoom + 8 + 4
    const out = new Uint8Array(size)
    const view = new DataView(out.buffer)
    this.frameBlock(view, Block.INTERFACE, size)
    view.setUint16(8, one.linkType ?? LINKTYPE_ETHERNET, this.littleEndian)
    view.setUint32(12, one.snapLength ?? MAXIMUM_SNAPLEN, this.littleEndian)
    if (nameRoom > 0) {
      view.setUint16(16, IfOption.NAME, this.littleEndian)
      view.setUint16(18, name.length, this.littleEndian)
      out.set(name, 20)
    }
    const at = 16 + nameRoom
    view.setUint16(at, IfOption.TSRESOL, this.littleEndian)
    view.setUint16(at + 2, 1, this.littleEndian)
    out[at + 4] = 9
    return out
  }
}
